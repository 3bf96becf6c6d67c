/**
 * Finds a pipeline that is stuck, from outside: the workers publish their counters, and this looks at them over time.
 * Pure: readings and the time come in, a reason or null goes out.
 */

import type { Publication } from '../ledger/counters.ts';

export interface WatchdogLimits {
  /** A worker that has not published for this long does not run. */
  silentMsMax: number;
  /** With requests waiting, no outcome for this long means that the replay is stuck. */
  stalledMsMax: number;
}

export class Watchdog {
  readonly #limits: WatchdogLimits;
  readonly #progress = new Map<number, { settled: number; atMs: number }>();

  constructor(limits: WatchdogLimits) {
    this.#limits = limits;
  }

  /** What is wrong at `nowMs`, or null. Called about once a second or whenever somebody asks. */
  observe(workers: readonly Publication[], nowMs: number): string | null {
    let problem: string | null = null;
    workers.forEach((worker, index) => {
      const last = this.#progress.get(index);
      if (last === undefined || last.settled !== worker.settled || worker.awaiting === 0) {
        this.#progress.set(index, { settled: worker.settled, atMs: nowMs });
      } else if (nowMs - last.atMs > this.#limits.stalledMsMax) {
        const seconds = Math.round((nowMs - last.atMs) / 1000);
        problem ??= `replay in worker ${index} is stuck: ${worker.awaiting} requests wait, none ended for ${seconds} s`;
      }
      if (nowMs - worker.publishedAtMs > this.#limits.silentMsMax) {
        const seconds = Math.round((nowMs - worker.publishedAtMs) / 1000);
        problem ??= `worker ${index} has not run for ${seconds} s`;
      }
    });
    return problem;
  }
}
