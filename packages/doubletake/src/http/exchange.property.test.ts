import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection, type Direction } from '../tcp/connection.ts';
import { Recorder } from '../../test/support/http-script.ts';
import { ExchangeAssembler } from './assembler.ts';
import type { Conversation } from './conversation.ts';
import type { Message } from './exchange.ts';

/** Text that a careless reader takes for messages. */
const DECOYS = [
  'DELETE /decoy HTTP/1.1\r\nHost: decoy\r\n\r\n',
  'HTTP/1.1 200 decoy\r\nContent-Length: 1\r\n\r\nx',
  '0\r\n\r\n',
  '\r\n\r\n',
  'GET ',
  '\0\0\0\0\0\0\0\0',
];

interface Sent {
  head: Buffer;
  /** Decoded body. */
  body: Buffer;
  /** As on the wire. */
  wireBody: Buffer;
}

const bodyText = fc
  .array(fc.oneof(fc.constantFrom(...DECOYS), fc.string({ maxLength: 12 })), { maxLength: 4 })
  .map((parts) => Buffer.from(parts.join(''), 'utf8'));

function withBody(startLine: string, framing: 'length' | 'chunked' | 'none', body: Buffer): Sent {
  if (framing === 'none') return { head: Buffer.from(`${startLine}\r\nA: b\r\n\r\n`), body: Buffer.alloc(0), wireBody: Buffer.alloc(0) };
  if (framing === 'length') {
    return { head: Buffer.from(`${startLine}\r\nContent-Length: ${body.length}\r\n\r\n`), body, wireBody: body };
  }
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += 7) {
    const data = body.subarray(at, at + 7);
    chunks.push(Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from('0\r\nTrailer: DELETE\r\n\r\n'));
  return { head: Buffer.from(`${startLine}\r\nTransfer-Encoding: chunked\r\n\r\n`), body, wireBody: Buffer.concat(chunks) };
}

const requestArbitrary = fc
  .record({ framing: fc.constantFrom('none', 'length', 'chunked'), body: bodyText, id: fc.nat(9_999) })
  .map(({ framing, body, id }) => withBody(`${framing === 'none' ? 'GET' : 'POST'} /r${id} HTTP/1.1`, framing, body));
const responseArbitrary = fc
  .record({ framing: fc.constantFrom('length', 'chunked'), body: bodyText, status: fc.constantFrom(200, 404, 500) })
  .map(({ framing, body, status }) => withBody(`HTTP/1.1 ${status} x`, framing, body));
const exchangesArbitrary = fc.array(fc.tuple(requestArbitrary, responseArbitrary), { minLength: 1, maxLength: 6 });

/** One side's turn: all bytes of one or more messages. */
interface Turn {
  direction: Direction;
  bytes: Buffer;
}

interface Wire {
  recorder: Recorder;
  assembler: ExchangeAssembler;
}

/** Sends the turns in segments of the given sizes; those that `lost` picks become gaps. */
function send(turns: Turn[], sizes: number[], lost: boolean[], synSeen: boolean): Wire {
  const recorder = new Recorder();
  const assembler = new ExchangeAssembler(recorder, { hashBodies: true, responseBodyBytesMax: 1 << 20 });
  const connection = new Connection<Conversation>(1, 0, 0, new Int32Array(8), [1, 80], synSeen ? 0 : -1);
  connection.state = assembler.open(connection);
  const next: [number, number] = [0, 0];
  let segment = 0;
  for (const { direction, bytes } of turns) {
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(bytes.length - at, sizes[segment % sizes.length] ?? 1);
      const ack = next[1 - direction];
      if (lost[segment % lost.length]) assembler.gap(connection, direction, length, segment, next[direction]);
      else assembler.data(connection, direction, bytes, at, at + length, segment, next[direction], ack, true);
      at += length;
      next[direction] += length;
      segment++;
    }
  }
  assembler.end(connection, 0, segment);
  assembler.end(connection, 1, segment);
  assembler.close(connection, 'fin', segment);
  return { recorder, assembler };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Where each message starts in its side's stream. */
function starts(messages: Sent[]): Map<number, number> {
  const found = new Map<number, number>();
  let at = 0;
  messages.forEach((message, index) => {
    found.set(at, index);
    at += message.head.length + message.wireBody.length;
  });
  return found;
}

function expectSame(message: Message, sent: Sent): void {
  expect(message.head.bytes.equals(sent.head)).toBe(true);
  expect(message.outcome).toBe('complete');
  expect(message.ambiguity).toBeNull();
  expect(message.body.bytes).toBe(sent.body.length);
  expect(message.body.sha256).toBe(sha256(sent.body));
  expect(Buffer.concat(message.body.wire ?? []).equals(sent.wireBody)).toBe(true);
}

const messageBytes = ({ head, wireBody }: Sent): Buffer => Buffer.concat([head, wireBody]);
const sizesArbitrary = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });

describe('any conversation', () => {
  it('gives the same exchanges however it is cut, pipelined or not', () => {
    fc.assert(
      fc.property(exchangesArbitrary, sizesArbitrary, fc.boolean(), fc.boolean(), (pairs, sizes, pipelined, syn) => {
        const turns: Turn[] = pipelined
          ? [
              { direction: 0, bytes: Buffer.concat(pairs.map(([request]) => messageBytes(request))) },
              { direction: 1, bytes: Buffer.concat(pairs.map(([, response]) => messageBytes(response))) },
            ]
          : pairs.flatMap(([request, response]) => [
              { direction: 0, bytes: messageBytes(request) },
              { direction: 1, bytes: messageBytes(response) },
            ]);
        // Without the SYN the first segments must be long enough to prove what they are.
        const { recorder, assembler } = send(turns, syn ? sizes : [60, ...sizes], [false], syn);
        expect(recorder.exchanges.length).toBe(pairs.length);
        pairs.forEach(([request, response], index) => {
          const exchange = recorder.exchanges[index];
          expectSame(exchange.request, request);
          if (exchange.response === null) throw new Error('no response');
          expectSame(exchange.response, response);
        });
        expect(recorder.orphans).toEqual([]);
        expect(recorder.skippedBytes).toBe(0);
        expect(assembler.keptBytes.now).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('gives only messages that were there, each byte-identical and paired rightly, under any loss', () => {
    const lostArbitrary = fc.array(fc.integer({ min: 0, max: 9 }).map((n) => n < 2), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(exchangesArbitrary, sizesArbitrary, lostArbitrary, fc.boolean(), (pairs, sizes, lost, syn) => {
        const turns: Turn[] = pairs.flatMap(([request, response]) => [
          { direction: 0, bytes: messageBytes(request) },
          { direction: 1, bytes: messageBytes(response) },
        ]);
        const { recorder, assembler } = send(turns, sizes, lost, syn);
        const requestStarts = starts(pairs.map(([request]) => request));
        const responseStarts = starts(pairs.map(([, response]) => response));
        const find = (from: Map<number, number>, message: Message): number => {
          const index = from.get(message.startSequence);
          if (index === undefined) throw new Error(`no message starts at ${message.startSequence}`);
          return index;
        };
        for (const { request, response } of recorder.exchanges) {
          const index = find(requestStarts, request);
          expect(request.head.bytes.equals(pairs[index][0].head)).toBe(true);
          if (request.outcome === 'complete') expectSame(request, pairs[index][0]);
          else expect(request.body.wire).toBeNull();
          if (response === null) continue;
          expect(find(responseStarts, response)).toBe(index);
          if (response.outcome === 'complete') expectSame(response, pairs[index][1]);
        }
        for (const orphan of recorder.orphans) {
          expect(orphan.head.bytes.equals(pairs[find(responseStarts, orphan)][1].head)).toBe(true);
        }
        const settled = recorder.events.filter((event) => /^(response|unanswered)/.test(event)).length;
        expect(settled).toBe(recorder.exchanges.length);
        expect(assembler.keptBytes.now).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws on arbitrary bytes, and holds nothing afterwards', () => {
    const piece = fc.oneof(
      fc.constantFrom(...DECOYS, 'POST / HTTP/1.1\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '\r\n', 'CONNECT a:1 HTTP/1.1\r\n\r\n'),
      fc.string({ maxLength: 10 }),
    );
    const turn = fc.record({ direction: fc.constantFrom<Direction>(0, 1), bytes: fc.array(piece, { minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 8 }), sizesArbitrary, fc.boolean(), (turns, sizes, syn) => {
        const sent = turns.map(({ direction, bytes }) => ({ direction, bytes: Buffer.from(bytes.join(''), 'latin1') }));
        const { recorder, assembler } = send(sent, sizes, [false, false, false, true], syn);
        expect(assembler.keptBytes.now).toBe(0);
        const requests = recorder.events.filter((event) => event.startsWith('request')).length;
        expect(requests).toBe(recorder.exchanges.length);
      }),
      { numRuns: 1_000 },
    );
  });
});
