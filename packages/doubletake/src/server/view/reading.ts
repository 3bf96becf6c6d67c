/** The counts of a moment, and what has happened between two of them. */
import type { Quantiles } from '../../compare/report.ts';
import type { LatencyCounts } from '../../engine/live-ledger.ts';
import { latencyBuckets, quantile } from '../../ledger/histogram.ts';
import type { LedgerReport, TargetReport } from '../../ledger/report.ts';

export interface Reading {
  /** Of a clock that does not jump. */
  atMs: number;
  ledger: LedgerReport;
  latencies: LatencyCounts;
}

/** What `last seconds` means. */
export const recentMs = 10_000;

/** Readings of the last seconds, one a second. */
export class RecentReadings {
  readonly #readings: Reading[] = [];

  add(reading: Reading): void {
    this.#readings.push(reading);
    while (this.#readings.length > 1 && reading.atMs - (this.#readings[0]?.atMs ?? 0) > recentMs) this.#readings.shift();
  }

  /** With which `now` is compared: the oldest that is kept, or itself when there is none. */
  before(now: Reading): Reading {
    return this.#readings[0] ?? now;
  }
}

/** Two readings and what lies between them. */
export class Span {
  readonly before: Reading;
  readonly now: Reading;

  constructor(before: Reading, now: Reading) {
    this.before = before;
    this.now = now;
  }

  get ms(): number {
    return this.now.atMs - this.before.atMs;
  }

  /** Its length in words: `in the last 10 s`. */
  get within(): string {
    return `in the last ${Math.max(1, Math.round(this.ms / 1_000))} s`;
  }

  /** How far a count has grown; one that was not there before grew from 0. */
  grown(count: (ledger: LedgerReport) => number): number {
    return Math.max(0, count(this.now.ledger) - count(this.before.ledger));
  }

  /** The same for a target; 0 for one that there is not. */
  grownAt(target: string | null, count: (target: TargetReport) => number): number {
    return this.grown(({ targets }) => {
      const report = target === null ? undefined : targets[target];
      return report === undefined ? 0 : count(report);
    });
  }

  /** How far a count has grown, a second. */
  perSecond(count: (ledger: LedgerReport) => number): number {
    return this.ms <= 0 ? 0 : (this.grown(count) * 1_000) / this.ms;
  }

  /** Answers by latency bucket. */
  latencies(counts: (latencies: LatencyCounts) => readonly number[] | undefined): number[] {
    const [before, now] = [counts(this.before.latencies), counts(this.now.latencies)];
    return latencyBuckets.map((_, bucket) => Math.max(0, (now?.[bucket] ?? 0) - (before?.[bucket] ?? 0)));
  }
}

/** In milliseconds; null where nothing is counted. */
export function quantilesOf(counts: ArrayLike<number>): Quantiles {
  return { p50: quantile(counts, 0.5), p90: quantile(counts, 0.9), p99: quantile(counts, 0.99) };
}

/** Never outside 0 to 1, also where two counts were read at different moments; 0 of nothing. */
export function shareOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole));
}
