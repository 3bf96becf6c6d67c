/** Tells the log whom the dashboard refused and why, a few lines a minute however many try. Nothing told is secret. */
const linesMax = 10;
const windowMs = 60_000;

export class RefusalLog {
  readonly #log: (text: string) => void;
  #sinceMs = -Infinity;
  #refused = 0;

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** `nowMs` is of a clock that does not jump. */
  refused(address: string, why: string, nowMs: number): void {
    if (nowMs - this.#sinceMs >= windowMs) {
      if (this.#refused > linesMax) this.#log(`dashboard: ${this.#refused - linesMax} more requests were refused within a minute`);
      this.#sinceMs = nowMs;
      this.#refused = 0;
    }
    if (++this.#refused <= linesMax) this.#log(`dashboard: refused ${address}: ${why}`);
  }
}
