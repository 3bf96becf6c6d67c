/** Clusters that somebody has accepted, by their ids: they are known, and count no more. */

export class AcceptedClusters {
  #given: ReadonlySet<string>;
  /** Ids that accepted clusters have got since, as their endpoints got other names; by the id before. */
  readonly #renamed = new Map<string, string>();
  #all: ReadonlySet<string>;

  constructor(ids: readonly string[]) {
    this.#given = new Set(ids);
    this.#all = this.#given;
  }

  get size(): number {
    return this.#all.size;
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Accepts these instead; returns what was not accepted before or is not any more. */
  replace(ids: readonly string[]): ReadonlySet<string> {
    const before = this.#all;
    this.#given = new Set(ids);
    this.#all = this.#withRenamed();
    const now = this.#all;
    return new Set([...[...now].filter((id) => !before.has(id)), ...[...before].filter((id) => !now.has(id))]);
  }

  /** A cluster has another id now. */
  rename(from: string, to: string): void {
    if (!this.#all.has(from)) return;
    this.#renamed.set(from, to);
    this.#all = this.#withRenamed();
  }

  #withRenamed(): ReadonlySet<string> {
    const all = new Set(this.#given);
    // What is added is visited, too.
    for (const id of all) {
      const next = this.#renamed.get(id);
      if (next !== undefined) all.add(next);
    }
    return all;
  }
}
