/**
 * A bound on requests per second that all worker threads share: in no interval of t seconds do more than
 * `perSecond * t + burst` requests go out, whichever thread sends them.
 *
 * GCRA, the leaky bucket as a meter (ITU-T I.371 annex A): the one word of shared state is the time at which the bucket
 * will be empty, in nanoseconds. A request may go when that time is not too far ahead, and moves it on by the interval
 * between two requests. It is moved by compare-and-exchange: a thread that loses the race reads again, none ever waits
 * for another. The few short-lived BigInts per request are the price of a word that neither wraps nor loses precision.
 */
import { sharedNowUs } from './shared-clock.ts';

export interface RateLimitOptions {
  /** Requests per second. */
  perSecond: number;
  /** Requests that may go at once after a pause; at least 1. By default what comes in a tenth of a second. */
  burst?: number | undefined;
}

/** Times are microseconds of `sharedNowUs`, in every thread. */
export class RateLimit {
  readonly #emptyAtNs: BigInt64Array;
  /** Between two requests, rounded up to whole nanoseconds: the limit is never exceeded. */
  readonly #intervalNs: bigint;
  /** How far ahead the bucket's time may be when a request goes. */
  readonly #toleranceNs: bigint;

  /** The state that the instances of all threads are given. */
  static createShared(): SharedArrayBuffer {
    return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** Every thread gives the same options. */
  constructor(shared: SharedArrayBuffer, { perSecond, burst = perSecond / 10 }: RateLimitOptions) {
    this.#emptyAtNs = new BigInt64Array(shared);
    const intervalNs = Math.ceil(1e9 / perSecond);
    this.#intervalNs = BigInt(intervalNs);
    this.#toleranceNs = BigInt(Math.floor(intervalNs * (Math.max(1, burst) - 1)));
  }

  /** Whether a request may go now, which counts it. */
  take(nowUs = sharedNowUs()): boolean {
    const nowNs = nanoseconds(nowUs);
    let seenNs = Atomics.load(this.#emptyAtNs, 0);
    while (seenNs - nowNs <= this.#toleranceNs) {
      const foundNs = this.#moveOn(seenNs, nowNs);
      if (foundNs === seenNs) return true;
      seenNs = foundNs;
    }
    return false;
  }

  /** Counts a request that goes whatever the limit says: its source has waited, see `waitMs`. */
  charge(nowUs = sharedNowUs()): void {
    const nowNs = nanoseconds(nowUs);
    let seenNs = Atomics.load(this.#emptyAtNs, 0);
    for (;;) {
      const foundNs = this.#moveOn(seenNs, nowNs);
      if (foundNs === seenNs) return;
      seenNs = foundNs;
    }
  }

  /** Milliseconds until a request may go, for a source that can wait; 0: now. */
  waitMs(nowUs = sharedNowUs()): number {
    const aheadNs = Atomics.load(this.#emptyAtNs, 0) - this.#toleranceNs - nanoseconds(nowUs);
    return aheadNs > 0n ? Number(aheadNs) / 1e6 : 0;
  }

  /** Pours a request into the bucket that was seen; returns what was found in its place, which is that if it worked. */
  #moveOn(seenNs: bigint, nowNs: bigint): bigint {
    const nextNs = (seenNs > nowNs ? seenNs : nowNs) + this.#intervalNs;
    return Atomics.compareExchange(this.#emptyAtNs, 0, seenNs, nextNs);
  }
}

function nanoseconds(us: number): bigint {
  return BigInt(Math.floor(us * 1000));
}
