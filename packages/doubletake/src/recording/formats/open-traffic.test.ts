import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { pcapFile } from '../../../test/support/capture-files.ts';
import { conversation } from '../../../test/support/conversation.ts';
import { readAll, recorded } from '../../../test/support/recorded-traffic.ts';
import { Merged } from './merged.ts';
import { openTraffic, type TrafficOptions } from './open-traffic.ts';
import { TimeOrder } from './time-order.ts';
import type { TrafficItem, TrafficReader } from './traffic.ts';
import { openWriter } from './write-traffic.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-traffic-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const options: TrafficOptions = { key: null, ports: null, vnis: null, mergeTunnels: false, responseBodyBytesMax: 1_048_576 };
const get = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
const gor = `1 aa 1790000000000000000\n${get}\n🐵🙈🙉\n`;
const har = JSON.stringify({ log: { entries: [{ startedDateTime: '2026-09-21T00:00:00Z', request: { method: 'GET', url: 'http://a/a', headers: [] } }] } });
const log = `a line of something else\n10.0.0.1 - - [21/Sep/2026:00:00:00 +0000] "GET /a HTTP/1.1" 200 1\n`;
const pcap = pcapFile(conversation({}, [{ client: get }]));

function fileWith(bytes: Buffer | string): string {
  const file = join(folder, String(files++));
  writeFileSync(file, bytes);
  return file;
}

async function targetsIn(paths: readonly string[]): Promise<string[]> {
  const { exchanges } = await readAll(await openTraffic(paths, options));
  return exchanges.map(({ request }) => request.head.toString('latin1').split(' ')[1] ?? '');
}

describe('a format is known by what is in a file', () => {
  test.each<[string, Buffer | string]>([['gor', gor], ['HAR', har], ['HAR behind a byte order mark', `\uFEFF  ${har}`], ['access log', log], ['pcap', pcap]])('%s, also gzipped', async (_name, bytes) => {
    expect(await targetsIn([fileWith(bytes)])).toEqual(['/a']);
    expect(await targetsIn([fileWith(gzipSync(bytes))])).toEqual(['/a']);
  });

  test('recording', async () => {
    const path = join(folder, `recording${files++}`);
    const writer = openWriter(path, 'recording', null);
    await writer.write(recorded({ request: get }));
    await writer.close();
    expect(await targetsIn([path])).toEqual(['/a']);
  });

  test.each<[string, string]>([['', 'is empty'], ['hello\n', 'is in no format that is known'], ['1 is no header\n', 'no format']])('%j is refused', async (bytes, what) => {
    await expect(openTraffic([fileWith(bytes)], options)).rejects.toMatchObject({ code: 'DT_TRAFFIC_NOT_RECOGNISED', message: expect.stringContaining(what) as string });
  });
});

test('a folder is what is in it, but for hidden files; an empty one is refused', async () => {
  const inside = join(folder, `folder${files++}`);
  mkdirSync(join(inside, 'deeper'), { recursive: true });
  await expect(openTraffic([inside], options)).rejects.toMatchObject({ code: 'DT_TRAFFIC_UNREADABLE' });
  writeFileSync(join(inside, 'a.gor'), gor);
  writeFileSync(join(inside, 'b.har'), har);
  writeFileSync(join(inside, '.DS_Store'), 'anything');
  expect(await targetsIn([inside])).toEqual(['/a', '/a']);
});

/** A reader of what is in memory, in batches of three. */
function readerOf(items: readonly TrafficItem[]): TrafficReader {
  return {
    done: 0,
    total: 0,
    // oxlint-disable-next-line require-await -- readers of files wait
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < items.length; at += 3) yield items.slice(at, at + 3);
    },
  };
}

const exchangesAt = (times: readonly number[]): TrafficItem[] => times.map((atUs) => recorded({ request: get, atUs }));
const timesOf = async (reader: TrafficReader): Promise<number[]> => (await readAll(reader)).exchanges.map(({ request }) => request.startUs - 1_790_000_000_000_000);
const ascending = (a: number, b: number): number => a - b;

test('files that are in order merge into one that is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(1_000), { maxLength: 12 }), { maxLength: 5 }), async (lists) => {
      const merged = new Merged(lists.map((times) => readerOf(exchangesAt(times.toSorted(ascending)))));
      expect(await timesOf(merged)).toEqual(lists.flat().toSorted(ascending));
    }),
    { numRuns: 50 },
  );
});

test('what comes late within the bound is put in order; beyond it nothing is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), async (times, heldMax) => {
      const ordered = await timesOf(new TimeOrder(readerOf(exchangesAt(times)), { heldMax, heldBytesMax: 1_000_000 }));
      expect(ordered.toSorted(ascending)).toEqual(times.toSorted(ascending));
      // A plain model: whenever more are held than may be, the earliest goes.
      const held: number[] = [];
      const expected: number[] = [];
      for (const time of times) {
        held.push(time);
        held.sort(ascending);
        if (held.length > heldMax) expected.push(held.shift() ?? 0);
      }
      expect(ordered).toEqual([...expected, ...held]);
    }),
    { numRuns: 50 },
  );
});
