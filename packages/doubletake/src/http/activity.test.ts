import { expect, test } from 'vitest';
import { Recorder } from '../../test/support/http-script.ts';
import { Connection } from '../tcp/connection.ts';
import { ExchangeAssembler } from './assembler.ts';
import type { Conversation } from './conversation.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';

/** What each side sends, in turn: `>` from the client, `<` from the server, and a number for bytes that are not seen. */
test.each([
  ['nothing yet', [], 'idle'],
  ['half a head', ['>GET / HTTP'], 'busy'],
  ['a request', [`>${get}`], 'busy'],
  ['half a body', [`>${post}`], 'busy'],
  ['half an answer', [`>${get}`, `<${ok}o`], 'busy'],
  ['an answer', [`>${get}`, `<${ok}ok`], 'idle'],
  ['an answer before the end of the request', [`>${post}`, `<${ok}ok`], 'busy'],
  ['an answer to the first of two', [`>${get}${get}`, `<${ok}ok`], 'busy'],
  ['answers to both', [`>${get}${get}`, `<${ok}ok`, `<${ok}ok`], 'idle'],
  ['an interim answer', [`>${get}`, '<HTTP/1.1 100 Continue\r\n\r\n'], 'busy'],
  ['an answer that ends with the connection', [`>${get}`, '<HTTP/1.0 200 OK\r\n\r\nall of it?'], 'busy'],
  ['a WebSocket', [`>${get}`, '<HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'], 'unknown'],
  ['TLS', ['>\x16\x03\x01\x02\x00\x01'], 'unknown'],
  ['bytes that were not seen', [`>${get}`, 100, `<${ok}ok`], 'unknown'],
] as const)('after %s', (_, steps, activity) => {
  const assembler = new ExchangeAssembler(new Recorder());
  const connection = new Connection<Conversation>(1, 0, 0, new Int32Array(8), [40_000, 80], 0);
  connection.state = assembler.open(connection);
  const next: [number, number] = [0, 0];
  for (const step of steps) {
    if (typeof step === 'number') {
      assembler.gap(connection, 0, step, 0, next[0], 'evicted');
      next[0] += step;
      continue;
    }
    const direction = step.startsWith('>') ? 0 : 1;
    const bytes = Buffer.from(step.slice(1), 'latin1');
    assembler.data(connection, direction, bytes, 0, bytes.length, 0, next[direction], next[1 - direction], true);
    next[direction] += bytes.length;
  }
  expect(connection.state.activity).toBe(activity);
});
