/**
 * Latencies counted in fixed buckets, so that rows of several workers can be added up and earlier readings subtracted.
 * Every power of two is divided into eight equal buckets: the middle of a bucket is within 6.25 % of all that it holds.
 * The first bucket is for all up to 0.25 ms, the last also for what took longer than its bound, two minutes.
 */
const bucketsPerDoubling = 8;
/** The first bound is `bucketsPerDoubling` of these units. */
const unitsPerMs = 32;
const doublings = 19;
const longestMs = (bucketsPerDoubling * 2 ** doublings) / unitsPerMs;
const latencyMsMax = 120_000;

/** Upper bounds of the buckets in milliseconds, each included in its bucket. */
export const latencyBuckets: readonly number[] = upperBounds();

function upperBounds(): number[] {
  const bounds = [bucketsPerDoubling / unitsPerMs];
  for (let doubling = 0; doubling < doublings; doubling++) {
    for (let step = 1; step <= bucketsPerDoubling; step++) {
      bounds.push(((bucketsPerDoubling + step) * 2 ** doubling) / unitsPerMs);
    }
  }
  return bounds.slice(0, bounds.findIndex((bound) => bound >= latencyMsMax) + 1);
}

/** Index of the bucket for a latency in milliseconds. */
export function bucketOf(ms: number): number {
  // Not NaN either.
  if (!(ms > 0)) return 0;
  // One less than the latency in whole units: bounds are included in their buckets.
  const units = Math.ceil(Math.min(ms, longestMs) * unitsPerMs) - 1;
  if (units < bucketsPerDoubling) return 0;
  const doubling = 28 - Math.clz32(units);
  const bucket = doubling * bucketsPerDoubling + (units >> doubling) - bucketsPerDoubling + 1;
  return Math.min(latencyBuckets.length - 1, bucket);
}

/**
 * The latency in milliseconds below which the share `q` (from 0 to 1) of what `counts` holds lies, one count for each
 * bucket: the middle of the bucket of the request of that rank. Null when nothing is counted.
 */
export function quantile(counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let bucket = 0; bucket < latencyBuckets.length; bucket++) total += counts[bucket] ?? 0;
  if (total <= 0) return null;
  const rank = Math.min(total, Math.max(1, Math.ceil(q * total)));
  let counted = 0;
  let bucket = 0;
  for (; bucket < latencyBuckets.length - 1; bucket++) {
    counted += counts[bucket] ?? 0;
    if (counted >= rank) break;
  }
  return ((latencyBuckets[bucket - 1] ?? 0) + (latencyBuckets[bucket] ?? 0)) / 2;
}
