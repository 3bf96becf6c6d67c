/**
 * Which requests the candidate gets twice, so that what its two answers differ in is known for noise: the first of every
 * endpoint, then a share of all, and half of those of an endpoint for which the analysis asks for more.
 */
import { endpointOf } from '../policy/endpoint.ts';
import { normalPath } from '../policy/path-form.ts';

/** Of every endpoint, whatever the share. */
const firstOfEach = 8;
/** Of an endpoint for which more is asked. */
const wantedShare = 0.5;
/** Endpoints told apart; the rest go by the share alone. */
const endpointsMax = 10_000;

export class NoiseSampling {
  readonly #share: number;
  readonly #seen = new Map<string, number>();
  #wanted: ReadonlySet<string> = new Set();

  /** `share` of all requests, from 0 to 1; 0 sends nothing twice. */
  constructor(share: number) {
    this.#share = share;
  }

  /**
   * The name of a request's endpoint, by form alone, for `takes` and `want`: of the request before it is rewritten for a
   * target. Null where nothing is sent twice.
   */
  keyOf(method: string, target: string): string | null {
    return this.#share === 0 ? null : endpointOf(method, normalPath(target));
  }

  /** Endpoints, by their keys, of which more should be sent twice from now on. */
  want(keys: Iterable<string>): void {
    this.#wanted = new Set(keys);
  }

  /** Whether this request is sent twice. Counted by endpoint, so that each gets its share. */
  takes(key: string): boolean {
    const seen = (this.#seen.get(key) ?? 0) + 1;
    if (seen > 1 || this.#seen.size < endpointsMax) this.#seen.set(key, seen);
    if (seen <= firstOfEach && this.#seen.has(key)) return true;
    const share = this.#wanted.has(key) ? Math.max(wantedShare, this.#share) : this.#share;
    // Evenly over the endpoint's requests: each time that the share of them has grown by one.
    return Math.floor(seen * share) > Math.floor((seen - 1) * share);
  }
}
