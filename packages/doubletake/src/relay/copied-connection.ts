/**
 * One relayed connection as it is copied into a ring: both directions get sequence numbers, and acknowledgement numbers
 * that say what had been relayed of the other side. What finds no room becomes a gap that is told before anything else of
 * the connection, and so are its ends; nothing here ever waits.
 *
 * Invariant: for each direction the records in the ring describe its bytes without hole or overlap.
 */
import type { CopyOutlet } from './copy-outlet.ts';
import { CopyKind } from './copy-ring.ts';

/** 0: from the client to production; 1: back. */
export type CopyDirection = 0 | 1;

/** A longer gap is told in parts, so that sequence numbers cannot be mistaken. */
const gapBytesMax = 2 ** 30;

/** What was relayed and not copied, of one source. */
export interface GapCounts {
  gaps: number;
  gapBytes: number;
}

export class CopiedConnection {
  readonly id: number;
  /** Where the ring was when this connection was last written to it. */
  #position = 0;
  readonly #outlet: CopyOutlet;
  readonly #source: number;
  readonly #endpoints: Uint8Array;
  readonly #counts: GapCounts;
  #opened = false;
  /** Sequence numbers behind what was relayed, and bytes of that which were not copied and not told. */
  readonly #next: [number, number] = [0, 0];
  readonly #missing: [number, number] = [0, 0];
  readonly #ended: ['no' | 'owed' | 'told', 'no' | 'owed' | 'told'] = ['no', 'no'];
  #closed: 'no' | 'fin' | 'reset' | 'told' = 'no';

  /** `endpoints` as `encodeEndpoints` gives them; `source` is the position of the source in the configuration. */
  constructor(id: number, source: number, endpoints: Uint8Array, outlet: CopyOutlet, counts: GapCounts) {
    this.id = id;
    this.#outlet = outlet;
    this.#source = source;
    this.#endpoints = endpoints;
    this.#counts = counts;
  }

  /** Bytes that were handed on just now. */
  data(direction: CopyDirection, bytes: Uint8Array): void {
    const acknowledgement = this.#next[direction === 0 ? 1 : 0];
    const copied = this.#open() && this.settle() && this.#write(CopyKind.data, direction, this.#next[direction], acknowledgement, bytes);
    this.#next[direction] = (this.#next[direction] + bytes.length) >>> 0;
    if (copied) return;
    if (this.#missing[direction] === 0) this.#counts.gaps++;
    this.#counts.gapBytes += bytes.length;
    this.#missing[direction] += bytes.length;
    this.#outlet.owe(this);
  }

  /** FIN of one side. */
  end(direction: CopyDirection): void {
    this.#ended[direction] = 'owed';
    if (!this.settle()) this.#outlet.owe(this);
  }

  /** Nothing more comes. */
  close(how: 'fin' | 'reset'): void {
    this.#closed = how;
    if (!this.settle()) this.#outlet.owe(this);
  }

  /** Writes what is still to be told of this connection; true when that is all. Of one without bytes nothing is told. */
  settle(): boolean {
    if (this.#missing[0] + this.#missing[1] > 0 && !this.#open()) return false;
    if (!this.#opened) return true;
    return this.#tellGap(0) && this.#tellGap(1) && this.#tellEnd(0) && this.#tellEnd(1) && this.#tellClose();
  }

  /** Whether the reader knows all of this connection when it has read up to `position`. */
  knownAt(position: number): boolean {
    return this.#position <= position && this.#missing[0] + this.#missing[1] === 0;
  }

  #open(): boolean {
    this.#opened ||= this.#write(CopyKind.open, 0, 0, 0, this.#endpoints);
    return this.#opened;
  }

  #tellGap(direction: CopyDirection): boolean {
    while (this.#missing[direction] > 0) {
      const length = Math.min(this.#missing[direction], gapBytesMax);
      const sequence = (this.#next[direction] - this.#missing[direction]) >>> 0;
      if (!this.#write(CopyKind.gap, direction, sequence, length, null)) return false;
      this.#missing[direction] -= length;
    }
    return true;
  }

  #tellEnd(direction: CopyDirection): boolean {
    if (this.#ended[direction] !== 'owed') return true;
    if (!this.#write(CopyKind.end, direction, 0, 0, null)) return false;
    this.#ended[direction] = 'told';
    return true;
  }

  #tellClose(): boolean {
    if (this.#closed === 'no' || this.#closed === 'told') return true;
    if (!this.#write(CopyKind.close, this.#closed === 'reset' ? 1 : 0, 0, 0, null)) return false;
    this.#closed = 'told';
    return true;
  }

  #write(kind: CopyKind, direction: number, sequence: number, acknowledgement: number, payload: Uint8Array | null): boolean {
    if (!this.#outlet.write(kind, this.id, this.#source, direction, sequence, acknowledgement, payload)) return false;
    this.#position = this.#outlet.position;
    return true;
  }
}
