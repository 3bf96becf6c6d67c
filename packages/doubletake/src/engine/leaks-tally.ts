/**
 * Counts what was found, by place and kind, and remembers which clients sent which values: a field whose values come
 * again and again, but each from one client alone, tells clients apart, whatever it looks like.
 */
import type { LeakFinding } from './leaks.ts';
import type { LeakKind } from './leaks-detector.ts';

export type LeakPlace = Pick<LeakFinding, 'endpoint' | 'message' | 'field'>;

interface PlaceCounts {
  place: LeakPlace;
  kinds: Map<LeakKind, { count: number; values: Set<string> }>;
  /** Who sent a value: a client, or `SEVERAL`; and how often. */
  senders: Map<string, { client: string; count: number }>;
  seen: number;
}

const PLACES_MAX = 5_000;
const VALUES_MAX = 1_000;
const SEVERAL = '';
/** Fewer clients could be chance. */
const CLIENTS_MIN = 3;

export class LeakTally {
  readonly #places = new Map<string, PlaceCounts>();

  /** A value in its place; `kind` null: it looks like nothing in particular. */
  add(place: LeakPlace, kind: LeakKind | null, value: string, client: string): void {
    const counts = this.#countsOf(place);
    if (counts === null) return;
    counts.seen++;
    remember(counts.senders, value, client);
    if (kind === null) return;
    const known = counts.kinds.get(kind) ?? { count: 0, values: new Set() };
    known.count++;
    if (known.values.size < VALUES_MAX) known.values.add(value);
    counts.kinds.set(kind, known);
  }

  findings(): LeakFinding[] {
    return [...this.#places.values()].flatMap(({ place, kinds, senders, seen }): LeakFinding[] => {
      const found = Array.from(kinds, ([kind, { count, values }]) => ({ ...place, kind, count, values: values.size }));
      if (found.length > 0 || !tellApart(senders)) return found;
      return [{ ...place, kind: 'tells clients apart', count: seen, values: senders.size }];
    });
  }

  #countsOf(place: LeakPlace): PlaceCounts | null {
    const key = JSON.stringify([place.endpoint, place.message, place.field]);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= PLACES_MAX) return null;
    const counts = { place, kinds: new Map(), senders: new Map(), seen: 0 };
    this.#places.set(key, counts);
    return counts;
  }
}

function remember(senders: PlaceCounts['senders'], value: string, client: string): void {
  const known = senders.get(value);
  if (known === undefined) {
    if (senders.size < VALUES_MAX) senders.set(value, { client, count: 1 });
    return;
  }
  known.count++;
  if (known.client !== client) known.client = SEVERAL;
}

function tellApart(senders: PlaceCounts['senders']): boolean {
  const clients = new Set<string>();
  for (const { client, count } of senders.values()) {
    if (client === SEVERAL) return false;
    if (count > 1) clients.add(client);
  }
  return clients.size >= CLIENTS_MIN;
}
