import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { difference, judgedPair } from '../../test/support/judged-pairs.ts';
import type { RunQueries } from '../store/run-queries.ts';
import { RunStore } from '../store/run-store.ts';
import { RecentPairs } from './recent-pairs.ts';
import { RunAnswers } from './run-answers.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-answers-'));
const stored = Array.from({ length: 10 }, (_, number) => judgedPair(number, number % 2 === 0 ? 'c1' : null));
const fresh = Array.from({ length: 10 }, (_, number) => judgedPair(number + 5, (number + 5) % 2 === 0 ? 'c1' : null));
const recent = new RecentPairs();
let store: RunStore;
let queries: RunQueries;

beforeAll(async () => {
  store = await RunStore.create(join(folder, 'run'), { version: '1', startedUs: 0, sanitized: true });
  queries = store.queries();
  await store.append(stored);
  for (const judged of fresh) recent.push(judged);
});

afterAll(async () => {
  await queries.close();
  await store.close(0);
  rmSync(folder, { recursive: true, force: true });
});

describe('answers about a run', () => {
  test('are of what is stored and of what was just compared, each once', async () => {
    const answers = new RunAnswers(queries, recent, null);
    const all = await answers.requests({ limit: 100 });
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 15 }, (_, number) => `dt-${14 - number}`));
    expect(await new RunAnswers(queries, null, null).requests({ limit: 3, before: all[10] })).toEqual(all.slice(11, 14));
    expect((await answers.requests({ limit: 4, before: all[2] })).map(({ id }) => id)).toEqual(['dt-11', 'dt-10', 'dt-9', 'dt-8']);
    expect((await answers.requests({ limit: 100, outcome: 'differs' })).map(({ id }) => id)).toEqual([14, 12, 10, 8, 6, 4, 2, 0].map((number) => `dt-${number}`));
    expect(await answers.requests({ limit: 100, text: '12.6', method: 'POST' })).toEqual([]);
  });

  test('an equal pair is whole as long as it is fresh, and has its figures afterwards', async () => {
    const answers = new RunAnswers(queries, recent, null);
    expect(await answers.request('dt-13')).toMatchObject({ messages: 'whole', entry: { compared: 'equal' }, pair: { baseline: { body: { text: '{\n  "id": 1\n}' } } } });
    expect(await answers.request('dt-3')).toMatchObject({ messages: 'none', pair: { timing: { baseline: { totalMs: 5.5 } }, curl: '' } });
    expect(await answers.request('dt-99')).toBeNull();
  });

  test('without a store, what was just compared has examples', async () => {
    const { examples, timeline } = await new RunAnswers(null, recent, null).cluster('c1', 'dt-6');
    expect(examples.map(({ id }) => id)).toEqual(['dt-6', 'dt-8', 'dt-10']);
    expect(timeline).toEqual([]);
  });

  test('where contents are hidden, they are neither shown nor found', async () => {
    const secret = judgedPair(50, 'c9', { differences: [difference('c9', { baseline: 'canary-1', candidate: 'canary-2' })] });
    const own = new RecentPairs();
    own.push({ ...secret, pair: { ...secret.pair, target: '/users/50?mail=canary-3', session: 'canary-4', request: Buffer.from('GET /users/50?mail=canary-3 HTTP/1.1\r\nCookie: canary-5\r\n\r\n') } });
    const answers = new RunAnswers(null, own, 'Contents are hidden.');
    for (const wanted of ['canary-1', 'canary-3', 'canary-4', 'mail']) {
      expect(await answers.requests({ limit: 9, text: wanted })).toEqual([]);
      expect(await answers.requests({ limit: 9, path: wanted })).toEqual([]);
    }
    const found = JSON.stringify([await answers.requests({ limit: 9 }), await answers.request('dt-50'), await answers.cluster('c9', 'dt-50')]);
    expect(found).toContain('/users/50');
    expect(found).not.toContain('canary');
    const open = new RunAnswers(null, own, null);
    expect(await open.requests({ limit: 9, text: 'CANARY-2' })).toHaveLength(1);
  });
});
