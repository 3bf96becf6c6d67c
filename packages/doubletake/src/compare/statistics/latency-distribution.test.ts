import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyDistribution } from './latency-distribution.ts';

function distributionOf(latencies: readonly number[]): LatencyDistribution {
  const distribution = new LatencyDistribution();
  for (const ms of latencies) distribution.push(ms);
  return distribution;
}

describe('latencies', () => {
  test('have the quantiles of the sorted ones, within a bucket', () => {
    const latency = fc.double({ min: 0.02, max: 160_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (all, q) => {
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(q * all.length) - 1] ?? 0;
        const quantile = distributionOf(all).quantile(q) ?? 0;
        expect(Math.abs(Math.log(quantile / exact))).toBeLessThanOrEqual(Math.LN2 / 64 + 1e-9);
      }),
    );
  });

  test.each([[0], [-1], [Number.NaN], [Infinity], [1e300], [Number.MIN_VALUE]])('%d counts too', (ms) => {
    const distribution = distributionOf([ms, ms]);
    expect(distribution.total).toBe(2);
    expect(distribution.cumulated().at(-1)).toBe(2);
    expect(distribution.quantile(0.5)).toBeGreaterThan(0);
  });

  test('of none there is no quantile', () => {
    expect(new LatencyDistribution().quantile(0.5)).toBeNull();
  });
});
