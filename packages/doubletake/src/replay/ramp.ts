/**
 * Raises a target's share of the traffic step by step while the target does well, and lowers it when it does not.
 *
 * - It goes on when the step's time has passed and the figures of the window keep within the `goOn` bounds.
 * - It falls back at once when a `fallBack` bound is broken, also from the last step. After a fall, the next is judged
 *   over a whole window: what was queued at the higher step must not count against the lower.
 * - Behind a fall the step's time begins again. When it falls anew before the step from which it fell was held, the
 *   times of the steps below that are doubled, and so on.
 * - From the first step there is nowhere to fall: it says so once, and the step's time begins again.
 *
 * Pure: time comes in as an argument, and may jump.
 */
import { ForwardClock } from './forward-clock.ts';
import { SlidingWindow } from './sliding-window.ts';
import { durationText, shareText } from './words.ts';

export interface RampStep {
  /** From 0 to 100. */
  percentage: number;
  /** How long at least before the next step; null: this step is the last to which it goes by itself. */
  forMs: number | null;
}

/** What the figures are held against; null: whatever it is. */
export interface RampBounds {
  /** Share of the requests that failed, from 0 to 1. */
  errorRate: number | null;
  /** The 99th percentile of the latency, in milliseconds. */
  latencyMs: number | null;
  /** Share of the queue that is taken, from 0 to 1. */
  queueShare: number | null;
}

export interface RampOptions {
  /** At least one, each with a higher percentage than the one before. */
  steps: readonly RampStep[];
  /** It goes on while all figures are at most these. */
  goOn: RampBounds;
  /** It falls back when any figure is above these. */
  fallBack: RampBounds;
  fallBackTo: 'previous' | 'first';
  /** With fewer requests in the window nothing is judged but the queue, which a target that is stuck fills. */
  requestsMin: number;
  windowMs: number;
}

/** What happened since the last observation. */
export interface RampFigures {
  nowMs: number;
  /** Requests that came to an outcome at the target, and those of them that failed. */
  requests: number;
  errors: number;
  /** 99th percentile of their latency; null when none was answered. */
  p99Ms: number | null;
  /** Share of the queue that is taken at this moment, from 0 to 1. */
  queueShare: number;
}

export type RampState = 'ramping' | 'held' | 'done';

/** A new percentage, or with `from` equal to `to` news about the old one. */
export interface RampChange {
  /** Percentages. */
  from: number;
  to: number;
  /** For people: `6 % of 400 requests failed in 30 s, more than 5 %`. */
  reason: string;
}

/** A step's time is prolonged to at most this many times what is configured. */
const prolongedMax = 16;

/** Columns of the window. */
const REQUESTS = 0;
const ERRORS = 1;
/** Sum of the latencies, each weighted with its requests, and the sum of the weights. */
const LATENCY = 2;
const ANSWERED = 3;
const QUEUE = 4;
const OBSERVATIONS = 5;

export class Ramp {
  readonly #options: RampOptions;
  readonly #clock = new ForwardClock();
  readonly #window: SlidingWindow;
  #step = 0;
  #stepSinceMs: number;
  /** The percentage that was set by hand, else null. */
  #handPercentage: number | null = null;
  /** The last change was a fall. */
  #fell = false;
  /** Falls since it last held, the highest step from which it fell, and the time waited before the last step up. */
  #falls = 0;
  #fellFrom = 0;
  #waitedMs = 0;
  /** Nowhere to fall was said on this step. */
  #saidLowest = false;

  constructor(options: RampOptions, startMs: number) {
    if (options.steps.length === 0) throw new Error('a ramp needs a step');
    this.#options = options;
    this.#window = new SlidingWindow(options.windowMs, 6);
    this.#stepSinceMs = this.#clock.at(startMs);
  }

  /** The target's share, from 0 to 100. */
  get percentage(): number {
    return this.#handPercentage ?? this.#options.steps[this.#step]?.percentage ?? 0;
  }

  /** Index of the step it is on; when held, of the one from which `resume` goes on. */
  get step(): number {
    return this.#step;
  }

  get state(): RampState {
    if (this.#handPercentage !== null) return 'held';
    return this.#waitMs() === null ? 'done' : 'ramping';
  }

  /** The last change was a fall, and nothing has gone on since. */
  get backedOff(): boolean {
    return this.#fell;
  }

  get steps(): readonly RampStep[] {
    return this.#options.steps;
  }

  /** Takes the figures since the last call, about once a second; returns what changes, if anything does. */
  observe({ nowMs: readingMs, requests, errors, p99Ms, queueShare }: RampFigures): RampChange | null {
    const nowMs = this.#clock.at(readingMs);
    if (this.#handPercentage !== null) return null;
    const window = this.#window;
    window.advance(nowMs);
    window.add(REQUESTS, requests);
    window.add(ERRORS, errors);
    if (p99Ms !== null) {
      window.add(LATENCY, p99Ms * requests);
      window.add(ANSWERED, requests);
    }
    window.add(QUEUE, queueShare);
    window.add(OBSERVATIONS, 1);
    const onStepMs = nowMs - this.#stepSinceMs;
    const wholeWindow = onStepMs >= this.#options.windowMs;
    if (!this.#fell || wholeWindow) {
      const breach = this.#breach(this.#options.fallBack, wholeWindow);
      if (breach !== null) return this.#fallBack(breach, nowMs);
    }
    if (this.#step >= this.#fellFrom && onStepMs >= this.#waitedMs) this.#forgive();
    const waitMs = this.#waitMs();
    if (waitMs === null || onStepMs < waitMs || !this.#holds(this.#options.goOn)) return null;
    return this.#goOn(waitMs, nowMs);
  }

  /** Sets a percentage that stays, whatever the figures, until `resume`. */
  setByHand(percentage: number, readingMs: number): RampChange {
    const from = this.percentage;
    this.#handPercentage = percentage;
    const above = this.#options.steps.findIndex((step) => step.percentage > percentage);
    this.#enter(above < 0 ? this.#options.steps.length - 1 : Math.max(0, above - 1), this.#clock.at(readingMs));
    return { from, to: percentage, reason: 'set by hand' };
  }

  /** Goes on by itself from the highest step that is not above the percentage set by hand; null when none is set. */
  resume(readingMs: number): RampChange | null {
    if (this.#handPercentage === null) return null;
    const from = this.percentage;
    this.#handPercentage = null;
    this.#forgive();
    this.#fell = false;
    this.#enter(this.#step, this.#clock.at(readingMs));
    return { from, to: this.percentage, reason: `resumed at step ${this.#step + 1} of ${this.#options.steps.length}` };
  }

  #goOn(waitedMs: number, nowMs: number): RampChange {
    const from = this.percentage;
    const reason = `${durationText(waitedMs)} at ${from} % went well: ${this.#errorsText()}`;
    if (this.#step >= this.#fellFrom) this.#forgive();
    this.#waitedMs = waitedMs;
    this.#fell = false;
    this.#enter(this.#step + 1, nowMs);
    return { from, to: this.percentage, reason };
  }

  #fallBack(breach: string, nowMs: number): RampChange | null {
    const from = this.percentage;
    if (this.#step === 0) {
      this.#stepSinceMs = nowMs;
      if (this.#saidLowest) return null;
      this.#saidLowest = true;
      return { from, to: from, reason: `${breach}; there is no lower step` };
    }
    this.#falls++;
    this.#fellFrom = Math.max(this.#fellFrom, this.#step);
    this.#fell = true;
    this.#enter(this.#options.fallBackTo === 'first' ? 0 : this.#step - 1, nowMs);
    return { from, to: this.percentage, reason: breach };
  }

  #enter(step: number, nowMs: number): void {
    this.#step = step;
    this.#stepSinceMs = nowMs;
    this.#saidLowest = false;
    this.#window.clear();
  }

  /** The falls are over: times are as configured again. */
  #forgive(): void {
    this.#falls = 0;
    this.#fellFrom = 0;
  }

  /** How long this step lasts at least; null: it does not end by itself. */
  #waitMs(): number | null {
    const { steps } = this.#options;
    const forMs = steps[this.#step]?.forMs ?? null;
    if (forMs === null || this.#step === steps.length - 1) return null;
    const prolonged = this.#falls > 1 && this.#step < this.#fellFrom;
    return prolonged ? forMs * Math.min(prolongedMax, 2 ** (this.#falls - 1)) : forMs;
  }

  /** All figures are known and within the bounds. */
  #holds(bounds: RampBounds): boolean {
    if (this.#window.total(REQUESTS) < this.#options.requestsMin) return false;
    if (bounds.latencyMs !== null && this.#window.total(ANSWERED) === 0) return false;
    return this.#breach(bounds, true) === null;
  }

  /** Which bound is broken, in words; null when none is known to be. */
  #breach(bounds: RampBounds, wholeWindow: boolean): string | null {
    const window = this.#window;
    const { requestsMin, windowMs } = this.#options;
    const requests = window.total(REQUESTS);
    const enough = requests >= requestsMin;
    const within = durationText(windowMs);
    const { errorRate, latencyMs, queueShare } = bounds;
    if (enough && errorRate !== null && window.total(ERRORS) / requests > errorRate) {
      return `${this.#errorsText()}, more than ${shareText(errorRate)}`;
    }
    const p99Ms = window.total(LATENCY) / window.total(ANSWERED);
    if (enough && latencyMs !== null && p99Ms > latencyMs) {
      return `99 % of the latencies were up to ${durationText(p99Ms)} in ${within}, longer than ${durationText(latencyMs)}`;
    }
    const taken = window.total(QUEUE) / window.total(OBSERVATIONS);
    if ((enough || wholeWindow) && queueShare !== null && taken > queueShare) {
      return `${shareText(taken)} of the queue was taken in ${within}, more than ${shareText(queueShare)}`;
    }
    return null;
  }

  #errorsText(): string {
    const requests = this.#window.total(REQUESTS);
    const share = requests === 0 ? 0 : this.#window.total(ERRORS) / requests;
    return `${shareText(share)} of ${requests} requests failed in ${durationText(this.#options.windowMs)}`;
  }
}
