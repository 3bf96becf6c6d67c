/**
 * What is known about the names of members: an API has few, and each document comes with them again. A name is found by
 * its characters in the document, so that no string is made for it. Only names that stay as they are, and that need no
 * decoding, are kept. The table has a fixed size; names that fall on the same place take turns.
 */
import { copyOf } from './clean-texts.ts';
import type { Treatment } from './json.ts';

export interface KnownName {
  text: string;
  /** What the name says about its value. */
  treatment: Treatment;
}

const SLOTS = 2_048;
const NAME_LENGTH_MAX = 64;

export class JsonNames {
  readonly #slots: (KnownName | undefined)[] = Array.from({ length: SLOTS });

  /** The name that stands at `[start, end)` and has this hash, or undefined. */
  find(source: string, start: number, end: number, hash: number): KnownName | undefined {
    const known = this.#slots[hash & (SLOTS - 1)];
    if (known === undefined || known.text.length !== end - start || !source.startsWith(known.text, start)) return undefined;
    return known;
  }

  /** Keeps a name for the next time; returns what is known about it. */
  keep(text: string, hash: number, treatment: Treatment): KnownName {
    const known = { text, treatment };
    if (text.length <= NAME_LENGTH_MAX) this.#slots[hash & (SLOTS - 1)] = { text: copyOf(text), treatment };
    return known;
  }
}
