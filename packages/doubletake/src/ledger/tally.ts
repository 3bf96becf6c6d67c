import type { CounterLayout } from './counters.ts';
import type { Outcome } from './outcome.ts';

/**
 * Counts requests as they are seen and as they end. What is in flight is deliberately not derived from these counts: the
 * stages that hold requests say how many they hold, so that a request lost between two stages shows in the sums.
 */
export class Tally {
  readonly #row: Float64Array;
  readonly #captured: number;
  readonly #inFlight: number;
  /** The outcome of nearly all requests, which need not be looked up. */
  readonly #replayed: number;
  #ended: ReadonlyMap<string, number>;
  readonly #findEnded: () => ReadonlyMap<string, number>;

  /** `path` leads to the tally in the layout: `['targets', 'candidate']`. */
  constructor(layout: CounterLayout, row: Float64Array, path: readonly string[]) {
    this.#row = row;
    this.#captured = layout.slot(...path, 'captured');
    this.#inFlight = layout.slot(...path, 'inFlight');
    this.#replayed = layout.slot(...path, 'outcomes', 'replayed');
    this.#findEnded = () => layout.slotsUnder(...path, 'outcomes');
    this.#ended = this.#findEnded();
  }

  /** A request was seen. */
  capture(): void {
    this.#row[this.#captured]++;
  }

  /** A request ended. */
  end(outcome: Outcome): void {
    if (outcome === 'replayed') {
      this.#row[this.#replayed]++;
      return;
    }
    let slot = this.#ended.get(outcome);
    if (slot === undefined) {
      // A changed configuration may have brought new names.
      this.#ended = this.#findEnded();
      slot = this.#ended.get(outcome);
    }
    if (slot === undefined) throw new Error(`there is no outcome ${outcome}`);
    this.#row[slot]++;
  }

  /** How many requests the stages hold right now. */
  setInFlight(count: number): void {
    this.#row[this.#inFlight] = count;
  }
}
