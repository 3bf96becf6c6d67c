import { expect, test } from 'vitest';
import { compareCopy, type SeenRequest } from './copy-findings.ts';

const sent: SeenRequest = {
  method: 'POST',
  target: '/a%2Fb?x=1',
  headers: [
    ['Host', 'shop.example'],
    ['X-One', '1'],
    ['X-Two', 'a'],
    ['X-Two', 'b'],
    ['Content-Length', '3'],
  ],
  body: Buffer.from('abc'),
  framing: 'length',
};

const withHeaders = (...headers: [string, string][]): Partial<SeenRequest> => ({ headers: [['Host', 'shop.example'], ...headers] });
const two: [string, string][] = [
  ['X-Two', 'a'],
  ['X-Two', 'b'],
];

test.each<[string, Partial<SeenRequest>, string[], string[]]>([
  ['the same', {}, [], []],
  ['another method', { method: 'GET' }, ['the method became GET'], []],
  ['a decoded path', { target: '/a/b?x=1' }, ['the request target "/a%2Fb?x=1" became "/a/b?x=1"'], []],
  ['another host', { headers: [['Host', 'sink:8090'], ...sent.headers.slice(1)] }, ['Host: "shop.example" became "sink:8090"'], []],
  ['no body', { body: Buffer.alloc(0) }, ['the body of 3 bytes is missing'], []],
  ['a body cut short', { body: Buffer.from('ab') }, ['the body was cut from 3 to 2 bytes'], []],
  ['another body', { body: Buffer.from('abd') }, ['the body of 3 bytes became another one of 3 bytes'], []],
  ['another framing', { framing: 'chunked' }, [], ['the body came in chunks instead of with a length']],
  ['a missing header', withHeaders(...two), ['the header x-one is missing'], []],
  ['another value', withHeaders(['X-One', '2'], ...two), ['the header x-one "1" became "2"'], []],
  ['fields joined', withHeaders(['X-One', '1'], ['X-Two', 'a, b']), [], ['the 2 fields x-two became one']],
  ['another case', withHeaders(['x-one', '1'], ['x-two', 'a'], ['x-two', 'b']), [], ['header names came in another case']],
  ['another order', withHeaders(...two, ['X-One', '1']), [], ['headers came in another order']],
  ['fields of the proxy', { headers: [...sent.headers, ['Via', 'x'], ['X-Forwarded-For', '1.2.3.4']] }, [], ['the proxy added Via']],
])('%s', (_, copy, changes, remarks) => {
  expect(compareCopy(sent, { ...sent, ...copy }, [])).toEqual({ changes, remarks });
});

test('what the sink puts back is told', () => {
  expect(compareCopy(sent, sent, ['no_response', 'host_restored', 'target_restored'])).toEqual({
    changes: [],
    remarks: ['the proxy changed Host, the sink put it back', 'the proxy changed the path, the sink put it back'],
  });
});
