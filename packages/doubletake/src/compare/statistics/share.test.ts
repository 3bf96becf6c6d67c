import { describe, expect, test } from 'vitest';
import { shareAboveLogE, shareEstimate } from './share.ts';

/**
 * The probability that, of so many pairs with a true share, some count on the way is `out`: exactly, by following how
 * likely every count is.
 */
function probabilityEver(share: number, pairs: number, out: (count: number, total: number) => boolean): number {
  let likely = new Float64Array(pairs + 2);
  likely[0] = 1;
  let ever = 0;
  for (let total = 1; total <= pairs; total++) {
    const next = new Float64Array(pairs + 2);
    for (let count = 0; count <= total; count++) {
      const probability = (likely[count] ?? 0) * (1 - share) + (likely[count - 1] ?? 0) * share;
      if (probability === 0) continue;
      if (out(count, total)) ever += probability;
      else next[count] = probability;
    }
    likely = next;
  }
  return ever;
}

describe('the interval of a share', () => {
  test.each([0.001, 0.01, 0.1, 0.5, 0.97])('looked at after each of 600 pairs, a share of %d is hardly ever missed', (share) => {
    const misses = probabilityEver(share, 600, (count, total) => {
      const { low, high } = shareEstimate(count, total, 0.05);
      return share < low || share > high;
    });
    expect(misses).toBeLessThanOrEqual(0.05);
    expect(misses).toBeGreaterThan(0);
  });

  test.each([
    [0, 5000, 0, 0.001],
    [50, 5000, 0.005, 0.018],
    [5e8, 1e9, 0.4999, 0.5001],
    [1e6, 1e9, 0.00099, 0.00101],
    [20, 20, 0.6, 1],
  ])('%d of %d lies between %d and %d', (count, total, low, high) => {
    const estimate = shareEstimate(count, total, 0.05);
    expect(estimate.value).toBe(count / total);
    expect(estimate.low).toBeGreaterThanOrEqual(low);
    expect(estimate.low).toBeLessThanOrEqual(estimate.value);
    expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
    expect(estimate.high).toBeLessThanOrEqual(high);
  });

  test('of nothing is everything', () => {
    expect(shareEstimate(0, 0, 0.05)).toEqual({ value: 0, low: 0, high: 1 });
  });
});

describe('the evidence that a share is above a limit', () => {
  test.each([
    [0.001, 0.001],
    [0.001, 0.0002],
    [0.05, 0.05],
    [0.3, 0.3],
    [0.3, 0.1],
  ])('above %d, looked at after each of 600 pairs with a share of %d: e is seldom 20', (limit, share) => {
    expect(probabilityEver(share, 600, (count, total) => shareAboveLogE(count, total, limit) >= Math.log(20))).toBeLessThanOrEqual(0.05);
  });

  test.each([0.001, 0.05, 0.5])('is expected to be 1 where the share is the limit, %d', (share) => {
    const pairs = 60;
    let ways = 1;
    let expected = 0;
    for (let count = 0; count <= pairs; count++) {
      const probability = ways * share ** count * (1 - share) ** (pairs - count);
      expected += probability * Math.exp(shareAboveLogE(count, pairs, share));
      ways *= (pairs - count) / (count + 1);
    }
    expect(expected).toBeCloseTo(1, 9);
  });

  test('grows with the count, and soon says so', () => {
    expect(shareAboveLogE(0, 1000, 0.001)).toBeLessThan(0);
    expect(shareAboveLogE(10, 1000, 0.001)).toBeGreaterThan(Math.log(1000));
    expect(shareAboveLogE(20, 1000, 0.001)).toBeGreaterThan(shareAboveLogE(10, 1000, 0.001));
    expect(shareAboveLogE(5e8, 1e9, 0.001)).toBeGreaterThan(1e6);
  });

  test.each([
    [0, 0, 0.1, 0],
    [5, 5, 1, 0],
    [0, 100, 0, 0],
    [1, 100, 0, Infinity],
  ])('%d of %d against at most %d: %d', (count, total, limit, logE) => {
    expect(shareAboveLogE(count, total, limit)).toBe(logE);
  });
});
