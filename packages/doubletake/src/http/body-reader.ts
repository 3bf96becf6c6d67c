/**
 * Reads the body of a message by its framing (RFC 9112 section 6.3): which of the bytes at hand are its own, where it
 * ends, and whether what is missing lies within it. What it consists of is the collector's.
 */
import { BodyCollector, type KeptBytes } from './body.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Body, Framing } from './exchange.ts';

export class BodyReader {
  /** `whole` once its last byte was read or skipped; `broken` where its framing has no reading: nothing more is read. */
  outcome: 'more' | 'whole' | 'broken' = 'more';
  readonly #collector: BodyCollector;
  #chunks: ChunkedDecoder | null = null;
  #framing: Framing = 'none';
  /** Where it has a length: bytes still to come. */
  #remaining = 0;

  constructor(kept: KeptBytes) {
    this.#collector = new BodyCollector(kept);
  }

  /** A new body; `length` is that of the framing `length`, else 0, and `bytesMax` as in `BodyCollector`. */
  begin(framing: Framing, length: number, bytesMax: number, hash: boolean): Body {
    this.#framing = framing;
    this.#remaining = length;
    this.outcome = 'more';
    if (framing === 'none') return BodyCollector.none(bytesMax > 0, hash);
    if (framing === 'chunked') {
      if (this.#chunks === null) this.#chunks = new ChunkedDecoder();
      else this.#chunks.reset();
    }
    return this.#collector.begin(framing, bytesMax, length, hash);
  }

  /** It goes on until the connection is closed. */
  get endsAtClose(): boolean {
    return this.#framing === 'close';
  }

  /** Its framing is one that servers read differently, so far as it was read. */
  get odd(): boolean {
    return this.outcome === 'broken' || (this.#framing === 'chunked' && this.#chunks?.odd === true);
  }

  /** The bound over all connections was hit, not that of the message. */
  get crowdedOut(): boolean {
    return this.#collector.crowdedOut;
  }

  /** Reads on; returns the offset behind the last byte read, less than `end` only where it ends. */
  read(bytes: Buffer, start: number, end: number): number {
    if (this.#framing === 'chunked') return this.#readChunks(bytes, start, end);
    const collector = this.#collector;
    let stop = end;
    if (this.#framing === 'length') {
      stop = Math.min(end, start + this.#remaining);
      this.#remaining -= stop - start;
      if (this.#remaining === 0) this.outcome = 'whole';
    }
    collector.wire(bytes, start, stop);
    collector.decoded(bytes, start, stop);
    return stop;
  }

  /** `length` bytes are missing: true when they lie within it, which was moved on past them. */
  skip(length: number): boolean {
    if (this.#framing === 'chunked') return this.#chunks?.skip(length) === true;
    if (this.#framing === 'length') {
      if (length > this.#remaining) return false;
      this.#remaining -= length;
      if (this.#remaining === 0) this.outcome = 'whole';
    }
    return true;
  }

  /** Bytes of it will never be seen. */
  lose(): void {
    this.#collector.lose();
  }

  /** It has ended, complete or not. */
  finish(): void {
    this.#collector.finish();
  }

  #readChunks(bytes: Buffer, start: number, end: number): number {
    const chunks = this.#chunks;
    if (chunks === null) throw new Error('a chunked body that was not begun');
    const stop = chunks.read(bytes, start, end, this.#collector);
    this.#collector.wire(bytes, start, stop);
    if (chunks.done) this.outcome = 'whole';
    else if (chunks.failed) this.outcome = 'broken';
    return stop;
  }
}
