import { expect, test } from 'vitest';
import { playInto, type PlayOptions, Recorder, type Step } from '../../test/support/http-script.ts';
import { Connection } from '../tcp/connection.ts';
import { ExchangeAssembler } from './assembler.ts';
import type { Conversation } from './conversation.ts';
import { Fidelity, fidelityLabels, fidelityNames } from './fidelity.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const POST_9 = 'POST /p HTTP/1.1\r\nContent-Length: 9\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const OK_9 = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n';

interface Case {
  name: string;
  steps: Step[];
  /** Of each exchange in turn, at the end. */
  labels: string[][];
  options?: PlayOptions;
}

test.each<Case>([
  { name: 'request and response whole', steps: [{ client: GET }, { server: OK }], labels: [[]] },
  { name: 'no response', steps: [{ client: GET }], labels: [['no_response']] },
  { name: 'one answered, one not', steps: [{ client: GET }, { server: OK }, { client: GET }], labels: [[], ['no_response']] },
  { name: 'a response with a gap', steps: [{ client: GET }, { server: `${OK_9}abc` }, { serverGap: 6 }], labels: [['gap']] },
  { name: 'a request with a gap', steps: [{ client: `${POST_9}abc` }, { clientGap: 6 }, { server: OK }], labels: [['gap']] },
  {
    name: 'a request with a gap and no response',
    steps: [{ client: `${POST_9}abc` }, { clientGap: 6 }],
    labels: [['no_response', 'gap']],
  },
  { name: 'a response cut off by the end', steps: [{ client: GET }, { server: `${OK_9}abc` }], labels: [['unfinished']] },
  {
    name: 'a source that carries no responses',
    steps: [{ client: GET + GET }],
    labels: [['no_response'], ['no_response']],
    options: { limits: { pendingMax: 0 } },
  },
])('labels of $name', ({ steps, labels, options }) => {
  const { recorder } = playInto(steps, options);
  expect(recorder.exchanges.map(({ fidelity }) => fidelityLabels(fidelity))).toEqual(labels);
});

test('a packet that the mirror cut', () => {
  const recorder = new Recorder();
  const assembler = new ExchangeAssembler(recorder);
  const connection = new Connection<Conversation>(1, 0, 0, new Int32Array(8), [40_000, 80], 0);
  connection.state = assembler.open(connection);
  const bytes = Buffer.from(`${POST_9}abc`);
  assembler.data(connection, 0, bytes, 0, bytes.length, 1, 0, 0, true);
  assembler.gap(connection, 0, 6, 2, bytes.length, 'truncated');
  assembler.close(connection, 'fin', 3);
  expect(recorder.exchanges.map(({ fidelity }) => fidelityLabels(fidelity))).toEqual([['no_response', 'truncated']]);
});

test('where no responses come, a request is known to be unanswered as soon as it ends, and nothing of it is kept', () => {
  const { events } = playInto([{ client: GET + POST_9 }, { client: '123456789' }], { limits: { pendingMax: 0 } });
  expect(events).toEqual(['request 0 GET /a none 0 complete', 'unanswered 0', 'request 1 POST /p length 9 complete', 'unanswered 1']);
});

test('every bit has its name at its place', () => {
  expect(Object.values(Fidelity).map((bit) => fidelityLabels(bit))).toEqual(fidelityNames.map((name) => [name]));
  expect(fidelityLabels(0)).toEqual([]);
});
