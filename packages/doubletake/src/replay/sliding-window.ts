/**
 * Sums over the last `windowMs`, in memory that does not grow: the window is a ring of sub-buckets of which the oldest
 * is forgotten as a whole, so that the sums reach back between nine tenths of the window and all of it.
 */
const bucketCount = 10;

export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #columns: number;
  /** One row of sums for each bucket. */
  readonly #sums: Float64Array;
  readonly #totals: Float64Array;
  /** Number of the current bucket since time 0; its row is the remainder. */
  #bucket = 0;

  /** `columns` different things are summed. */
  constructor(windowMs: number, columns: number) {
    this.#bucketMs = windowMs / bucketCount;
    this.#columns = columns;
    this.#sums = new Float64Array(bucketCount * columns);
    this.#totals = new Float64Array(columns);
  }

  /** Forgets what is too old at `nowMs`; time never goes back. */
  advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket === this.#bucket) return;
    for (let old = Math.max(this.#bucket + 1, bucket - bucketCount + 1); old <= bucket; old++) {
      const row = this.#row(old);
      this.#sums.fill(0, row, row + this.#columns);
    }
    this.#bucket = bucket;
    // Added up anew: what is subtracted from sums of fractions leaves traces.
    this.#totals.fill(0);
    for (let at = 0; at < this.#sums.length; at++) this.#totals[at % this.#columns] += this.#sums[at];
  }

  /** Adds to a column at the time of the last `advance`. */
  add(column: number, amount: number): void {
    this.#sums[this.#row(this.#bucket) + column] += amount;
    this.#totals[column] += amount;
  }

  total(column: number): number {
    return this.#totals[column];
  }

  clear(): void {
    this.#sums.fill(0);
    this.#totals.fill(0);
  }

  #row(bucket: number): number {
    return (((bucket % bucketCount) + bucketCount) % bucketCount) * this.#columns;
  }
}
