import { expect, test } from 'vitest';
import { NoiseSampling } from './noise-sampling.ts';

function taken(sampling: NoiseSampling, requests: number, path = (index: number) => `/users/${index}`): number {
  let count = 0;
  for (let index = 0; index < requests; index++) {
    const key = sampling.keyOf('GET', path(index));
    if (key !== null && sampling.takes(key)) count++;
  }
  return count;
}

test('the first of every endpoint go twice, then the share of them', () => {
  const sampling = new NoiseSampling(0.01);
  expect(taken(sampling, 8)).toBe(8);
  expect(taken(sampling, 10_000)).toBe(100);
  expect(taken(sampling, 5, (index) => `/orders/${index}?x=1`)).toBe(5);
});

test('what the analysis asks for gets half, until it no longer asks', () => {
  const sampling = new NoiseSampling(0.01);
  taken(sampling, 8);
  sampling.want(['GET', 'POST'].flatMap((method) => sampling.keyOf(method, '/users/7') ?? []));
  expect(taken(sampling, 1_000)).toBe(500);
  sampling.want([]);
  expect(taken(sampling, 1_000)).toBe(10);
});

test('a share of nothing sends nothing twice', () => {
  expect(taken(new NoiseSampling(0), 100)).toBe(0);
});

test('endpoints without end do not fill the memory, and go by the share', () => {
  const sampling = new NoiseSampling(1 / 4);
  taken(sampling, 10_000, (index) => `/page-${index}x`);
  expect(taken(sampling, 100, (index) => `/other-${index}x`)).toBe(0);
});
