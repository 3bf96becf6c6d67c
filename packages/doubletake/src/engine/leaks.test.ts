import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pcapFile } from '../../test/support/capture-files.ts';
import { conversation, type Turn } from '../../test/support/conversation.ts';
import { client, get, ok, post } from '../../test/support/requests.ts';
import { policySchema } from '../config/policy-schema.ts';
import { type LeakFinding, type LeakReport, LeakSearch } from './leaks.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-leak-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = 'a key of the tests, long enough';

interface Pair {
  request: string | Buffer;
  response?: string | Buffer;
  /** Number of the client; each its own unless said. */
  from?: number;
}

async function search(pairs: readonly Pair[], policy: object = { sanitize: { key } }): Promise<LeakReport> {
  const file = join(folder, 'capture.pcap');
  const packets = pairs.flatMap(({ request, response = ok, from }, index) => {
    const turns: Turn[] = [{ client: request }, { server: response }];
    const [host = ''] = client(from ?? index).split(':');
    return conversation({ client: `${host}:${20_000 + index}` }, turns);
  });
  writeFileSync(file, pcapFile(packets));
  return new LeakSearch(policySchema.parse({ methods: 'all', ...policy })).run(file);
}

const json = (value: object): Buffer => post('/orders', JSON.stringify(value), 'Content-Type: application/json\r\n');

function answer(value: object, headers = ''): string {
  const body = JSON.stringify(value);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

describe('what is left is found by place and kind', () => {
  test.each<[string, Pair, Partial<LeakFinding>]>([
    ['a name under a name that says nothing', { request: json({ f17: 'Anna Schmidt' }) }, { field: 'json:$.f17', kind: 'name of a person' }],
    ['an e-mail address in disguise', { request: json({ a: [{ note: 'anna (at) shop.example' }] }) }, { field: 'json:$.a[*].note', kind: 'e-mail address' }],
    ['a date of birth', { request: json({ d: '03/12/1985' }) }, { field: 'json:$.d', kind: 'date of birth' }],
    ['a row of digits', { request: json({ d: '998 765 432' }) }, { field: 'json:$.d', kind: 'long number' }],
    ['an identifier', { request: get('/x?ref=0b9d9e76-3c44-4c1f-9c34-8d7c3f0a1b2c') }, { field: 'query:ref', kind: 'identifier', endpoint: 'GET /x' }],
    ['a token', { request: get('/', 'X-Trace: q8Zr2LmX0pTuVw7Yb5Kd9A\r\n') }, { field: 'header:X-Trace', kind: 'token' }],
    ['a value whose name tells', { request: json({ diagnosis: 'flu' }) }, { field: 'json:$.diagnosis', kind: 'by its name' }],
    ['a path', { request: get('/users/Anna%20Schmidt/edit') }, { field: 'path segment 2', kind: 'name of a person', endpoint: 'GET /users/{}/edit' }],
    ['a form', { request: post('/f', 'x=Anna+Schmidt', 'Content-Type: application/x-www-form-urlencoded\r\n') }, { field: 'form:x', kind: 'name of a person' }],
    ['a response', { request: get('/'), response: answer({ owner: 'Anna Schmidt' }) }, { message: 'response', field: 'json:$.owner' }],
  ])('%s', async (_, pair, finding) => {
    const { findings } = await search([pair]);
    expect(findings).toEqual([expect.objectContaining({ count: 1, values: 1, ...finding })]);
  });
});

test('nothing of what the sanitizer made is reported, in requests and responses', async () => {
  const claims = Buffer.from(JSON.stringify({ email: 'anna@shop.example' })).toString('base64url');
  const person = {
    email: 'anna@shop.example', phone: '+49 170 1234567', name: 'Anna Schmidt', dateOfBirth: '1985-03-12', ip: '81.2.3.4',
    cardNumber: '4539578763621486', iban: 'DE89370400440532013000', user: '0b9d9e76-3c44-4c1f-9c34-8d7c3f0a1b2c',
    note: 'write to anna@shop.example or call +49 170 1234567', token: 'q8Zr2LmX0pTuVw7Yb5Kd9A', ssn: 536_904_399,
  };
  const headers = `Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.${claims}.c2lnbmF0dXJlc2lnbmF0dXJl\r\nCookie: sid=q8Zr2LmX0pTuVw7Yb5Kd9A\r\n`;
  const basic = `Authorization: Basic ${Buffer.from('anna:q8Zr2LmX0pTuVw7Yb5Kd9A').toString('base64')}\r\n`;
  const report = await search([
    { request: post('/orders', JSON.stringify(person), `Content-Type: application/json\r\n${headers}`), response: answer(person, 'Set-Cookie: sid=q8Zr2LmX0pTuVw7Yb5Kd9A; Path=/\r\n') },
    { request: get('/users/anna@shop.example?phone=%2B49170123456', basic) },
  ]);
  expect(report).toMatchObject({ requests: { seen: 2, examined: 2 }, responses: { examined: 2 }, findings: [] });
});

test('a field that tells clients apart is found whatever it looks like', async () => {
  const pairs = Array.from({ length: 12 }, (_, index) => ({
    request: get(`/x?t=t-${'abcd'.charAt(index % 4)}&page=${index % 3}`),
    from: index % 4,
  }));
  const { findings } = await search(pairs);
  expect(findings).toEqual([{ endpoint: 'GET /x', message: 'request', field: 'query:t', kind: 'tells clients apart', count: 12, values: 4 }]);
});

test('no value is in the report: neither in paths with many names, nor in names of fields', async () => {
  const words = Array.from({ length: 20 }, (_, index) => `shop${String.fromCharCode(97 + index)}`);
  const { findings } = await search([
    ...words.map((word) => ({ request: get(`/of/${word}?d=1985-03-12`) })),
    { request: json({ byName: { 'Anna Schmidt': 'Ben Mayer' } }) },
  ]);
  expect(findings).toEqual([
    { endpoint: 'GET /of/{}', message: 'request', field: 'query:d', kind: 'date of birth', count: 20, values: 20 },
    expect.objectContaining({ field: 'json:$.byName.{}' }),
  ]);
});

test('what is not replayed is counted by its outcome, and what cannot be read as such', async () => {
  const image = 'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\nab';
  const report = await search(
    [
      { request: get('/a'), response: image },
      { request: post('/b', '{"a":', 'Content-Type: application/json\r\n') },
      { request: 'DELETE /c HTTP/1.1\r\nHost: a\r\n\r\n' },
      { request: get('/healthz') },
    ],
    { methods: ['GET', 'POST'], sanitize: { key }, filters: [{ name: 'probes', exclude: { path: '/healthz' } }] },
  );
  expect(report).toMatchObject({
    requests: { seen: 4, examined: 1, notReplayed: { 'blocked.unsanitizable': 1, 'blocked.method': 1, 'filtered.probes': 1 } },
    responses: { examined: 3, unreadable: 1 },
  });
});

test('without sanitizing everything is found', async () => {
  const { findings } = await search([{ request: json({ to: 'anna@shop.example' }) }], {});
  expect(findings).toMatchObject([{ field: 'json:$.to', kind: 'e-mail address' }]);
});
