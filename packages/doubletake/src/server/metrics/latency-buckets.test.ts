import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, latencyBuckets } from '../../ledger/histogram.ts';
import { latencySample, metricBounds } from './latency-buckets.ts';

test('bounds are two to a doubling, written without a trace of the division', () => {
  expect(metricBounds.slice(0, 6).map(String)).toEqual(['0.00025', '0.000375', '0.0005', '0.00075', '0.001', '0.0015']);
  expect(metricBounds.every((bound) => String(bound).length <= 8)).toBe(true);
  expect(metricBounds.at(-1)).toBeGreaterThan(90);
});

test('every latency is counted in the first bucket whose bound it does not pass', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.001, max: 119_000, noNaN: true }), { maxLength: 50 }), (latenciesMs) => {
      const counts = latencyBuckets.map(() => 0);
      for (const ms of latenciesMs) counts[bucketOf(ms)]++;
      const sample = latencySample({}, counts);
      const expected = [...metricBounds, Infinity].map(
        (bound, index, bounds) => latenciesMs.filter((ms) => ms / 1_000 <= bound && ms / 1_000 > (bounds[index - 1] ?? 0)).length,
      );
      expect(sample.counts).toEqual(expected);
      // The ledger's first bucket, up to a quarter of a millisecond, is told by its middle, too.
      const sum = latenciesMs.reduce((before, ms) => before + ms, 0) / 1_000;
      expect(Math.abs(sample.sum - sum)).toBeLessThanOrEqual(0.000125 * latenciesMs.length + sum * 0.0626);
    }),
  );
});
