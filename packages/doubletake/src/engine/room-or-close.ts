/**
 * How sources that read files wait until targets take more, or until they are closed. Each wait has a promise of its own,
 * and none is left behind: what races with one promise for as long as files are read is kept by it to the end.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is waited for: `Dispatcher` has it. */
export interface RoomToWaitFor {
  readonly room: boolean;
  /** Resolves when `room` may be true again. */
  waitForRoom(): Promise<void>;
}

export class RoomOrClose {
  readonly #target: RoomToWaitFor;
  #closed = false;
  /** Ends the wait that is under way. */
  #wake: () => void = () => {};

  constructor(target: RoomToWaitFor) {
    this.#target = target;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the wait that is under way, and all that come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Lets other work of the thread have its turn, and waits until there is room; one wait at a time. */
  async makeWay(): Promise<void> {
    await nextTurn();
    // oxlint-disable-next-line no-await-in-loop -- room may be gone again
    while (!this.#target.room && !this.#closed) await this.#roomOrClose();
  }

  #roomOrClose(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void this.#target.waitForRoom().then(resolve);
    });
  }
}
