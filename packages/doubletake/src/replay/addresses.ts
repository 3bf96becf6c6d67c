/**
 * The addresses behind a target's host name. All of them are used in turn; one that could not be reached goes to the
 * end of the line for a while; names are looked up again when the answer ages or a connection failed, at most once a
 * second. When a new lookup fails the old answer stays in use.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Resolver } from './target.ts';

const ADDRESSES_MAX = 16;
const SUSPECT_MS = 10_000;
const LOOKUP_PAUSE_MS = 1000;

export class Addresses {
  /** Lookups that failed. */
  lookupFailures = 0;
  readonly #hostname: string;
  readonly #ageMaxMs: number;
  readonly #resolve: Resolver;
  #known: readonly string[] = [];
  #lookedUpAtMs = -Infinity;
  #outdated = false;
  #lookup: Promise<void> | null = null;
  #next = 0;
  /** Until when an address that failed is tried last. Holds known addresses only. */
  readonly #suspectUntilMs = new Map<string, number>();

  constructor(hostname: string, ageMaxMs: number, resolve: Resolver = resolveWithSystem) {
    this.#hostname = hostname;
    this.#ageMaxMs = ageMaxMs;
    this.#resolve = resolve;
    if (isIP(hostname) !== 0) this.#known = [hostname];
  }

  /** The addresses in the order in which to try them, each call beginning with another. Rejects when there is none. */
  async candidates(nowMs: number): Promise<string[]> {
    if (isIP(this.#hostname) !== 0) return [this.#hostname];
    const ageMs = nowMs - this.#lookedUpAtMs;
    if (this.#known.length === 0 || ageMs > this.#ageMaxMs || (this.#outdated && ageMs > LOOKUP_PAUSE_MS)) {
      this.#lookup ??= this.#lookUp(nowMs).finally(() => {
        this.#lookup = null;
      });
      await this.#lookup;
    }
    const start = this.#next++ % this.#known.length;
    const rotated = [...this.#known.slice(start), ...this.#known.slice(0, start)];
    const suspect = (address: string): boolean => (this.#suspectUntilMs.get(address) ?? 0) > nowMs;
    return [...rotated.filter((address) => !suspect(address)), ...rotated.filter(suspect)];
  }

  /** A connection broke: the name may stand for other machines by now. */
  outdate(): void {
    this.#outdated = true;
  }

  /** A connection to this address could not be made. */
  failed(address: string, nowMs: number): void {
    this.#outdated = true;
    if (this.#known.includes(address)) this.#suspectUntilMs.set(address, nowMs + SUSPECT_MS);
  }

  succeeded(address: string): void {
    this.#suspectUntilMs.delete(address);
  }

  async #lookUp(nowMs: number): Promise<void> {
    try {
      const found = [...new Set(await this.#resolve(this.#hostname))].slice(0, ADDRESSES_MAX);
      if (found.length === 0) throw new Error(`no address for ${this.#hostname}`);
      this.#known = found;
      this.#outdated = false;
      for (const address of this.#suspectUntilMs.keys()) {
        if (!found.includes(address)) this.#suspectUntilMs.delete(address);
      }
    } catch (error) {
      this.lookupFailures++;
      if (this.#known.length === 0) throw error;
    }
    this.#lookedUpAtMs = nowMs;
  }
}

async function resolveWithSystem(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map((entry) => entry.address);
}
