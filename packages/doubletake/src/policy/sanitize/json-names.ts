/**
 * What is known about the names of members: an API has few, and each document comes with them again. A name is found by
 * its characters in the document, so that no string is made for it. Only names that stay as they are, and that need no
 * decoding, are kept. The table has a fixed size; names that fall on the same place take turns.
 */
import { copyOf } from './clean-texts.ts';
import type { Treatment } from './json.ts';

export interface KnownName {
  text: string;
  bytes: Uint8Array;
  /** What the name says about its value. */
  treatment: Treatment;
}

const SLOTS = 2_048;
const NAME_LENGTH_MAX = 64;

export class JsonNames {
  readonly #slots: (KnownName | undefined)[] = Array.from({ length: SLOTS });

  /** The name that stands at `[start, end)` and has this hash, or undefined. */
  find(source: Uint8Array, start: number, end: number, hash: number): KnownName | undefined {
    const known = this.#slots[hash & (SLOTS - 1)];
    if (known === undefined) return undefined;
    const { bytes } = known;
    if (bytes.length !== end - start) return undefined;
    for (let index = 0; index < bytes.length; index++) if (bytes[index] !== source[start + index]) return undefined;
    return known;
  }

  /** Keeps a name for the next time; returns what is known about it. */
  keep(text: string, hash: number, treatment: Treatment): KnownName {
    const known = { text: copyOf(text), bytes: new Uint8Array(Buffer.from(text, 'latin1')), treatment };
    if (text.length <= NAME_LENGTH_MAX) this.#slots[hash & (SLOTS - 1)] = known;
    return known;
  }
}
