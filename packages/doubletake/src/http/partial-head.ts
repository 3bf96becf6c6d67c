/**
 * A head that arrives in pieces: the owned, growing copy of its bytes, and how far the search for its end has come.
 * Each byte is searched once, however the head is cut.
 */
import type { KeptBytes } from './body.ts';
import { Ascii } from './bytes.ts';

const PARTIAL_BYTES_MIN = 512;
const EMPTY = Buffer.alloc(0);

export class PartialHead {
  /** What has come so far is `bytes[0..length)`. */
  bytes: Buffer = EMPTY;
  length = 0;
  /** Offset of the line feed that ends the start line, or -1. */
  startLineFeed = -1;
  #searched = 0;
  #lineStart = 0;
  readonly #kept: KeptBytes;
  readonly #bytesMax: number;

  constructor(kept: KeptBytes, bytesMax: number) {
    this.#kept = kept;
    this.#bytesMax = bytesMax;
  }

  /** Adds bytes; false, and nothing added, when that crosses a bound. */
  append(bytes: Buffer, start: number, end: number): boolean {
    const length = this.length + end - start;
    if (length > this.#bytesMax) return false;
    if (length > this.bytes.length && !this.#grow(length)) return false;
    bytes.copy(this.bytes, this.length, start, end);
    this.length = length;
    return true;
  }

  /** Searches what was added: the offset behind the empty line, or -1. */
  findEnd(): number {
    const { bytes, length } = this;
    for (let at = this.#searched; at < length; at++) {
      if (bytes[at] !== Ascii.lf) continue;
      if (this.startLineFeed < 0) {
        this.startLineFeed = at;
      } else if (at === this.#lineStart || (at === this.#lineStart + 1 && bytes[at - 1] === Ascii.cr)) {
        return at + 1;
      }
      this.#lineStart = at + 1;
    }
    this.#searched = length;
    return -1;
  }

  clear(): void {
    this.#kept.release(this.bytes.length);
    this.bytes = EMPTY;
    this.length = 0;
    this.startLineFeed = -1;
    this.#searched = 0;
    this.#lineStart = 0;
  }

  #grow(wanted: number): boolean {
    const capacity = Math.min(this.#bytesMax, Math.max(PARTIAL_BYTES_MIN, wanted, this.bytes.length * 2));
    if (!this.#kept.take(capacity - this.bytes.length)) return false;
    const grown = Buffer.allocUnsafe(capacity);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    return true;
  }
}
