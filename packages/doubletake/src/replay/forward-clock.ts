/**
 * Makes a time that never goes back of readings of a clock that may. A reading somewhat older than the latest, as when
 * two callers read the clock at different moments, counts as the latest; one that is far older means that the clock was
 * set back, and time goes on from there.
 */
const disorderMsMax = 1000;

export class ForwardClock {
  #latestMs = -Infinity;
  /** What is added to a reading: the sum of all jumps back. */
  #offsetMs = 0;

  /** The time of a reading, both in milliseconds. */
  at(readingMs: number): number {
    const nowMs = readingMs + this.#offsetMs;
    if (nowMs > this.#latestMs) this.#latestMs = nowMs;
    else if (nowMs < this.#latestMs - disorderMsMax) this.#offsetMs += this.#latestMs - nowMs;
    return this.#latestMs;
  }
}
