import type { Direction } from './connection.ts';
import { sequenceAdd, sequenceDistance } from './sequence.ts';

/**
 * What waits in one stream: segments behind a hole (or whose place is not known yet), and what is known about the hole.
 *
 * - Pieces are sorted by sequence number and never overlap: the first bytes seen win, later ones are trimmed.
 * - A piece without bytes stands for bytes that the mirror cut off; real bytes that come later replace it.
 * - All sequence numbers of one backlog lie within a window far smaller than 2^31, which the caller sees to.
 */

/** Memory charged for a piece and for a backlog besides their bytes. */
const pieceOverheadBytes = 160;
const backlogOverheadBytes = 256;

export class Piece {
  readonly sequence: number;
  readonly length: number;
  /** Exactly `length` bytes, or null for bytes that were cut off. */
  readonly bytes: Buffer | null;
  /** Of the segment it came in, -1 for none. */
  readonly acknowledgement: number;
  readonly timeUs: number;
  /** Its first byte was the first payload byte of the segment as it was sent. */
  readonly segmentStart: boolean;

  constructor(
    sequence: number,
    length: number,
    bytes: Buffer | null,
    acknowledgement: number,
    timeUs: number,
    segmentStart: boolean,
  ) {
    this.sequence = sequence;
    this.length = length;
    this.bytes = bytes;
    this.acknowledgement = acknowledgement;
    this.timeUs = timeUs;
    this.segmentStart = segmentStart;
  }

  get end(): number {
    return sequenceAdd(this.sequence, this.length);
  }

  get costBytes(): number {
    return pieceOverheadBytes + (this.bytes === null ? 0 : this.length);
  }
}

/** The peer acknowledged bytes that were not seen: the proof that they are lost is on its way. */
class Acknowledged {
  /** Sequence number up to which the peer has the bytes. */
  to: number;
  /** A segment that acknowledges more than this was sent after its sender had heard of `to`. */
  proof: number;
  timeUs: number;

  constructor(to: number, proof: number, timeUs: number) {
    this.to = to;
    this.proof = proof;
    this.timeUs = timeUs;
  }
}

export class Backlog {
  readonly slot: number;
  readonly direction: Direction;
  readonly pieces: Piece[] = [];
  /** Memory it holds, and how much of that the table has counted. */
  costBytes = backlogOverheadBytes;
  countedBytes = 0;
  /** Where the first hole begins (while the stream's place is not known: what was held first), and since when. */
  holeAt: number;
  noticedUs: number;
  /** The peer sent a segment since. */
  peerSeen = false;
  /** First acknowledgement beyond the hole, and the latest one; the same when there was one only. */
  acknowledged: Acknowledged | null = null;
  #latest: Acknowledged | null = null;
  /** A full round trip showed that the peer has the bytes up to `acknowledged.to`. */
  proven = false;
  /** Neighbours in the list of `Backlogs`. */
  older: Backlog | null = null;
  newer: Backlog | null = null;
  linked = false;

  constructor(slot: number, direction: Direction, holeAt: number, timeUs: number) {
    this.slot = slot;
    this.direction = direction;
    this.holeAt = holeAt;
    this.noticedUs = timeUs;
  }

  /** Sequence number behind the last piece, or `otherwise`. */
  endOr(otherwise: number): number {
    const last = this.pieces.at(-1);
    return last === undefined ? otherwise : last.end;
  }

  /** Notes that the peer acknowledged up to `to`, in a segment that left before it had sent anything beyond `proof`. */
  acknowledge(to: number, proof: number, timeUs: number): void {
    if (this.#latest !== null && sequenceDistance(this.#latest.to, to) <= 0) return;
    this.#latest = new Acknowledged(to, proof, timeUs);
    this.acknowledged ??= this.#latest;
  }

  /** Takes in an acknowledgement sent by this stream's own sender. */
  prove(acknowledgement: number): void {
    if (this.acknowledged === null) return;
    if (sequenceDistance(this.acknowledged.proof, acknowledgement) > 0) this.proven = true;
  }

  /** The stream is at `next`: if that is news, what is known about the hole is now about the next one. */
  moved(next: number, nowUs: number): void {
    if (next === this.holeAt) return;
    this.holeAt = next;
    this.noticedUs = this.pieces.length > 0 ? this.pieces[0].timeUs : nowUs;
    if (this.acknowledged === null || sequenceDistance(next, this.acknowledged.to) > 0) return;
    this.acknowledged = this.#latest !== null && sequenceDistance(next, this.#latest.to) > 0 ? this.#latest : null;
    if (this.acknowledged === null) this.#latest = null;
    this.proven = false;
  }

  /**
   * Holds what is not held yet of `length` bytes from `sequence` on: copies of `bytes[start..]`, or with null a mark
   * that they were cut off. Returns how many were new.
   */
  hold(
    bytes: Buffer | null,
    start: number,
    length: number,
    sequence: number,
    acknowledgement: number,
    timeUs: number,
    segmentStart: boolean,
  ): number {
    let held = 0;
    let offset = 0;
    let index = this.#firstEndingBehind(sequence);
    while (offset < length) {
      const at = sequenceAdd(sequence, offset);
      const piece = index < this.pieces.length ? this.pieces[index] : null;
      const room = piece === null ? length - offset : Math.min(length - offset, sequenceDistance(at, piece.sequence));
      if (room > 0) {
        const copy = bytes === null ? null : Buffer.allocUnsafeSlow(room);
        if (bytes !== null && copy !== null) bytes.copy(copy, 0, start + offset, start + offset + room);
        this.#insert(index, new Piece(at, room, copy, acknowledgement, timeUs, segmentStart && offset === 0));
        held += room;
        index++;
      }
      if (piece === null) break;
      offset = sequenceDistance(sequence, piece.end);
      index++;
    }
    return held;
  }

  /** How many of the bytes differ from those held for the same place. */
  conflicts(bytes: Buffer, start: number, length: number, sequence: number): number {
    let differing = 0;
    for (let index = this.#firstEndingBehind(sequence); index < this.pieces.length; index++) {
      const piece = this.pieces[index];
      const shift = sequenceDistance(sequence, piece.sequence);
      if (shift >= length) break;
      if (piece.bytes === null) continue;
      const to = Math.min(length, shift + piece.length);
      for (let at = Math.max(shift, 0); at < to; at++) {
        if (bytes[start + at] !== piece.bytes[at - shift]) differing++;
      }
    }
    return differing;
  }

  /** Takes away the marks for cut-off bytes in a range, because the bytes themselves have come. */
  uncover(sequence: number, length: number): void {
    for (let index = this.#firstEndingBehind(sequence); index < this.pieces.length; index++) {
      const piece = this.pieces[index];
      const before = sequenceDistance(piece.sequence, sequence);
      const behind = piece.length - before - length;
      if (before + length <= 0) break;
      if (piece.bytes !== null) continue;
      this.#remove(index, 1);
      if (before > 0) this.#insert(index++, this.#mark(piece, 0, before));
      if (behind > 0) this.#insert(index++, this.#mark(piece, piece.length - behind, behind));
      index--;
    }
  }

  /** Drops everything from `sequence` on. Returns how many bytes that were. */
  cut(sequence: number): number {
    let dropped = 0;
    let index = this.#firstEndingBehind(sequence);
    if (index === this.pieces.length) return 0;
    const first = this.pieces[index];
    const keep = sequenceDistance(first.sequence, sequence);
    const rest = this.pieces.slice(index);
    this.#remove(index, rest.length);
    for (const piece of rest) dropped += piece.bytes === null ? 0 : piece.length;
    if (keep > 0) {
      const bytes = first.bytes === null ? null : Buffer.from(first.bytes.subarray(0, keep));
      const { acknowledgement, timeUs, segmentStart } = first;
      this.#insert(index++, new Piece(first.sequence, keep, bytes, acknowledgement, timeUs, segmentStart));
      if (bytes !== null) dropped -= keep;
    }
    return dropped;
  }

  /** Takes away the first `count` pieces. */
  shift(count: number): void {
    if (count > 0) this.#remove(0, count);
  }

  #mark(piece: Piece, offset: number, length: number): Piece {
    return new Piece(sequenceAdd(piece.sequence, offset), length, null, piece.acknowledgement, piece.timeUs, false);
  }

  #insert(index: number, piece: Piece): void {
    if (index === this.pieces.length) this.pieces.push(piece);
    else this.pieces.splice(index, 0, piece);
    this.costBytes += piece.costBytes;
  }

  #remove(index: number, count: number): void {
    for (let at = index; at < index + count; at++) this.costBytes -= this.pieces[at].costBytes;
    this.pieces.splice(index, count);
  }

  /** Index of the first piece whose end is behind `sequence`; the number of pieces if there is none. */
  #firstEndingBehind(sequence: number): number {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sequenceDistance(sequence, this.pieces[middle].end) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
