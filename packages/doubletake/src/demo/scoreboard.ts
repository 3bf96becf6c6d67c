/**
 * What the demo knows about each request: production's answer, and what the next version made of the same request.
 * Both shops report here by the request's id. Only the latest requests are kept; the counts go on for ever.
 */
import type { Answered, Edition } from './shop.ts';

/** Methods that are not replayed unless a policy allows it. */
const unsafeMethods = /^(?:POST|PUT|PATCH|DELETE)$/;

/** Requests kept; older ones that never reached the next version are forgotten. */
const rowsMax = 2_000;

export interface Row {
  /** Position among all requests, from 0. */
  index: number;
  /** Wall clock, milliseconds since the epoch. */
  timeMs: number;
  method: string;
  path: string;
  production?: Answered;
  next?: Answered;
  unsafe: boolean;
}

export class Scoreboard {
  /** Answered by production, and by the next version. */
  production = 0;
  next = 0;
  /** Requests that change something, which the default policy keeps from the next version. */
  unsafe = 0;
  /** Requests to which both answered, with different status codes: counts by request and codes. */
  readonly differences = new Map<string, number>();
  #seen = 0;
  readonly #rows = new Map<string, Row>();

  record(edition: Edition, answered: Answered): void {
    let row = this.#rows.get(answered.id);
    if (!row) {
      const { method } = answered;
      const path = readable(answered.path);
      row = { index: this.#seen++, timeMs: Date.now(), method, path, unsafe: unsafeMethods.test(method) };
      this.#rows.set(answered.id, row);
      this.#forgetOldest();
    }
    row[edition] = answered;
    this[edition]++;
    if (edition === 'production' && row.unsafe) this.unsafe++;
    if (row.production && row.next && row.production.status !== row.next.status) {
      const difference = `${row.method} ${row.path}: ${row.production.status}, now ${row.next.status}`;
      this.differences.set(difference, (this.differences.get(difference) ?? 0) + 1);
    }
  }

  /** Requests that the next version should see and has not answered yet. */
  get waiting(): number {
    return Math.max(0, this.production - this.unsafe - this.next);
  }

  /** Kept requests, oldest first. */
  rows(): Row[] {
    return [...this.#rows.values()];
  }

  #forgetOldest(): void {
    if (this.#rows.size <= rowsMax) return;
    for (const id of this.#rows.keys()) {
      this.#rows.delete(id);
      return;
    }
  }
}

/** Letters instead of percent signs, where the path has any. */
function readable(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
