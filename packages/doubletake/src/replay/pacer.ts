/**
 * Holds requests back so that they go out at the pace at which production got them, times a speed, or evenly at a rate.
 * The first request fixes where the capture's time stands on our clock; each later one is due as long behind it as it was
 * captured behind it, divided by the speed.
 *
 * Requests leave in the order in which they came: one whose time has passed goes at once, but never before one that
 * came earlier. A jump of the capture's time by more than an hour, in either direction, is no pause of production's: it
 * is another capture, or a clock that was set. The request behind it is due with the one before it, and fixes the time
 * anew.
 *
 * What is held counts in the target's queue, whose bounds are kept by the target.
 */
import { Fifo } from './fifo.ts';
import type { Pending } from './pending.ts';
import type { Pace } from './target.ts';

const jumpUsMax = 3_600_000_000;
/** Timers take no longer times than some weeks: a far due time is reached in stages. */
const timerMsMax = 3_600_000;

export class Pacer {
  /** Bytes of the requests that are held. */
  bytes = 0;
  /**
   * When the request that `dueMs` was last asked for should have gone out, however late it came: what is sent behind that
   * is late.
   */
  scheduledMs = 0;
  readonly #pace: Pace;
  readonly #release: (pending: Pending, nowMs: number) => void;
  /** In the order in which they are due, which `queuedAtMs` says. */
  readonly #held = new Fifo<Pending>();
  #timer: NodeJS.Timeout | null = null;
  /** This capture time stands at this time on our clock; NaN: not fixed. */
  #fixedUs = Number.NaN;
  #fixedMs = 0;
  #latestUs = Number.NaN;
  #lastDueMs = -Infinity;
  /** With a rate: requests since the time was fixed. */
  #behindFixed = 0;

  /** A speed of 2 sends twice as fast as production got it. `release` gets each request that was held once it is due. */
  constructor(pace: Pace, release: (pending: Pending, nowMs: number) => void) {
    this.#pace = pace;
    this.#release = release;
  }

  /** Requests that are held. */
  get count(): number {
    return this.#held.length;
  }

  /** When the next request, captured at `timeUs`, is due on the monotonic clock; never before those before it. */
  dueMs(timeUs: number, nowMs: number): number {
    const earliestMs = Math.max(nowMs, this.#lastDueMs);
    this.scheduledMs = 'perSecond' in this.#pace ? this.#nextEvenly(this.#pace.perSecond, earliestMs) : this.#asCaptured(timeUs, this.#pace.speed, earliestMs);
    this.#lastDueMs = Math.max(earliestMs, this.scheduledMs);
    return this.#lastDueMs;
  }

  #nextEvenly(perSecond: number, earliestMs: number): number {
    if (this.#behindFixed === 0) this.#fixedMs = earliestMs;
    return this.#fixedMs + (this.#behindFixed++ * 1_000) / perSecond;
  }

  #asCaptured(timeUs: number, speed: number, earliestMs: number): number {
    // The first is neither within a jump of the latest nor beyond it: that is NaN.
    if (Math.abs(timeUs - this.#latestUs) <= jumpUsMax) this.#latestUs = Math.max(this.#latestUs, timeUs);
    else {
      this.#latestUs = this.#fixedUs = timeUs;
      this.#fixedMs = earliestMs;
    }
    return this.#fixedMs + (timeUs - this.#fixedUs) / 1000 / speed;
  }

  /** Holds a request until it is due: its `queuedAtMs`, which is what `dueMs` last returned. */
  hold(pending: Pending, nowMs: number): void {
    this.bytes += pending.request.length;
    this.#held.push(pending);
    this.#timer ??= this.#wakeAt(pending.queuedAtMs, nowMs);
  }

  /** Hands out all that is held, and forgets the time: the next request is due at once. */
  takeAll(): Pending[] {
    const all: Pending[] = [];
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) all.push(next);
    this.bytes = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#latestUs = Number.NaN;
    this.#lastDueMs = -Infinity;
    this.#behindFixed = 0;
    return all;
  }

  #wakeAt(dueMs: number, nowMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#wake(), Math.min(timerMsMax, Math.ceil(dueMs - nowMs)));
  }

  #wake(): void {
    const nowMs = performance.now();
    let next = this.#held.first;
    for (; next !== undefined && next.queuedAtMs <= nowMs; next = this.#held.first) {
      this.#held.shift();
      this.bytes -= next.request.length;
      this.#release(next, nowMs);
    }
    this.#timer = next === undefined ? null : this.#wakeAt(next.queuedAtMs, nowMs);
  }
}
