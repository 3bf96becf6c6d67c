import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { answer, difference, judgedPair } from '../../../test/support/judged-pairs.ts';
import type { Answer, Pair } from '../pair.ts';
import { type PairFindings, shownPair } from './shown-pair.ts';

const hidden = 'Contents are hidden.';
const findings: PairFindings = { endpoint: 'GET /users/{id}', differences: [difference('c1')], messages: 'whole' };

function pair(candidate: Partial<Answer> = {}, more: Partial<Pair> = {}): Pair {
  const request = Buffer.from('POST /users?mail=anna@canary.example HTTP/1.1\r\nHost: shop.test\r\nX-Name: J\xfcrg\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"name":1}');
  return { ...judgedPair(1).pair, method: 'POST', target: '/users?mail=anna@canary.example', request, candidate: answer(candidate), ...more };
}

describe('a pair as it is shown', () => {
  test('has messages that can be read', () => {
    const shown = shownPair(pair({ headers: [['Content-Type', 'application/json'], ['Content-Encoding', 'gzip']], body: gzipSync('{"a":[1]}') }), findings, null);
    expect(shown).toMatchObject({
      id: 'dt-1', time: '2026-11-18T11:06:40.001Z', target: '/users?mail=anna@canary.example', hidden: null,
      request: { start: 'POST /users?mail=anna@canary.example HTTP/1.1', body: { text: '{\n  "name": 1\n}', language: 'json' } },
      baseline: { start: '200', headers: [['Content-Type', 'application/json']], body: { text: '{\n  "id": 1\n}', language: 'json', bytes: 8, cut: false } },
      candidate: { body: { text: '{\n  "a": [\n    1\n  ]\n}' } },
      differences: [{ kind: 'value', path: '$.items[*].price', place: '$.items[3].price', cluster: 'c1', from: '12.5', to: '12.6' }],
      timing: { baseline: { firstByteMs: 4.25, totalMs: 5.5 } },
    });
    expect(shown.curl).toContain('anna@canary.example');
    expect(Object.fromEntries(shown.request.headers)).toMatchObject({ 'X-Name': 'Jürg' });
  });

  test('shows nothing of its contents where they are hidden', () => {
    const secret = 'canary';
    const shown = shownPair(pair({ body: Buffer.from(`{"x":"${secret}"}`), headers: [['Set-Cookie', secret]] }), { ...findings, differences: [difference('c1', { place: `$.a[id=${secret}]`, baseline: secret, candidate: secret })] }, hidden);
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect(shown).toMatchObject({ target: '/users', hidden, request: { start: 'POST /users HTTP/1.1', body: { bytes: 10 } }, differences: [{ path: '$.items[*].price' }] });
  });

  test.each<[string, Partial<Answer>, object]>([
    ['a failure', { status: 0, failure: 'timeout', body: null, bodyBytes: 0 }, { start: 'timeout', body: { text: null, bytes: 0, cut: false } }],
    ['a body that was too long to be kept', { body: null, bodyBytes: 9e6 }, { body: { text: null, bytes: 9e6, cut: true } }],
    ['a body of which a part is kept', { body: Buffer.from('[1,'), bodyBytes: 5_000 }, { body: { text: '[\n  1,\n  ', cut: true } }],
    ['a compressed body that was cut', { headers: [['Content-Encoding', 'gzip']], body: gzipSync('x'.repeat(1_000)).subarray(0, 20), bodyBytes: 30 }, { body: { text: null, cut: true } }],
    ['bytes', { headers: [['Content-Type', 'image/png']] }, { body: { text: null, language: 'binary', bytes: 8 } }],
  ])('says of %s what it is', (_, candidate, expected) => {
    expect(shownPair(pair(candidate), findings, null).candidate).toMatchObject(expected);
  });

  test('has the quotes of a text that was a number', () => {
    const changed = difference('c1', { kind: 'type', baseline: '10', candidate: '10', baselineType: 'number', candidateType: 'string' });
    expect(shownPair(pair(), { ...findings, differences: [changed] }, null).differences).toMatchObject([{ from: '10', to: '"10"' }]);
  });

  test('has nothing where nothing is kept', () => {
    const bare = answer({ headers: [], body: null });
    expect(shownPair(pair({}, { request: Buffer.alloc(0), baseline: bare, candidate: bare }), { ...findings, messages: 'none' }, null)).toMatchObject({
      request: { start: 'POST /users?mail=anna@canary.example HTTP/1.1', headers: [] }, baseline: { start: '200', headers: [], body: { text: null, bytes: 8, cut: true } }, curl: '',
    });
  });
});
