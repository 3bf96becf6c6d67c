/**
 * The chunked transfer coding (RFC 9112 section 7.1), read incrementally: bytes go in cut anywhere, runs of data come
 * out. Nothing is buffered. Deviations that servers are known to read differently (line breaks of a lone LF, whitespace
 * behind the size, bytes in extensions that end lines for some) set `odd` and are read on; what has no reading at all
 * sets `failed`.
 */
import { Ascii, isBlank } from './bytes.ts';

/** Receives the data of chunks. */
export interface ChunkData {
  decoded(bytes: Buffer, start: number, end: number): void;
}

const Step = {
  size: 0,
  /** Behind the size: whitespace, an extension, or the line's end. */
  extension: 1,
  sizeFeed: 2,
  data: 3,
  dataEnd: 4,
  dataFeed: 5,
  trailerStart: 6,
  trailer: 7,
  lastFeed: 8,
  done: 9,
  failed: 10,
} as const;
type Step = (typeof Step)[keyof typeof Step];

const HEX_DIGITS_MAX = 256;

export class ChunkedDecoder {
  /** Data bytes of the current chunk that are still to come. */
  remaining = 0;
  odd = false;
  #step: Step = Step.size;
  #digits = 0;

  reset(): void {
    this.remaining = 0;
    this.odd = false;
    this.#step = Step.size;
    this.#digits = 0;
  }

  get done(): boolean {
    return this.#step === Step.done;
  }

  get failed(): boolean {
    return this.#step === Step.failed;
  }

  /** Reads on; returns the offset behind the last byte read, less than `end` only when `done` or `failed`. */
  read(bytes: Buffer, start: number, end: number, sink: ChunkData): number {
    let at = start;
    while (at < end && this.#step < Step.done) {
      if (this.#step === Step.data) {
        const stop = Math.min(end, at + this.remaining);
        sink.decoded(bytes, at, stop);
        this.#passData(stop - at);
        at = stop;
      } else {
        this.#control(bytes[at]);
        if (this.#step !== Step.failed) at++;
      }
    }
    return at;
  }

  /** `length` bytes are missing: true when they lie within the data of one chunk, which was moved on past them. */
  skip(length: number): boolean {
    if (this.#step !== Step.data || length > this.remaining) return false;
    this.#passData(length);
    return true;
  }

  #passData(length: number): void {
    this.remaining -= length;
    if (this.remaining === 0) this.#step = Step.dataEnd;
  }

  /** One byte of framing, outside chunk data. */
  #control(byte: number): void {
    switch (this.#step) {
      case Step.size:
        this.#size(byte);
        return;
      case Step.extension:
        this.#extension(byte);
        return;
      case Step.sizeFeed:
        if (byte === Ascii.lf) this.#endSizeLine();
        else this.#step = Step.failed;
        return;
      case Step.dataEnd:
        if (byte === Ascii.cr) this.#step = Step.dataFeed;
        else if (byte === Ascii.lf) this.#nextChunk(true);
        else this.#step = Step.failed;
        return;
      case Step.dataFeed:
        if (byte === Ascii.lf) this.#nextChunk(false);
        else this.#step = Step.failed;
        return;
      case Step.trailerStart:
        if (byte === Ascii.cr) this.#step = Step.lastFeed;
        else if (byte === Ascii.lf) this.#finish();
        else this.#step = Step.trailer;
        return;
      case Step.trailer:
        if (byte === Ascii.lf) this.#step = Step.trailerStart;
        return;
      default:
        if (byte === Ascii.lf) this.#step = Step.done;
        else this.#step = Step.failed;
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.remaining = this.remaining * 16 + digit;
      // Leading zeros are digits too, so their number is bounded apart from the value.
      if (this.remaining > Number.MAX_SAFE_INTEGER || ++this.#digits > HEX_DIGITS_MAX) this.#step = Step.failed;
    } else if (this.#digits === 0) {
      this.#step = Step.failed;
    } else if (isBlank(byte) || byte === Ascii.semicolon) {
      if (byte !== Ascii.semicolon) this.odd = true;
      this.#step = Step.extension;
    } else if (byte === Ascii.cr) {
      this.#step = Step.sizeFeed;
    } else if (byte === Ascii.lf) {
      this.odd = true;
      this.#endSizeLine();
    } else {
      this.#step = Step.failed;
    }
  }

  #extension(byte: number): void {
    if (byte === Ascii.cr) {
      this.#step = Step.sizeFeed;
    } else if (byte === Ascii.lf) {
      this.odd = true;
      this.#endSizeLine();
    } else if (byte < Ascii.space && byte !== Ascii.tab) {
      this.odd = true;
    }
  }

  #endSizeLine(): void {
    this.#digits = 0;
    this.#step = this.remaining === 0 ? Step.trailerStart : Step.data;
  }

  #nextChunk(odd: boolean): void {
    if (odd) this.odd = true;
    this.remaining = 0;
    this.#step = Step.size;
  }

  #finish(): void {
    this.odd = true;
    this.#step = Step.done;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
