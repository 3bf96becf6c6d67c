import { expect, test } from 'vitest';
import type { RequestEntry } from '../store/request-filter.ts';
import { RecentRequests } from './recent-requests.ts';

function entry(number: number, outcome: string): RequestEntry {
  return {
    id: `r${number}`, timeUs: number, method: 'GET', target: `/x/${number}`, endpoint: 'GET /x/{id}', outcome, production: 200, candidate: null,
    compared: null, client: '10.0.0.1:1>10.0.0.2:80', productionMs: 1, candidateMs: null, labels: [],
  };
}

const everything = { limit: 1_000, contents: true };

test('the frequent outcome gives way to the rare one', () => {
  const recent = new RecentRequests(100);
  recent.push(entry(0, 'blocked.loop'));
  for (let number = 1; number <= 500; number++) recent.push(entry(number, number % 50 === 0 ? 'failed.timeout' : 'replayed'));
  const found = recent.find(everything);
  expect(found).toHaveLength(100);
  expect(found.filter(({ outcome }) => outcome === 'failed.timeout')).toHaveLength(10);
  expect(recent.get('r0', true)?.outcome).toBe('blocked.loop');
  expect(recent.get('r500', true)).not.toBeNull();
  expect(recent.get('r1', true)).toBeNull();
  expect(recent.find({ ...everything, outcome: 'failed' })).toHaveLength(10);
  expect(recent.find({ ...everything, path: '/x/499' }).map(({ id }) => id)).toEqual(['r499']);
});

test('a request that is told twice is there once', () => {
  const recent = new RecentRequests();
  recent.push(entry(1, 'replayed'));
  recent.push({ ...entry(1, 'replayed'), candidate: 200 });
  expect(recent.find(everything)).toMatchObject([{ candidate: 200 }]);
});

test('where contents are hidden, queries and clients are neither shown nor found', () => {
  const recent = new RecentRequests();
  recent.push({ ...entry(1, 'replayed'), target: '/x?mail=anna' });
  expect(recent.get('r1', false)).toMatchObject({ target: '/x', client: '' });
  expect(recent.find({ ...everything, contents: false })).toMatchObject([{ target: '/x', client: '' }]);
  for (const text of ['anna', '10.0.0.1']) expect(recent.find({ ...everything, contents: false, text })).toEqual([]);
  expect(recent.find({ ...everything, text: 'anna' })).toHaveLength(1);
});
