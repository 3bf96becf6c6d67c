import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, latencyBuckets, quantile } from './histogram.ts';

describe('buckets', () => {
  test('rise from a quarter of a millisecond to two minutes, in steps of an eighth at most', () => {
    expect(latencyBuckets[0]).toBe(0.25);
    expect(latencyBuckets.at(-2)).toBeLessThan(120_000);
    expect(latencyBuckets.at(-1)).toBeGreaterThanOrEqual(120_000);
    for (const [index, bound] of latencyBuckets.slice(1).entries()) {
      expect(bound / (latencyBuckets[index] ?? 0)).toBeGreaterThan(1);
      expect(bound / (latencyBuckets[index] ?? 0)).toBeLessThanOrEqual(1.125);
    }
  });

  test('each holds what is above the bound before it, up to its own', () => {
    const latency = fc.oneof(fc.double({ min: 0, max: 130_000, noNaN: true }), fc.double({ min: 0, max: 5, noNaN: true }));
    fc.assert(
      fc.property(fc.oneof(latency, fc.constantFrom(...latencyBuckets)), (ms) => {
        const found = latencyBuckets.findIndex((bound) => ms <= bound);
        expect(bucketOf(ms)).toBe(found < 0 ? latencyBuckets.length - 1 : found);
      }),
    );
  });

  test.each([
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [Number.MIN_VALUE, 0],
    [Infinity, latencyBuckets.length - 1],
    [1e300, latencyBuckets.length - 1],
  ])('%d has one too', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });
});

describe('quantiles', () => {
  test('are within a tenth of those of the sorted latencies, also over several rows', () => {
    const latencies = fc.array(fc.double({ min: 0.25, max: 120_000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
        const rows = [0, 1].map(() => new Float64Array(latencyBuckets.length));
        for (const [index, ms] of all.entries()) {
          const row = rows[index % 2];
          if (row !== undefined) row[bucketOf(ms)]++;
        }
        const sums = latencyBuckets.map((_, bucket) => rows.reduce((sum, row) => sum + (row[bucket] ?? 0), 0));
        const exact = all.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * all.length)) - 1] ?? 0;
        const estimate = quantile(sums, q) ?? 0;
        expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(Math.max(0.125, exact * 0.0626));
      }),
    );
  });

  test('of nothing there are none', () => {
    expect(quantile([], 0.5)).toBeNull();
    expect(quantile(new Float64Array(latencyBuckets.length), 0.5)).toBeNull();
  });
});
