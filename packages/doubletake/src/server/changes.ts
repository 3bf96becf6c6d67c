/** The log of what was changed while it ran: when, by whom, what. The last thousand are kept; all go to the log, too. */
import { visible } from '../visible.ts';
import type { Change } from './api/control.ts';

const changesMax = 1_000;

export class ChangeLog {
  readonly #log: (text: string) => void;
  #changes: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();

  /** `log` gets a line for each change. */
  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** `who`: `operator 10.0.0.7`, `control socket`, `ramp`, `signal`. */
  add(who: string, text: string): Change {
    const change = this.note(who, text);
    this.#log(`${change.text} (${who})`);
    return change;
  }

  /** The same for what the log has already. */
  note(who: string, text: string): Change {
    // A note of somebody's must not steer the terminal on which the log is read.
    const change = { time: new Date().toISOString(), who, text: visible(text) };
    this.#changes.push(change);
    if (this.#changes.length > changesMax) this.#changes.shift();
    for (const listener of this.#listeners) listener(change);
    return change;
  }

  /** The newest first. */
  list(): Change[] {
    return this.#changes.toReversed();
  }

  /** Tells `listener` of each change until the function is called that this returns. */
  follow(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
