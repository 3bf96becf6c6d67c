/**
 * What was found out about texts that come again and again: the header fields and cookies of a session, names, towns.
 * Bounded: when the younger half is full, the older one is forgotten. Texts are kept as copies: a part of a message would
 * keep the whole of it.
 */
import { copyOf } from './clean-texts.ts';

/** What an entry takes, roughly, beside its text and another of that length. */
const ENTRY_BYTES = 256;

export class RecentTexts<T> {
  readonly #lengthMax: number;
  readonly #halfBytesMax: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes = 0;

  /** Texts longer than `lengthMax` are not kept, and of all others at most `bytesMax` bytes. */
  constructor(lengthMax: number, bytesMax: number) {
    this.#lengthMax = lengthMax;
    this.#halfBytesMax = bytesMax / 2;
  }

  find(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    // What is asked for stays.
    if (old !== undefined) this.#put(text, old);
    return old;
  }

  /** `about` is counted as a text of the same length, and should be no part of a longer one. */
  keep(text: string, about: T): void {
    if (text.length <= this.#lengthMax) this.#put(text, about);
  }

  #put(text: string, about: T): void {
    this.#youngBytes += ENTRY_BYTES + 2 * text.length;
    if (this.#youngBytes > this.#halfBytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(copyOf(text), about);
  }
}
