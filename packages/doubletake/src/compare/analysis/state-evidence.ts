/**
 * Do the two environments hold different data? When a thing is found on one side alone, each time that it is asked for,
 * while others of its kind are found on both, the candidate's code works and its data lack the thing. Where nothing is
 * found, or the same thing now is and now is not, it is the code.
 */
import type { Pair } from '../pair.ts';

/** Things that are remembered, all endpoints together. */
const thingsMax = 100_000;
/** Things found on both sides, before the code is known to find things. */
const foundMin = 5;

const Seen = { found: 1, lackedByCandidate: 2, lackedByBaseline: 4 } as const;

interface Things {
  /** By the hash of the path that names a thing, what was seen: bits of `Seen`. */
  seen: Map<number, number>;
  found: number;
  lackedByCandidate: number;
  lackedByBaseline: number;
  /** Found on both sides at one time, and on one alone at another. */
  unsteady: number;
}

export class StateEvidence {
  readonly #endpoints = new Map<string, Things>();
  #count = 0;

  /** Notes whether the thing that a candidate pair asked for was found. */
  note(endpoint: string, { target, baseline, candidate }: Pair): void {
    // Only what is named by an identifier is one of many.
    if (!endpoint.includes('{')) return;
    const seen = outcomeOf(baseline.status, candidate.status);
    if (seen === null) return;
    let counts = this.#endpoints.get(endpoint);
    if (counts === undefined) {
      counts = { seen: new Map(), found: 0, lackedByCandidate: 0, lackedByBaseline: 0, unsteady: 0 };
      this.#endpoints.set(endpoint, counts);
    }
    const thing = pathHash(target);
    const before = counts.seen.get(thing) ?? 0;
    if ((before & seen) !== 0) return;
    if (before === 0 && this.#count++ >= thingsMax) return;
    counts.seen.set(thing, before | seen);
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

  /** What is known of an endpoint no longer holds. */
  forget(endpoint: string): void {
    this.#count -= this.#endpoints.get(endpoint)?.seen.size ?? 0;
    this.#endpoints.delete(endpoint);
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
      for (const [thing, seen] of counts.seen) same.seen.set(thing, (same.seen.get(thing) ?? 0) | seen);
      same.found += counts.found;
      same.lackedByCandidate += counts.lackedByCandidate;
      same.lackedByBaseline += counts.lackedByBaseline;
      same.unsteady += counts.unsteady;
    }
  }
}

/** FNV-1a of the path; a collision takes two things for one, which then seems unsteady: the code is blamed. */
function pathHash(target: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < target.length; index++) {
    const code = target.charCodeAt(index);
    if (code === 0x3f) break;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return hash >>> 0;
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
