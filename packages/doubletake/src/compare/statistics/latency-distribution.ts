/**
 * Latencies of one side, counted in buckets of equal width on a logarithmic scale: 64 to a doubling, so that a bucket is
 * 1.1 % wide and a ratio of two latencies is a number of buckets. From 10 microseconds to almost three minutes; what is
 * outside counts in the first or last bucket. Memory is taken by the doubling, where latencies are.
 */
const bucketsPerDoubling = 64;
const doublings = 24;
const shortestMs = 0.01;

export const latencyBucketCount = bucketsPerDoubling * doublings;

/** How many buckets lie between two latencies of a ratio, at most. */
export function bucketsOfRatio(ratio: number): number {
  // A ratio that is a whole number of buckets stays one.
  return Math.ceil(bucketsPerDoubling * Math.log2(ratio) - 1e-9);
}

/** Lower bound of a bucket in milliseconds, itself in the bucket. */
export function bucketStartMs(bucket: number): number {
  return shortestMs * 2 ** (bucket / bucketsPerDoubling);
}

export class LatencyDistribution {
  readonly #counts: (Uint32Array | undefined)[] = [];
  #total = 0;

  push(ms: number): void {
    const bucket = bucketOf(ms);
    const doubling = Math.trunc(bucket / bucketsPerDoubling);
    const counts = (this.#counts[doubling] ??= new Uint32Array(bucketsPerDoubling));
    const place = bucket % bucketsPerDoubling;
    counts[place] = (counts[place] ?? 0) + 1;
    this.#total++;
  }

  get total(): number {
    return this.#total;
  }

  /** How many lie in each bucket or below it; the last number is the total. */
  cumulated(): Float64Array {
    const sums = new Float64Array(latencyBucketCount);
    let sum = 0;
    for (let bucket = 0; bucket < latencyBucketCount; bucket++) {
      sum += this.#counts[Math.trunc(bucket / bucketsPerDoubling)]?.[bucket % bucketsPerDoubling] ?? 0;
      sums[bucket] = sum;
    }
    return sums;
  }

  /** The latency in milliseconds below which the share `q` lies, within a bucket; null when there is none. */
  quantile(q: number): number | null {
    return this.#total === 0 ? null : quantileMs(this.cumulated(), q * this.#total);
  }
}

/** The latency up to which `count` lie, above 0, if those of a bucket are spread evenly in it. */
export function quantileMs(cumulated: Float64Array, count: number): number {
  const bucket = firstAtLeast(cumulated, count);
  const below = cumulated[bucket - 1] ?? 0;
  const within = (cumulated[bucket] ?? 0) - below;
  return bucketStartMs(bucket + (count - below) / within);
}

/** First bucket of `cumulated` up to which at least `count` lie; `count` is not above the total. */
export function firstAtLeast(cumulated: Float64Array, count: number): number {
  let low = 0;
  let high = latencyBucketCount - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] ?? 0) >= count) high = middle;
    else low = middle + 1;
  }
  return low;
}

function bucketOf(ms: number): number {
  // Not NaN either.
  if (!(ms > shortestMs)) return 0;
  return Math.min(latencyBucketCount - 1, Math.floor(bucketsPerDoubling * Math.log2(ms / shortestMs)));
}
