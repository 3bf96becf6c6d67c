import { expect, test } from 'vitest';
import { playInto, type PlayOptions, type Step } from '../../test/support/http-script.ts';
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

test('where no responses come, a request is known to be unanswered as soon as it ends, and nothing of it is kept', () => {
  const { events } = playInto([{ client: GET + POST_9 }, { client: '123456789' }], { limits: { pendingMax: 0 } });
  expect(events).toEqual(['request 0 GET /a none 0 complete', 'unanswered 0', 'request 1 POST /p length 9 complete', 'unanswered 1']);
});

test('every bit has its name at its place', () => {
  expect(Object.values(Fidelity).map((bit) => fidelityLabels(bit))).toEqual(fidelityNames.map((name) => [name]));
  expect(fidelityLabels(0)).toEqual([]);
});
