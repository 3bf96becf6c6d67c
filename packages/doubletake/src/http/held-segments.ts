/**
 * Data of one side that waits for what it acknowledges. The two directions of a connection can be delivered out of step:
 * while reassembly waits for a missing segment of a request, the response to it is already there. What waits is copied,
 * bounded for each connection and in total; when a bound is reached the conversation goes on without waiting.
 */
import type { KeptBytes } from './body.ts';
import type { IncompleteReason } from './exchange.ts';

export interface HeldData {
  kind: 'data';
  bytes: Buffer;
  timeUs: number;
  sequence: number;
  acknowledgement: number;
  segmentStart: boolean;
}

export interface HeldGap {
  kind: 'gap';
  length: number;
  timeUs: number;
  sequence: number;
  reason: IncompleteReason;
}

export interface HeldEnd {
  kind: 'end';
  timeUs: number;
}

export type Held = HeldData | HeldGap | HeldEnd;

const HELD_BYTES_MAX = 64 * 1024;
const HELD_SEGMENTS_MAX = 256;

export class HeldSegments {
  readonly #kept: KeptBytes;
  readonly #waiting: Held[] = [];
  #bytes = 0;

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  get first(): Held | undefined {
    return this.#waiting[0];
  }

  /** False, and nothing added, when a bound would be crossed. */
  add(held: Held): boolean {
    const length = held.kind === 'data' ? held.bytes.length : 0;
    if (this.#waiting.length >= HELD_SEGMENTS_MAX || this.#bytes + length > HELD_BYTES_MAX) return false;
    if (!this.#kept.take(length)) return false;
    this.#bytes += length;
    this.#waiting.push(held);
    return true;
  }

  /** Removes the first. */
  shift(): void {
    const held = this.#waiting.shift();
    if (held?.kind !== 'data') return;
    this.#bytes -= held.bytes.length;
    this.#kept.release(held.bytes.length);
  }
}
