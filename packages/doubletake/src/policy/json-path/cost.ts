/** Counts what an evaluation costs, a node looked at being one, and ends it beyond a bound. */

/** About a tenth of a second. */
const costMax = 2_000_000;

export class TooCostly extends Error {}

export class Cost {
  #spent = 0;

  /** Throws `TooCostly`. */
  add(cost: number): void {
    this.#spent += cost;
    if (this.#spent > costMax) throw new TooCostly();
  }
}
