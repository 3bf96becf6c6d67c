/** The latest requests with all outcomes, bounded: when there are too many, those of the most frequent outcome go first. */
import { withoutQuery } from '../compare/shown/shown-pair.ts';
import { isWanted, type RequestEntry, type RequestFilter } from '../store/request-filter.ts';

const requestsMax = 5_000;

export class RecentRequests {
  readonly #max: number;
  /** By outcome, the oldest first. Names of outcomes come from the configuration, and are few. */
  readonly #byOutcome = new Map<string, Map<string, RequestEntry>>();
  #size = 0;

  constructor(max = requestsMax) {
    this.#max = max;
  }

  push(entry: RequestEntry): void {
    let same = this.#byOutcome.get(entry.outcome);
    if (same === undefined) this.#byOutcome.set(entry.outcome, (same = new Map()));
    if (!same.has(entry.id)) this.#size++;
    same.set(entry.id, entry);
    while (this.#size > this.#max) this.#dropOne();
  }

  /** `contents` as in `RequestFilter`. */
  get(id: string, contents: boolean): RequestEntry | null {
    for (const entries of this.#byOutcome.values()) {
      const found = entries.get(id);
      if (found !== undefined) return asShown(found, contents);
    }
    return null;
  }

  /** Those that are looked for, in no order. */
  find(filter: RequestFilter): RequestEntry[] {
    const found: RequestEntry[] = [];
    for (const entries of this.#byOutcome.values()) {
      for (const entry of entries.values()) {
        const shown = asShown(entry, filter.contents);
        if (isWanted(filter, shown, [])) found.push(shown);
      }
    }
    return found;
  }

  #dropOne(): void {
    let largest: Map<string, RequestEntry> | null = null;
    for (const entries of this.#byOutcome.values()) if (entries.size > (largest?.size ?? 0)) largest = entries;
    const [oldest] = largest?.keys() ?? [];
    if (oldest === undefined) return;
    largest?.delete(oldest);
    this.#size--;
  }
}

/** What was taken when contents were shown is hidden with them. */
function asShown(entry: RequestEntry, contents: boolean): RequestEntry {
  return contents ? entry : { ...entry, target: withoutQuery(entry.target), client: '' };
}
