/** All workers as one: their start, what they are told, their end. */
import type { Publication } from '../ledger/counters.ts';
import type { WorkerCommand, WorkerStart } from './messages.ts';
import { type WorkerEvents, WorkerHandle } from './worker-handle.ts';

export interface WorkersEvents extends Omit<WorkerEvents, 'died'> {
  /** Every worker's sources are files, and all of them were read to the end with all their requests ended. */
  exhausted(): void;
  /** What the worker of this index held is lost. */
  died(index: number, error: Error): void;
}

export class Workers {
  readonly #events: WorkersEvents;
  readonly #workers: WorkerHandle[] = [];

  constructor(events: WorkersEvents) {
    this.#events = events;
  }

  /**
   * Starts a worker with each of `starts`. Resolves when all take traffic, with what the sources of each listen on; rejects
   * with one clear line when one cannot, and the others are to be stopped.
   */
  start(starts: readonly WorkerStart[]): Promise<(string | null)[][]> {
    let reading = starts.length;
    for (const start of starts) {
      const worker = new WorkerHandle(start, {
        ...this.#events,
        exhausted: () => {
          if (--reading === 0) this.#events.exhausted();
        },
        died: (error) => this.#events.died(start.index, error),
      });
      this.#workers.push(worker);
    }
    return Promise.all(this.#workers.map((worker) => worker.ready));
  }

  /** What the watchdog looks at, by worker. */
  readings(): Publication[] {
    return this.#workers.map((worker) => worker.reading());
  }

  /** Resolves when the command holds in every worker that has not ended. */
  async obey(command: WorkerCommand): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.obey(command)));
  }

  /** Tells all of a server that one of them saw. */
  learnProduction(endpoint: string): void {
    for (const worker of this.#workers) worker.learnProduction(endpoint);
  }

  /** Asks all to drain and end; ends by force who has not done so `graceMs` after the drain. */
  async stop(drainMs: number, graceMs: number): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop(drainMs, graceMs)));
  }

  /** What is under way is given up. */
  abort(): void {
    for (const worker of this.#workers) worker.abort();
  }
}
