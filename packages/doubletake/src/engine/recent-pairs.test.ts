import { expect, test } from 'vitest';
import { answer, judgedPair } from '../../test/support/judged-pairs.ts';
import type { JudgedPair } from '../store/rows.ts';
import { RecentPairs } from './recent-pairs.ts';

function pairOf(number: number, bytes: number, cluster: string | null = null): JudgedPair {
  const { pair, ...rest } = judgedPair(number, cluster);
  return { ...rest, pair: { ...pair, candidate: answer({ body: Buffer.alloc(bytes), bodyBytes: bytes }) } };
}

const idsOf = (recent: RecentPairs): string[] => Array.from(recent, ({ pair }) => pair.id);

test('the oldest go when there are too many bytes, and equal ones never drive out those that differ', () => {
  const recent = new RecentPairs(100_000);
  recent.push(pairOf(1, 40_000, 'c1'));
  for (let number = 2; number <= 9; number++) recent.push(pairOf(number, 40_000));
  expect(idsOf(recent)).toEqual(['dt-1', 'dt-8', 'dt-9']);
  recent.push(pairOf(10, 200_000, 'c1'));
  expect(idsOf(recent)).toEqual(['dt-8', 'dt-9']);
  expect(recent.get('dt-1')).toBeNull();
});

test('a pair says whether its messages are whole; noise is not kept', () => {
  const recent = new RecentPairs();
  recent.push(judgedPair(1));
  const cut = judgedPair(2, 'c1');
  recent.push({ ...cut, pair: { ...cut.pair, baseline: answer({ body: null, bodyBytes: 9e6 }) } });
  recent.push({ ...cut, pair: { ...cut.pair, id: 'dt-2.again', kind: 'noise' } });
  expect(recent.get('dt-1')).toMatchObject({ messages: 'whole', endpoint: 'GET /users/{id}' });
  expect(recent.get('dt-2')).toMatchObject({ messages: 'cut', mismatch: true });
  expect(idsOf(recent)).toEqual(['dt-2', 'dt-1']);
});

test('a pair that is kept holds on to no batch', () => {
  const recent = new RecentPairs();
  const batch = Buffer.alloc(1_000_000, 'x');
  const judged = judgedPair(1, 'c1');
  const body = batch.subarray(500, 510);
  recent.push({ ...judged, pair: { ...judged.pair, request: batch.subarray(0, 100), baseline: answer({ body, bodyBytes: 10 }), candidate: answer({ body: null, bodyBytes: 0 }) } });
  const kept = recent.get('dt-1')?.pair;
  expect(kept).toMatchObject({ request: batch.subarray(0, 100), baseline: { body }, candidate: { body: null } });
  expect([kept?.request.buffer.byteLength, kept?.baseline.body?.buffer.byteLength]).toEqual([110, 110]);
});
