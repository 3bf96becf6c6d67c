/**
 * Attempts to connect to a target: any number at a time while they work; after one that failed a single one at a time,
 * with a pause before it, until one works again.
 *
 * `cancel` ends them within the call: each belongs to an era, and the connection that comes of one of an earlier era is
 * closed.
 */
import type { Dialer } from './dialer.ts';
import type { WireConnection } from './wire-connection.ts';

/** Milliseconds behind a failure in which nothing is tried. */
export const DIAL_PAUSE_MS = 50;

/** Hears what became of each attempt, which does not count any more by then. */
export interface AttemptsOwner {
  /** A connection that can be used now. */
  connected(connection: WireConnection, nowMs: number): void;
  connectFailed(error: unknown): void;
  /** An attempt that was not begun for the pause may be now. */
  pauseOver(): void;
}

export class Attempts {
  /** Attempts under way. */
  count = 0;
  readonly #dialer: Dialer;
  readonly #owner: AttemptsOwner;
  /** The last attempt worked. */
  #reachable = false;
  #nextMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #era = 0;

  constructor(dialer: Dialer, owner: AttemptsOwner) {
    this.#dialer = dialer;
    this.#owner = owner;
  }

  /** Whether one may be made beside those under way. */
  get oneMore(): boolean {
    return this.#reachable || this.count === 0;
  }

  isPaused(nowMs: number): boolean {
    return nowMs < this.#nextMs;
  }

  /** Begins one; false, and nothing begun, in a pause, of whose end the owner then hears. */
  begin(nowMs: number): boolean {
    if (this.isPaused(nowMs)) {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#owner.pauseOver();
      }, this.#nextMs - nowMs + 1);
      return false;
    }
    const era = this.#era;
    this.count++;
    this.#dialer.open().then(
      (connection) => this.#opened(connection, era),
      (error: unknown) => this.#failed(error, era),
    );
    return true;
  }

  /** Ends all; of none of them anything is heard any more. */
  cancel(): void {
    this.#era++;
    this.count = 0;
    this.#dialer.cancel();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #opened(connection: WireConnection, era: number): void {
    if (era !== this.#era) {
      connection.destroy();
      return;
    }
    const nowMs = performance.now();
    if (!connection.usable(nowMs) || this.#dialer.refuses(connection.address)) {
      connection.destroy();
      this.#failed(new Error('connection closed by the target'), era);
      return;
    }
    this.count--;
    this.#reachable = true;
    this.#nextMs = 0;
    this.#owner.connected(connection, nowMs);
  }

  #failed(error: unknown, era: number): void {
    if (era !== this.#era) return;
    this.count--;
    this.#reachable = false;
    this.#nextMs = performance.now() + DIAL_PAUSE_MS;
    this.#owner.connectFailed(error);
  }
}
