import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readAll, textOf } from '../../../test/support/recorded-traffic.ts';
import { AccessLogReader } from './access-log-reader.ts';
import { ByteStream } from './byte-stream.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

async function read(lines: readonly string[]): ReturnType<typeof readAll> {
  const file = join(folder, `${files++}.log`);
  writeFileSync(file, lines.join('\n'), 'latin1');
  return readAll(new AccessLogReader(await ByteStream.open(file)));
}

const line = (request: string, second = 36, rest = '"https://a.example/" "Mozilla/5.0"'): string =>
  `203.0.113.7 - anna [10/Oct/2026:13:55:${second} +0200] "${request}" 200 2326 ${rest}`;
const secondUs = Date.UTC(2026, 9, 10, 11, 55, 36) * 1_000_000 / 1_000;

test.each<[string, string, string]>([
  ['combined', line('GET /a?b=1 HTTP/1.1'), 'GET /a?b=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nReferer: https://a.example/\r\n\r\n'],
  ['common', line('GET / HTTP/1.0', 36, ''), 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['with more behind it', line('GET / HTTP/2.0', 36, '"-" "curl/8" "10.0.0.1" rt=0.012'), 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8\r\n\r\n'],
  ['with the virtual host', `shop.example:443 ${line('GET / HTTP/1.1', 36, '"-" "-"')}`, 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n'],
  ['as Apache escapes', line('GET /a\\"b HTTP/1.1', 36, '"-" "a \\"b\\" \\\\c"'), 'GET /a"b HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a "b" \\c\r\n\r\n'],
  ['as NGINX escapes', line('GET /\\xC3\\xBC HTTP/1.1', 36, '"-" "x\\x22y"'), 'GET /Ã¼ HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x"y\r\n\r\n'],
  ['IPv6', line('GET / HTTP/1.1', 36, '"-" "-"').replace('203.0.113.7', '2001:db8::7'), 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
])('a line: %s', async (_name, text, request) => {
  const { exchanges, problems } = await read([text]);
  expect(problems).toEqual([]);
  expect(exchanges.map((exchange) => textOf(exchange.request))).toEqual([request]);
  expect(exchanges[0]).toMatchObject({ response: null, connection: { client: { port: 0 } }, request: { startUs: secondUs } });
});

test('requests of one second are spread over it, in their order', async () => {
  const { exchanges } = await read([line('GET /1 HTTP/1.1'), line('GET /2 HTTP/1.1'), line('GET /3 HTTP/1.1'), line('GET /4 HTTP/1.1'), line('GET /5 HTTP/1.1', 37)]);
  expect(exchanges.map(({ request }) => (request.startUs - secondUs) / 1_000)).toEqual([0, 250, 500, 750, 1_000]);
});

test('more requests in a second than are held stay within it, in order', async () => {
  const { exchanges } = await read([...Array.from({ length: 25_000 }, (_, index) => line(`GET /${index} HTTP/1.1`)), line('GET /last HTTP/1.1', 37)]);
  const times = exchanges.map(({ request }) => request.startUs);
  expect(exchanges).toHaveLength(25_001);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-2)).toBeLessThan(secondUs + 1_000_000);
  expect(times.at(-1)).toBe(secondUs + 1_000_000);
});

test('other methods are left out, and what is no request is told with its line', async () => {
  const { exchanges, problems } = await read([
    line('POST /pay HTTP/1.1'),
    'kernel: something else',
    line('\\x16\\x03\\x01'),
    '',
    line('GET /ok HTTP/1.1'),
    line('GET /a b HTTP/1.1'),
    line('GET /a\\r\\nX:1 HTTP/1.1'),
    line('GET /x HTTP/1.1').replace('Oct', 'Okt'),
    'x'.repeat(70_000),
    line('GET /end HTTP/1.1'),
  ]);
  expect(exchanges.map(({ request }) => request.head.toString('latin1').split(' ')[1])).toEqual(['/ok', '/end']);
  expect(problems.map(({ kind, place }) => `${kind} ${place}`)).toEqual([
    'skipped line 1',
    'malformed line 2',
    'malformed line 3',
    'malformed line 6',
    'malformed line 7',
    'malformed line 8',
    'malformed line 9',
  ]);
});
