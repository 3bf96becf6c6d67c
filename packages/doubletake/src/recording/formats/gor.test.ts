import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { readAll, recorded, recordedTraffic, textOf } from '../../../test/support/recorded-traffic.ts';
import type { RecordedExchange } from '../recorded-exchange.ts';
import { ByteStream } from './byte-stream.ts';
import { GorEncoder } from './gor-writer.ts';
import { GorReader } from './gor-reader.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-gor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function encode(exchanges: readonly RecordedExchange[]): Buffer {
  const encoder = new GorEncoder();
  const pieces = exchanges.flatMap((exchange) => {
    const encoded = encoder.encode(exchange);
    if (typeof encoded === 'string') throw new Error(encoded);
    return encoded;
  });
  return Buffer.concat([encoder.begin(), ...pieces, encoder.end()]);
}

async function read(bytes: Buffer): ReturnType<typeof readAll> {
  const file = join(folder, `${files++}.gor`);
  writeFileSync(file, bytes);
  return readAll(new GorReader(await ByteStream.open(file)));
}

/** What GoReplay's FileInput makes of a file, line by line (buger/goreplay, input_file.go and protocol.go). */
function asGoReplayReads(file: Buffer): { type: string; id: string; timestamp: string; body: string }[] {
  const payloads: { type: string; id: string; timestamp: string; body: string }[] = [];
  let held = '';
  for (const line of file.toString('latin1').match(/[^\n]*\n/g) ?? []) {
    if (line !== Buffer.from('🐵🙈🙉\n').toString('latin1')) {
      held += line;
      continue;
    }
    const meta = held.slice(0, held.indexOf('\n')).split(' ');
    if (meta.length < 3) throw new Error(`a malformed record: ${held}`);
    payloads.push({ type: meta[0] ?? '', id: meta[1] ?? '', timestamp: meta[2] ?? '', body: held.slice(held.indexOf('\n') + 1, -1) });
    held = '';
  }
  if (held !== '') throw new Error(`GoReplay would not see: ${held}`);
  return payloads;
}

test('what is written is read back: bytes, times and who answers what', async () => {
  await fc.assert(
    fc.asyncProperty(recordedTraffic, async (exchanges) => {
      const { exchanges: found, problems } = await read(encode(exchanges));
      expect(problems).toEqual([]);
      const shown = (all: readonly RecordedExchange[]): unknown[] =>
        all
          .map(({ request, response }) => [request.startUs, request.endUs, textOf(request), response?.startUs, response?.endUs, textOf(response)])
          .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
      expect(shown(found)).toEqual(shown(exchanges));
    }),
    { numRuns: 60 },
  );
});

test('GoReplay reads what is written', () => {
  fc.assert(
    fc.property(recordedTraffic, (exchanges) => {
      const payloads = asGoReplayReads(encode(exchanges));
      const expected = exchanges.flatMap(({ request, response }) => [
        { type: '1', timestamp: `${request.startUs}000`, body: textOf(request) },
        ...(response === null ? [] : [{ type: '2', timestamp: `${response.startUs}000`, body: textOf(response) }]),
      ]);
      expect(payloads.map(({ type, timestamp, body }) => ({ type, timestamp, body }))).toEqual(expected);
      for (const [index, { type, id }] of payloads.entries()) {
        expect(id).toMatch(/^[0-9a-f]{24}$/);
        if (type === '2') expect(id).toBe(payloads[index - 1]?.id);
      }
    }),
    { numRuns: 60 },
  );
});

const get = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const end = '\n🐵🙈🙉\n';

test.each<[string, string, [number, number, number | null, number | null][]]>([
  ['version 1', `1 aa 1000000000 5000\n${get}${end}2 aa 1000009000 7000\n${ok}${end}`, [[1_000_000, 1_000_005, 1_000_009, 1_000_016]]],
  ['before version 1', `1 aa 1000000000\n${get}${end}2 aa 1000000000 9000\n${ok}${end}`, [[1_000_000, 1_000_000, 1_000_009, 1_000_009]]],
  ['the answer of a replay is none of production', `1 aa 1000000000\n${get}${end}3 aa 1000000000 9000\n${ok}${end}`, [[1_000_000, 1_000_000, null, null]]],
  ['other requests in between', `1 aa 1000000000 0\n${get}${end}1 bb 2000000000 0\n${get}${end}2 aa 1000001000 0\n${ok}${end}`, [[1_000_000, 1_000_000, 1_000_001, 1_000_001], [2_000_000, 2_000_000, null, null]]],
])('files of GoReplay: %s', async (_name, text, times) => {
  for (const bytes of [Buffer.from(text), gzipSync(text)]) {
    const { exchanges, problems } = await read(bytes);
    expect(problems).toEqual([]);
    expect(exchanges.map(({ request, response }) => [request.startUs, request.endUs, response?.startUs ?? null, response?.endUs ?? null])).toEqual(times);
  }
});

test('a malformed payload is told with its line, and takes no other along', async () => {
  const text = `1 aa 1000000000 0\n${get}${end}what is this${end}1 bb 2000000000 0\nno request at all${end}2 cc 3000000000 0\n${ok}${end}1 dd 4000000000 0\n${get}${end}1 ee 5000000000 0\nGET /cut`;
  const { exchanges, problems } = await read(Buffer.from(text));
  expect(exchanges.map(({ request }) => request.startUs)).toEqual([1_000_000, 4_000_000]);
  expect(problems.map(({ place, kind }) => `${kind} ${place}`).toSorted()).toEqual([
    'malformed line 24',
    'malformed line 7',
    'malformed line 9',
    'skipped line 12',
  ]);
});

test('a request that holds the separator is not written', () => {
  const body = `a${end}b`;
  const request = Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)]);
  expect(new GorEncoder().encode(recorded({ request }))).toMatch(/separates/);
});
