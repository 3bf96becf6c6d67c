import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, difference, judgedPair } from '../../test/support/judged-pairs.ts';
import { compareEntries, isWanted, type RequestEntry, type RequestFilter } from './request-filter.ts';
import type { JudgedPair } from './rows.ts';
import type { RunQueries } from './run-queries.ts';
import { RunStore } from './run-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-queries-'));
const startedUs = 1_795_000_000_000_000;
const everything: RequestFilter = { limit: 1_000, contents: true };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paths = ['/users/1', '/users/2?mail=Anna%40x', '/Users/3', '/50%_off/\\x?a=b', '/ünï'];

/** Thirty pairs of all sorts, some at the same time, and one of noise. */
const judged = Array.from({ length: 30 }, (_, index): JudgedPair => {
  const base = judgedPair(index, index % 3 === 0 ? 'c1' : null);
  const failed = index % 7 === 0;
  return {
    ...base,
    limited: index === 5 ? 'too_large' : null,
    differences: base.differences.map((each) => ({ ...each, baseline: `Value ${index}`, candidate: null })),
    pair: {
      ...base.pair,
      timeUs: startedUs + Math.floor(index / 3) * 1_000,
      method: index % 5 === 0 ? 'POST' : 'GET',
      target: paths[index % paths.length],
      session: `10.0.0.${index}:4000>10.0.1.2:80`,
      baseline: answer({ status: index % 4 === 0 ? 404 : 200 }),
      candidate: failed ? answer({ status: 0, failure: 'timeout' }) : answer({ status: index % 6 === 0 ? 503 : 200 }),
    },
  };
});

describe('questions to a run', () => {
  let store: RunStore;
  let queries: RunQueries;

  beforeAll(async () => {
    store = await RunStore.create(join(folder, 'run'), { version: '1', startedUs, sanitized: true });
    queries = store.queries();
    const noise = judgedPair(99, 'c1');
    await store.append([...judged, { ...noise, pair: { ...noise.pair, kind: 'noise' } }]);
  });

  afterAll(async () => {
    await queries.close();
    await store.close(startedUs);
  });

  test('find the same requests as a test of each does', async () => {
    const all = await queries.requests(everything);
    expect(all.map(({ id }) => id)).toEqual(judged.map(({ pair }) => pair).toSorted(compareEntries).map(({ id }) => id));
    const text = fc.constantFrom('users', 'USERS', 'anna', 'Value 1', '10.0.0.7', '%', '_', '\\', "'", 'ü', 'nowhere', 'a\0b', '\ud800');
    const filters = fc.record(
      {
        method: fc.constantFrom('GET', 'post', 'PUT'),
        path: fc.oneof(text, fc.constantFrom('/users/*', '*', '*mail=*', '/50%_*', '*\\*', '/users/1*1', '/u*s/*2*x', '**')),
        status: fc.constantFrom('404', '5xx', '2', '50', 'abc', '200', '5 OR true'),
        outcome: fc.constantFrom('replayed', 'failed', 'failed.timeout', 'failed.reset', 'differs', 'equal', 'blocked', 'blocked.method', "'"),
        text,
        fromUs: fc.integer({ min: 0, max: 12 }).map((steps) => startedUs + steps * 1_000),
        toUs: fc.integer({ min: 0, max: 12 }).map((steps) => startedUs + steps * 1_000),
        before: fc.constantFrom(...all),
        contents: fc.boolean(),
      },
      { requiredKeys: ['contents'] },
    );
    const values = new Map(judged.map(({ pair, differences }) => [pair.id, differences.flatMap(({ baseline }) => baseline ?? [])]));
    await fc.assert(
      fc.asyncProperty(filters, async (some) => {
        const filter = { ...some, limit: 1_000 };
        const found = await queries.requests(filter);
        const shown = await queries.requests({ ...everything, contents: some.contents });
        expect(found).toEqual(shown.filter((entry) => isWanted(filter, entry, values.get(entry.id) ?? [])));
      }),
      { numRuns: 150 },
    );
  });

  test('page by page give what they give at once', async () => {
    const pages: RequestEntry[] = [];
    for (let before: RequestEntry | undefined; ; before = pages.at(-1)) {
      const page = await queries.requests({ ...everything, limit: 7, before });
      pages.push(...page);
      if (page.length < 7) break;
    }
    expect(pages).toEqual(await queries.requests(everything));
  });

  test('say of a request what is known of it', async () => {
    const [entry] = await queries.requests({ ...everything, text: 'Value 21', limit: 1 });
    expect(entry).toEqual({
      id: 'dt-21', timeUs: startedUs + 7_000, method: 'GET', target: '/users/2?mail=Anna%40x', endpoint: 'GET /users/{id}', outcome: 'failed.timeout',
      production: 200, candidate: null, compared: 'differs', client: '10.0.0.21:4000>10.0.1.2:80', productionMs: 5.5, candidateMs: null, labels: [],
    });
    expect(await queries.pair('dt-0')).toMatchObject({
      messages: 'whole', endpoint: 'GET /users/{id}', mismatch: true, differences: [difference('c1', { baseline: 'Value 0', candidate: null })],
      pair: { id: 'dt-0', timeUs: startedUs, host: 'shop.test', baseline: { status: 404, headers: [['Content-Type', 'application/json']], bodyBytes: 8 }, candidate: { status: 0, failure: 'timeout' } },
    });
    expect((await queries.pair('dt-0'))?.pair.request.toString()).toContain('GET /users/0 HTTP/1.1');
    expect(await queries.pair('dt-5')).toMatchObject({ messages: 'none', limited: 'too_large', differences: [], pair: { request: Buffer.alloc(0), baseline: { headers: [], body: null } } });
    expect(await queries.pair('dt-99')).toBeNull();
    expect(await queries.pair("'; DROP TABLE pairs; --")).toBeNull();
  });

  test('say of a cluster where and when it was seen', async () => {
    const { examples, timeline, latencyMs } = await queries.cluster('c1', 'dt-1');
    expect(examples.map(({ pair, differences }) => [pair.id, differences.length])).toEqual([['dt-0', 1], ['dt-3', 1], ['dt-6', 1]]);
    expect(timeline).toEqual([{ t: Math.floor(startedUs / 60e6) * 60, count: 10 }]);
    expect(latencyMs).toEqual({ baseline: { p50: 5.5, p90: 5.5, p99: 5.5 }, candidate: { p50: 5.5, p90: 5.5, p99: 5.5 } });
    // Its endpoint had another name when its pairs were stored.
    expect((await queries.cluster('renamed', 'dt-3')).examples.map(({ pair }) => pair.id)).toEqual(['dt-3']);
    expect(await queries.cluster('unknown', 'nothing')).toEqual({ examples: [], timeline: [], latencyMs: null });
  });

  test('go on while batches are appended', async () => {
    const appended = Array.from({ length: 5 }, (_, batch) => store.append([{ ...judgedPair(1_000 + batch), endpoint: 'GET /later' }]));
    const counts = await Promise.all(Array.from({ length: 20 }, () => queries.requests({ ...everything, text: 'GET /later' })));
    await Promise.all(appended);
    expect(counts.every(({ length }) => length <= 5)).toBe(true);
    expect(await queries.requests({ ...everything, text: 'GET /later' })).toHaveLength(5);
  });
});
