/**
 * Spares a target that is in trouble: when too many of its answers in a sliding window fail or are slow, requests are
 * refused for a while; then a few are let through as probes, and how they fare decides.
 *
 * closed ──too many bad──► open ──pause over──► half_open ──probes good──► closed
 *                           ▲                      │
 *                           └──a probe failed──────┘  with the pause doubled
 *
 * Every change of state begins a new generation. A result counts only in the generation that admitted its request, so
 * what was sent before a pause says nothing about the target behind it. A probe may never report, because it was
 * dropped on its way: when nothing decides for `openMs`, more probes are let through.
 *
 * Pure: time comes in as an argument, and may jump in both directions.
 */
import { ForwardClock } from './forward-clock.ts';
import { SlidingWindow } from './sliding-window.ts';
import type { ReplayResult } from './target.ts';
import { durationText } from './words.ts';

export interface BreakerOptions {
  /** Opens when this share of the results in the window failed; from 0 to 1. */
  errorRate: number;
  /** A result that took longer is slow; null: none is. */
  slowerThanMs: number | null;
  /** Opens when this share of the results in the window was slow; from 0 to 1. */
  slowRate: number;
  /** With fewer results in the window it never opens. */
  requestsMin: number;
  windowMs: number;
  /** How long requests are refused before the first probes. */
  openMs: number;
  /** The pause doubles each time that probes fail, up to this. */
  openMsMax: number;
  /** Requests let through to see how the target does; all of them must succeed. */
  probes: number;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

export interface BreakerChange {
  from: BreakerState;
  to: BreakerState;
  /** For people: `37 of 50 requests failed in 10 s`. */
  reason: string;
}

/** What `admit` returns for a request that must not go out. */
const REFUSED = -1;

/** Columns of the window. */
const REQUESTS = 0;
const FAILED = 1;
const SLOW = 2;

/** Statuses by which something in front of a service says that the service is overloaded or not there. */
const absentStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Whether a result speaks against the target's health: no whole answer, or 502, 503 or 504 (RFC 9110 section 15.6). A
 * 500 is an answer to compare. `dropped` and `blocked` results say nothing of the target: they are not for `record`.
 */
export function isFailure(result: ReplayResult): boolean {
  return result.outcome === 'failed' || (result.outcome === 'replayed' && absentStatuses.has(result.response.status));
}

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #onChange: (change: BreakerChange) => void;
  readonly #clock = new ForwardClock();
  readonly #window: SlidingWindow;
  #state: BreakerState = 'closed';
  #generation = 0;
  /** The pause that is under way, or the last one. */
  #pauseMs: number;
  #openedAtMs = 0;
  /** Probes that may go out in this generation, and that did; the last of them when. */
  #probesAllowed = 0;
  #probesAdmitted = 0;
  #probedAtMs = 0;
  #probesGood = 0;
  #probesSlow = 0;

  constructor(options: BreakerOptions, onChange: (change: BreakerChange) => void) {
    this.#options = options;
    this.#onChange = onChange;
    this.#window = new SlidingWindow(options.windowMs, 3);
    this.#pauseMs = options.openMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The generation to give to `record` with the result of a request that goes out whatever `admit` says. */
  get generation(): number {
    return this.#generation;
  }

  /** In how many milliseconds `admit` lets a request go out, unless a change of state comes first; 0: it does now. */
  waitMs(readingMs: number): number {
    if (this.#state === 'closed') return 0;
    const nowMs = this.#clock.at(readingMs);
    if (this.#state === 'open') return Math.max(0, this.#openedAtMs + this.#pauseMs - nowMs);
    if (this.#probesAdmitted < this.#probesAllowed) return 0;
    return Math.max(0, this.#probedAtMs + this.#options.openMs - nowMs);
  }

  /** The generation to give to `record` with the request's result, or -1: the request must not go out. */
  admit(readingMs: number): number {
    if (this.#state === 'closed') return this.#generation;
    const nowMs = this.#clock.at(readingMs);
    if (this.#state === 'open') {
      if (nowMs - this.#openedAtMs < this.#pauseMs) return REFUSED;
      this.#tryAgain();
    }
    if (this.#probesAdmitted >= this.#probesAllowed) {
      if (nowMs - this.#probedAtMs < this.#options.openMs) return REFUSED;
      this.#probesAllowed = this.#probesAdmitted + this.#options.probes;
    }
    this.#probesAdmitted++;
    this.#probedAtMs = nowMs;
    return this.#generation;
  }

  /** The result of a request: whether it failed (`isFailure`), and how long it took. */
  record(generation: number, failed: boolean, latencyMs: number, readingMs: number): void {
    if (generation !== this.#generation) return;
    const { slowerThanMs } = this.#options;
    const slow = slowerThanMs !== null && latencyMs > slowerThanMs;
    const nowMs = this.#clock.at(readingMs);
    if (this.#state === 'closed') this.#count(failed, slow, nowMs);
    else this.#judgeProbe(failed, slow, nowMs);
  }

  #count(failed: boolean, slow: boolean, nowMs: number): void {
    const window = this.#window;
    window.advance(nowMs);
    window.add(REQUESTS, 1);
    if (failed) window.add(FAILED, 1);
    if (slow) window.add(SLOW, 1);
    const requests = window.total(REQUESTS);
    if (requests < this.#options.requestsMin) return;
    const { errorRate, slowRate } = this.#options;
    const failures = window.total(FAILED);
    const slowOnes = window.total(SLOW);
    if (failures > 0 && failures / requests >= errorRate) {
      this.#open(nowMs, `${failures} of ${requests} requests failed in ${durationText(this.#options.windowMs)}`);
    } else if (slowOnes > 0 && slowOnes / requests >= slowRate) {
      const within = durationText(this.#options.windowMs);
      this.#open(nowMs, `${slowOnes} of ${requests} requests took longer than ${this.#slowText()} in ${within}`);
    }
  }

  #judgeProbe(failed: boolean, slow: boolean, nowMs: number): void {
    const { openMs, openMsMax, probes, slowRate } = this.#options;
    if (!failed) {
      this.#probesGood++;
      if (slow) this.#probesSlow++;
      if (this.#probesGood < probes) return;
    }
    const tooSlow = this.#probesSlow > 0 && this.#probesSlow / this.#probesGood >= slowRate;
    if (!failed && !tooSlow) {
      this.#pauseMs = openMs;
      this.#window.clear();
      this.#change('closed', `${this.#probesGood} of ${this.#probesGood} requests sent to try it succeeded`);
      return;
    }
    this.#pauseMs = Math.max(openMs, Math.min(this.#pauseMs * 2, openMsMax));
    const what = failed
      ? 'a request sent to try it failed'
      : `${this.#probesSlow} of ${this.#probesGood} requests sent to try it took longer than ${this.#slowText()}`;
    this.#open(nowMs, `${what}, the next try is in ${durationText(this.#pauseMs)}`);
  }

  #slowText(): string {
    return durationText(this.#options.slowerThanMs ?? Infinity);
  }

  #open(nowMs: number, reason: string): void {
    this.#openedAtMs = nowMs;
    this.#change('open', reason);
  }

  #tryAgain(): void {
    this.#probesAllowed = this.#options.probes;
    this.#probesAdmitted = 0;
    this.#probesGood = 0;
    this.#probesSlow = 0;
    this.#change('half_open', `open for ${durationText(this.#pauseMs)}, trying again`);
  }

  #change(to: BreakerState, reason: string): void {
    const from = this.#state;
    this.#state = to;
    this.#generation++;
    this.#onChange({ from, to, reason });
  }
}
