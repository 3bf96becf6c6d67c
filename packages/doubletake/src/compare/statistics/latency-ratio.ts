/**
 * How much slower the candidate is at a quantile, under continuous looking. Each side's quantile has a confidence
 * sequence by its order statistics (Howard and Ramdas 2022, with the beta-binomial mixture of their theorem 1): how many
 * latencies lie below the true quantile is a count with a known share. The ratio's interval is made of the two, so
 * nothing is assumed of the distributions, their variances, or how the two latencies of a pair depend on each other.
 * Bounds of buckets are taken outwards.
 */
import type { Estimate } from '../report.ts';
import {
  bucketsOfRatio,
  bucketStartMs,
  firstAtLeast,
  latencyBucketCount,
  quantileMs,
} from './latency-distribution.ts';
import { logBeta, logBetaParts, timesLog, timesLogRest } from './special-functions.ts';

/** The mixture is as wide as what this many latencies say about the share: tightest near a thousand of them. */
const priorLatencies = 100;

/** Latencies of both sides as `LatencyDistribution.cumulated` gives them. */
export interface CumulatedLatencies {
  baseline: Float64Array;
  candidate: Float64Array;
}

/**
 * Candidate's quantile `q` through the baseline's, with the interval that holds it at all times together but for a
 * probability of `alpha`; null when there are too few latencies for a bound.
 */
export function latencyRatio({ baseline, candidate }: CumulatedLatencies, q: number, alpha: number): Estimate | null {
  const before = quantileBounds(baseline, q, alpha / 2);
  const after = quantileBounds(candidate, q, alpha / 2);
  if (before === null || after === null) return null;
  return { value: after.value / before.value, low: after.low / before.high, high: after.high / before.low };
}

/** Whether so many latencies of each side are enough for `latencyRatio`. */
export function areEnough(latencies: number, q: number, alpha: number): boolean {
  return isCountOut(0, latencies, q, alpha / 2) && isCountOut(latencies, latencies, q, alpha / 2);
}

/**
 * Logarithm of an e-value against 'the candidate's quantile `q` is at most `limit` times the baseline's'. Of any latency
 * it asks for evidence that the baseline's quantile is below it, or that the candidate's is above `limit` times it; the
 * least evidence of all latencies is what counts.
 */
export function latencyAboveLogE({ baseline, candidate }: CumulatedLatencies, q: number, limit: number): number {
  const shift = bucketsOfRatio(limit);
  const before = (bucket: number): number => logEOfCount(countUpTo(baseline, bucket - 1), totalOf(baseline), q, 'above');
  const after = (bucket: number): number => logEOfCount(countUpTo(candidate, bucket + shift), totalOf(candidate), q, 'below');
  // The first grows with the latency, the second falls: the least maximum is where they cross.
  const crossing = firstTrue(0, latencyBucketCount, (bucket) => before(bucket) >= after(bucket));
  return Math.min(before(crossing), after(crossing - 1)) - Math.LN2;
}

interface QuantileBounds {
  value: number;
  low: number;
  high: number;
}

function quantileBounds(cumulated: Float64Array, q: number, alpha: number): QuantileBounds | null {
  const total = totalOf(cumulated);
  const isOut = (count: number): boolean => isCountOut(count, total, q, alpha);
  // With none or all of them below it, the true quantile could be anything.
  if (!isOut(0) || !isOut(total)) return null;
  const fewest = firstTrue(0, Math.floor(q * total), (count) => !isOut(count));
  const most = firstTrue(Math.floor(q * total), total, isOut) - 1;
  return {
    value: quantileMs(cumulated, q * total),
    low: bucketStartMs(firstAtLeast(cumulated, fewest)),
    high: bucketStartMs(firstAtLeast(cumulated, most + 1) + 1),
  };
}

function isCountOut(count: number, total: number, q: number, alpha: number): boolean {
  return logEOfCount(count, total, q, 'both') >= -Math.log(alpha);
}

/** Logarithm of an e-value against 'a share of `q` lies below', from how many do; from counts on one side of it, or both. */
function logEOfCount(count: number, total: number, q: number, side: 'above' | 'below' | 'both'): number {
  const a = priorLatencies * q;
  const b = priorLatencies - a;
  let mixture = logBeta(a + count, b + total - count) - logBeta(a, b);
  if (side !== 'both') mixture += logBetaParts(q, a + count, b + total - count)[side] - logBetaParts(q, a, b)[side];
  return mixture - timesLog(count, q) - timesLogRest(total - count, q);
}

function totalOf(cumulated: Float64Array): number {
  return cumulated[latencyBucketCount - 1] ?? 0;
}

function countUpTo(cumulated: Float64Array, bucket: number): number {
  return bucket < 0 ? 0 : (cumulated[Math.min(bucket, latencyBucketCount - 1)] ?? 0);
}

/** First whole number from `low` to `high` of which something holds that holds of all behind it; `high` when none before. */
function firstTrue(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
