/**
 * Collects the body of the message that is being read: counts it, hashes it when asked, and keeps its wire bytes within
 * the limits of the message and of all connections together. Bytes are copied only when they are kept. A body that has
 * lost bytes keeps nothing: what lies on both sides of a hole is never put together.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ChunkData } from './chunked.ts';
import type { Body, Framing } from './exchange.ts';

/** Kept bodies grow by pieces of this size, or by what is known to come if that is less. */
const PIECE_BYTES_MIN = 1_024;
const PIECE_BYTES_MAX = 65_536;
const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** Bytes held by messages that have not ended, over all connections. */
export class KeptBytes {
  readonly max: number;
  now = 0;
  peak = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** False, and nothing taken, when the bound would be crossed. */
  take(length: number): boolean {
    if (this.now + length > this.max) return false;
    this.now += length;
    if (this.now > this.peak) this.peak = this.now;
    return true;
  }

  release(length: number): void {
    this.now -= length;
  }
}

export class BodyCollector implements ChunkData {
  readonly #kept: KeptBytes;
  #body: Body | null = null;
  #bytesMax = 0;
  #hash: Hash | null = null;
  #expected = 0;
  #held = 0;
  #piece: Buffer | null = null;
  #pieceUsed = 0;
  /** The bound over all connections was hit, not that of the message. */
  crowdedOut = false;

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  /**
   * A new body. `bytesMax`: wire bytes kept at most, 0 keeps none; `expected`: wire bytes that its framing announces, or
   * 0 when that is not known.
   */
  begin(framing: Framing, bytesMax: number, expected: number, hash: boolean): Body {
    const tooLarge = bytesMax > 0 && expected > bytesMax;
    const body: Body = {
      framing,
      bytes: 0,
      sha256: null,
      wire: bytesMax > 0 && !tooLarge ? [] : null,
      wireBytes: 0,
      tooLarge,
    };
    this.#body = body;
    this.#bytesMax = bytesMax;
    this.#expected = expected;
    this.#hash = hash ? createHash('sha256') : null;
    this.crowdedOut = false;
    return body;
  }

  /** The body of a message that has none. */
  static none(kept: boolean, hash: boolean): Body {
    const sha256 = hash ? EMPTY_SHA256 : null;
    return { framing: 'none', bytes: 0, sha256, wire: kept ? [] : null, wireBytes: 0, tooLarge: false };
  }

  /** Bytes of the body as they are on the wire. */
  wire(bytes: Buffer, start: number, end: number): void {
    const body = this.#body;
    if (body === null) return;
    const length = end - start;
    body.wireBytes += length;
    if (body.wire === null) return;
    const crowded = !this.#kept.take(length);
    if (crowded || body.wireBytes > this.#bytesMax) {
      if (!crowded) this.#held += length;
      this.crowdedOut = crowded;
      body.tooLarge = true;
      this.#drop(body);
      return;
    }
    this.#held += length;
    this.#copy(body.wire, bytes, start, end);
  }

  /** Bytes of the body with the transfer coding removed. */
  decoded(bytes: Buffer, start: number, end: number): void {
    if (this.#body !== null) this.#body.bytes += end - start;
    if (this.#hash !== null) this.#hash.update(bytes.subarray(start, end));
  }

  /** Bytes of the body will never be seen. */
  lose(): void {
    if (this.#body !== null) this.#drop(this.#body);
    this.#hash = null;
  }

  /** The body has ended, complete or not; what was kept is the consumer's from now on. */
  finish(): void {
    const body = this.#body;
    if (body === null) return;
    this.#closePiece(body.wire);
    if (this.#hash !== null) body.sha256 = this.#hash.digest('hex');
    this.#kept.release(this.#held);
    this.#held = 0;
    this.#hash = null;
    this.#body = null;
  }

  #drop(body: Body): void {
    body.wire = null;
    this.#piece = null;
    this.#pieceUsed = 0;
    this.#kept.release(this.#held);
    this.#held = 0;
  }

  #copy(wire: Buffer[], bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const piece = this.#room(wire, end - at);
      const length = Math.min(end - at, piece.length - this.#pieceUsed);
      bytes.copy(piece, this.#pieceUsed, at, at + length);
      this.#pieceUsed += length;
      at += length;
    }
  }

  #room(wire: Buffer[], wanted: number): Buffer {
    if (this.#piece !== null && this.#pieceUsed < this.#piece.length) return this.#piece;
    this.#closePiece(wire);
    const held = this.#held - wanted;
    const coming = this.#expected > 0 ? this.#expected - held : Math.max(PIECE_BYTES_MIN, held);
    const piece = Buffer.allocUnsafe(Math.max(wanted, Math.min(coming, PIECE_BYTES_MAX)));
    this.#piece = piece;
    this.#pieceUsed = 0;
    return piece;
  }

  #closePiece(wire: Buffer[] | null): void {
    const piece = this.#piece;
    if (piece === null) return;
    if (wire !== null) wire.push(this.#pieceUsed === piece.length ? piece : piece.subarray(0, this.#pieceUsed));
    this.#piece = null;
    this.#pieceUsed = 0;
  }
}
