import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { connectionBetween, readAll, recorded, recordedTraffic, textOf } from '../../../test/support/recorded-traffic.ts';
import { contentOf, headOf } from '../../policy/message-edit.ts';
import type { RecordedExchange, RecordedMessage } from '../recorded-exchange.ts';
import { ByteStream } from './byte-stream.ts';
import { HarReader } from './har-reader.ts';
import { HarEncoder } from './har-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-har-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function encode(exchanges: readonly RecordedExchange[]): string {
  const encoder = new HarEncoder();
  const pieces = exchanges.flatMap((exchange) => {
    const encoded = encoder.encode(exchange);
    if (typeof encoded === 'string') throw new Error(encoded);
    return encoded;
  });
  return Buffer.concat([encoder.begin(), ...pieces, encoder.end()]).toString();
}

async function read(text: string): ReturnType<typeof readAll> {
  const file = join(folder, `${files++}.har`);
  writeFileSync(file, text);
  return readAll(new HarReader(await ByteStream.open(file)));
}

type Json = Record<string, unknown>;
type Rule = [place: string, names: string[], check: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === 'string';
const whole = (value: unknown): boolean => Number.isInteger(value);
const time = (value: unknown): boolean => typeof value === 'number' && value >= 0;
const isList = Array.isArray;
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isoDate = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)$/.test(value);

/**
 * What HAR 1.2 requires of each object (http://www.softwareishard.com/blog/har-12-spec/ and
 * https://github.com/ahmadnassri/har-spec/blob/master/versions/1.2.md, whose tables name the required fields).
 */
const rules: Rule[] = [
  ['log', ['version'], (value) => value === '1.2'],
  ['log', ['creator'], isObject],
  ['log', ['entries'], isList],
  ['creator', ['name', 'version'], isText],
  ['entry', ['startedDateTime'], isoDate],
  ['entry', ['time'], time],
  ['entry', ['request', 'response', 'cache', 'timings'], isObject],
  ['request', ['method', 'url', 'httpVersion'], isText],
  ['request', ['cookies', 'headers', 'queryString'], isList],
  ['request', ['headersSize', 'bodySize'], whole],
  ['response', ['status', 'headersSize', 'bodySize'], whole],
  ['response', ['statusText', 'httpVersion', 'redirectURL'], isText],
  ['response', ['cookies', 'headers'], isList],
  ['response', ['content'], isObject],
  ['content', ['size'], whole],
  ['content', ['mimeType'], isText],
  ['postData', ['mimeType', 'text'], isText],
  ['pair', ['name', 'value'], isText],
  ['timings', ['send', 'wait', 'receive'], time],
];

/** Fields beyond the specification begin with an underscore. */
const known: Readonly<Record<string, string[]>> = {
  log: ['version', 'creator', 'pages', 'entries'],
  creator: ['name', 'version'],
  entry: ['startedDateTime', 'time', 'request', 'response', 'cache', 'timings', 'serverIPAddress', 'connection'],
  request: ['method', 'url', 'httpVersion', 'cookies', 'headers', 'queryString', 'postData', 'headersSize', 'bodySize'],
  response: ['status', 'statusText', 'httpVersion', 'cookies', 'headers', 'content', 'redirectURL', 'headersSize', 'bodySize'],
  content: ['size', 'mimeType', 'text', 'encoding'],
  postData: ['mimeType', 'text'],
  pair: ['name', 'value'],
  timings: ['send', 'wait', 'receive'],
};

function violations(har: { log: Json & { creator: Json; entries: Json[] } }): string[] {
  const objects: [place: string, value: Json][] = [['log', har.log], ['creator', har.log.creator]];
  for (const entry of har.log.entries) {
    const { request, response, timings } = entry as { request: Json; response: Json; timings: Json };
    objects.push(['entry', entry], ['request', request], ['response', response], ['timings', timings], ['content', response['content'] as Json]);
    if (request['postData'] !== undefined) objects.push(['postData', request['postData'] as Json]);
    for (const list of [request['headers'], request['cookies'], request['queryString'], response['headers'], response['cookies']]) {
      for (const pair of list as Json[]) objects.push(['pair', pair]);
    }
  }
  return objects.flatMap(([place, value]) => [
    ...rules.flatMap(([where, names, check]) => (where === place ? names.filter((name) => !check(value[name])).map((name) => `${place}.${name}`) : [])),
    ...Object.keys(value).filter((name) => !name.startsWith('_') && !(known[place] ?? []).includes(name)),
  ]);
}

/** What a message means, apart from how it is framed. */
function meaning(message: RecordedMessage | null): unknown {
  if (message === null) return null;
  const head = headOf(message.head.toString('latin1').startsWith('HTTP/') ? 'response' : 'request', message.head)?.head;
  if (head === undefined) throw new Error('no head');
  const { framing, body, bodyBytes } = message;
  const content = contentOf({ framing, bytes: bodyBytes, sha256: null, wire: [body ?? Buffer.alloc(0)], wireBytes: bodyBytes, tooLarge: false }, head);
  const fields = Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)]);
  return {
    line: [head.method, head.target, head.status, head.reason],
    fields: fields.filter(([name = '']) => !/^(?:content-length|transfer-encoding)$/i.test(name)),
    body: content?.bytes.toString('latin1'),
  };
}

test('what is written keeps to HAR 1.2', () => {
  fc.assert(
    fc.property(recordedTraffic, (exchanges) => {
      const har = JSON.parse(encode(exchanges)) as Parameters<typeof violations>[0];
      expect(har.log.entries).toHaveLength(exchanges.length);
      expect(violations(har)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the rules find what does not', () => {
  const har = JSON.parse(encode([recorded({ request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' })])) as Parameters<typeof violations>[0];
  for (const entry of har.log.entries) Object.assign(entry, { time: -1, startedDateTime: 'today', extra: 1 });
  expect(violations(har)).toEqual(['entry.startedDateTime', 'entry.time', 'extra']);
});

test('what is written is read back: lines, headers, bodies, times and connections', async () => {
  await fc.assert(
    fc.asyncProperty(recordedTraffic, async (exchanges) => {
      const { exchanges: found, problems } = await read(encode(exchanges));
      expect(problems).toEqual([]);
      expect(found.map(({ request, response }) => [meaning(request), meaning(response)])).toEqual(
        exchanges.map(({ request, response }) => [meaning(request), meaning(response)]),
      );
      expect(found.map(({ request, response, index }) => [request.startUs, request.endUs, response?.startUs, index])).toEqual(
        exchanges.map(({ request, response, index }) => [request.startUs, request.endUs, response?.startUs, index]),
      );
    }),
    { numRuns: 60 },
  );
});

test('a compressed response is written as what it means, for readers that show it', () => {
  const body = gzipSync('{"a":"ü"}');
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
  const har = encode([recorded({ request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', response: Buffer.concat([Buffer.from(head), body]) })]);
  expect(JSON.parse(har)).toMatchObject({ log: { entries: [{ response: { content: { size: 10, text: '{"a":"ü"}' }, bodySize: body.length } }] } });
});

describe('HAR of browsers', () => {
  const entry = {
    startedDateTime: '2026-01-31T09:30:00.250+01:00',
    time: 12.5,
    request: {
      method: 'POST',
      url: 'https://shop.example/a/../b?q=1#top',
      httpVersion: 'http/2.0',
      headers: [{ name: ':authority', value: 'shop.example' }, { name: ':method', value: 'POST' }, { name: 'content-length', value: '99' }, { name: 'accept', value: '*/*' }],
      queryString: [],
      cookies: [],
      headersSize: -1,
      bodySize: 5,
      postData: { mimeType: 'application/x-www-form-urlencoded', params: [{ name: 'a b', value: '1' }] },
    },
    response: {
      status: 200,
      statusText: '',
      httpVersion: 'http/2.0',
      headers: [{ name: 'content-encoding', value: 'br' }, { name: 'content-type', value: 'text/plain' }],
      cookies: [],
      content: { size: 3, mimeType: 'text/plain', text: 'w7w=', encoding: 'base64' },
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
    },
    cache: {},
    timings: { blocked: 1, send: 0.5, wait: 10, receive: 1 },
    serverIPAddress: '[2001:db8::1]',
    _priority: 'High',
  };
  const log = (...entries: unknown[]): string => `\uFEFF${JSON.stringify({ log: { version: '1.2', pages: [{ title: '"entries":[{' }], creator: {}, entries } }, null, 2)}`;

  test('HTTP/2 becomes HTTP/1.1, framed by what is there', async () => {
    const { exchanges, problems } = await read(log(entry));
    expect(problems).toEqual([]);
    const [{ request, response, connection }] = exchanges as [RecordedExchange];
    expect(textOf(request)).toBe('POST /a/../b?q=1 HTTP/1.1\r\nHost: shop.example\r\ncontent-length: 5\r\naccept: */*\r\n\r\na+b=1');
    expect(textOf(response)).toBe('HTTP/1.1 200 \r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\nÃ¼');
    expect(request.startUs).toBe(Date.UTC(2026, 0, 31, 8, 30, 0, 250) * 1_000);
    expect(connection.server).toEqual({ address: '2001:db8::1', port: 443 });
  });

  test.each<[string, unknown, string]>([
    ['no request', { ...entry, request: undefined }, 'entry: request: '],
    ['another scheme', { ...entry, request: { ...entry.request, url: 'data:,x' } }, 'no http or https URL'],
    ['a time that is none', { ...entry, startedDateTime: 'noon' }, 'startedDateTime is no time'],
    ['a header that would be two', { ...entry, request: { ...entry.request, headers: [{ name: 'a', value: 'b\r\nc: d' }] } }, 'line break'],
    ['a method that is none', { ...entry, request: { ...entry.request, method: 'GET /x' } }, 'is no method'],
  ])('an entry with %s is told, and takes no other along', async (_name, bad, what) => {
    const { exchanges, problems } = await read(log(entry, bad, entry));
    expect(exchanges).toHaveLength(2);
    expect(problems).toEqual([expect.objectContaining({ kind: 'malformed', text: expect.stringContaining(what) as string, place: expect.stringMatching(/^byte \d+$/) as string })]);
  });

  test('an entry that is broken JSON, and a file that ends too early', async () => {
    const text = log(entry, 'HERE', entry, entry).replace('"HERE"', '{"request": nonsense}');
    const { exchanges, problems } = await read(text.slice(0, -30));
    expect(exchanges).toHaveLength(2);
    expect(problems.map((problem) => problem.text)).toEqual([expect.stringContaining('no JSON'), expect.stringContaining('ends inside')]);
  });

  test('JSON that is no HAR is refused', async () => {
    await expect(read('{"entries":[{}]}')).rejects.toMatchObject({ code: 'DT_TRAFFIC_NOT_RECOGNISED' });
  });
});

test.each(['OPTIONS * HTTP/1.1', 'GET /a#b HTTP/1.1'])('a target that makes no URL is not written: %s', (line) => {
  const exchange = recorded({ request: `${line}\r\nHost: a\r\n\r\n`, connection: connectionBetween('10.0.0.1:1', '10.0.0.2:80') });
  expect(new HarEncoder().encode(exchange)).toMatch(/makes no URL/);
});

test('bytes beyond ASCII in a target are written as what they are, not as text', () => {
  const har = encode([recorded({ request: Buffer.from('GET /caf\xe9?q=\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1') })]);
  expect(JSON.parse(har)).toMatchObject({ log: { entries: [{ request: { url: 'http://a/caf%E9?q=%C3%BC' } }] } });
});
