/**
 * From the ledger's latency buckets, eight to a doubling, to those of a metric, two to a doubling: a quarter of the series,
 * at bounds that are bounds of the ledger, so that no answer is counted in a wrong bucket.
 */
import { latencyBuckets } from '../../ledger/histogram.ts';
import type { HistogramSample, Labels } from './family.ts';

/** Of the ledger's bounds every fourth from the first on: a power of two, or half as much again. */
const every = 4;

/** Upper bounds in seconds, 0.00025 to 98.304. */
export const metricBounds: readonly number[] = latencyBuckets.filter((_, bucket) => isBound(bucket)).map((ms) => ms / 1_000);

/**
 * `counts` by the ledger's buckets as a histogram in seconds. The sum is that of the middles of the ledger's buckets, within
 * 6.25 % of the true one (histogram.ts).
 */
export function latencySample(labels: Labels, counts: readonly number[]): HistogramSample {
  const coarse: number[] = [];
  let pending = 0;
  let sumMs = 0;
  for (const [bucket, bound] of latencyBuckets.entries()) {
    const count = counts[bucket] ?? 0;
    pending += count;
    sumMs += (count * ((latencyBuckets[bucket - 1] ?? 0) + bound)) / 2;
    if (!isBound(bucket)) continue;
    coarse.push(pending);
    pending = 0;
  }
  return { labels, bounds: metricBounds, counts: [...coarse, pending], sum: sumMs / 1_000 };
}

/** The ledger's last bucket also holds what took longer than its bound. */
function isBound(bucket: number): boolean {
  return bucket % every === 0 && bucket < latencyBuckets.length - 1;
}
