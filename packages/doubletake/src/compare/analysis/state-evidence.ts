/**
 * Do the two environments hold different data? When a thing is found on one side alone, each time that it is asked for,
 * while others of its kind are found on both, the candidate's code works and its data lack the thing. Where nothing is
 * found, or the same thing now is and now is not, it is the code.
 */
import type { Pair } from '../pair.ts';

/** Things that are remembered, by the path that names them. */
const thingsMax = 50_000;
/** Things found on both sides, before the code is known to find things. */
const foundMin = 5;

const Seen = { found: 1, lackedByCandidate: 2, lackedByBaseline: 4 } as const;

interface Counts {
  found: number;
  lackedByCandidate: number;
  lackedByBaseline: number;
  /** Found on both sides at one time, and on one alone at another. */
  unsteady: number;
}

export class StateEvidence {
  /** By endpoint and path, what was seen: bits of `Seen`. */
  readonly #things = new Map<string, number>();
  readonly #endpoints = new Map<string, Counts>();

  /** Notes whether the thing that a candidate pair asked for was found. */
  note(endpoint: string, { target, baseline, candidate }: Pair): void {
    // Only what is named by an identifier is one of many.
    if (!endpoint.includes('{')) return;
    const seen = outcomeOf(baseline.status, candidate.status);
    if (seen === null) return;
    const thing = `${endpoint}\n${target.split(/[?#]/, 1)[0].slice(0, 500)}`;
    const before = this.#things.get(thing) ?? 0;
    if ((before & seen) !== 0 || (before === 0 && this.#things.size >= thingsMax)) return;
    this.#things.set(thing, before | seen);
    let counts = this.#endpoints.get(endpoint);
    if (counts === undefined) {
      counts = { found: 0, lackedByCandidate: 0, lackedByBaseline: 0, unsteady: 0 };
      this.#endpoints.set(endpoint, counts);
    }
    if (seen === Seen.found) counts.found++;
    else if (seen === Seen.lackedByCandidate) counts.lackedByCandidate++;
    else counts.lackedByBaseline++;
    if (before !== 0) counts.unsteady++;
  }

  /** What speaks for different data, in words; null when the code may be to blame. `by` is the side that lacks things. */
  reason(endpoint: string, by: 'baseline' | 'candidate'): string | null {
    const counts = this.#endpoints.get(endpoint);
    if (counts === undefined || counts.unsteady > 0 || counts.found < foundMin) return null;
    const lacked = by === 'candidate' ? counts.lackedByCandidate : counts.lackedByBaseline;
    if (lacked === 0) return null;
    const things = lacked === 1 ? 'one thing' : `${lacked} things`;
    return `other data: the ${by} lacks ${things}, each time that it is asked for, and has ${counts.found} others`;
  }

  /** Endpoints have other names now. */
  rename(currentName: (endpoint: string) => string): void {
    const before = [...this.#endpoints];
    this.#endpoints.clear();
    for (const [name, counts] of before) {
      const current = currentName(name);
      const same = this.#endpoints.get(current);
      if (same === undefined) {
        this.#endpoints.set(current, counts);
        continue;
      }
      same.found += counts.found;
      same.lackedByCandidate += counts.lackedByCandidate;
      same.lackedByBaseline += counts.lackedByBaseline;
      same.unsteady += counts.unsteady;
    }
  }
}

function outcomeOf(baseline: number, candidate: number): number | null {
  if (isFound(baseline)) return isFound(candidate) ? Seen.found : isLacked(candidate) ? Seen.lackedByCandidate : null;
  return isLacked(baseline) && isFound(candidate) ? Seen.lackedByBaseline : null;
}

function isFound(status: number): boolean {
  return status >= 200 && status < 400;
}

export function isLacked(status: number): boolean {
  return status === 404 || status === 410;
}
