import { Backlog } from './backlog.ts';
import type { Direction } from './connection.ts';
import type { FlowCounters } from './counters.ts';
import type { FlowIndex } from './flow-index.ts';
import { streamAt, StreamFlag, StreamWord } from './flow-record.ts';

/**
 * All backlogs of a flow table: found by stream, and listed from the oldest to the latest, which is the order in which
 * they are given up for lack of memory.
 *
 * - A stream has the flag `held` exactly while it has a backlog.
 * - A dropped backlog keeps its `newer` link, so that a walk survives the removal of the one it stands on.
 */
export class Backlogs {
  /** The one that has waited longest. */
  oldest: Backlog | null = null;
  /** How many there are. */
  size = 0;
  readonly #index: FlowIndex;
  readonly #counters: FlowCounters;
  /** Two for each slot. */
  readonly #byStream: (Backlog | null)[] = [];
  #newest: Backlog | null = null;

  constructor(index: FlowIndex, counters: FlowCounters) {
    this.#index = index;
    this.#counters = counters;
  }

  /** Makes room for a slot that was just inserted. */
  admit(slot: number): void {
    while (this.#byStream.length <= slot * 2) this.#byStream.push(null, null);
  }

  get(slot: number, direction: number): Backlog | null {
    return this.#byStream[slot * 2 + direction];
  }

  /** A new backlog for a stream that has none; `first` is what it holds first. */
  add(slot: number, direction: Direction, first: number, timeUs: number): Backlog {
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    const known = (records[at + StreamWord.flags] & StreamFlag.known) !== 0;
    const backlog = new Backlog(slot, direction, known ? records[at + StreamWord.next] >>> 0 : first, timeUs);
    records[at + StreamWord.flags] |= StreamFlag.held;
    this.#byStream[slot * 2 + direction] = backlog;
    this.#link(backlog);
    this.count(backlog);
    return backlog;
  }

  drop(backlog: Backlog): void {
    this.#index.records[streamAt(backlog.slot, backlog.direction) + StreamWord.flags] &= ~StreamFlag.held;
    this.#byStream[backlog.slot * 2 + backlog.direction] = null;
    this.#unlink(backlog);
    this.#counters.bufferedBytes -= backlog.countedBytes;
  }

  /** Brings the memory counters up to date with what a backlog holds now. */
  count(backlog: Backlog): void {
    const counters = this.#counters;
    counters.bufferedBytes += backlog.costBytes - backlog.countedBytes;
    backlog.countedBytes = backlog.costBytes;
    counters.bufferedBytesPeak = Math.max(counters.bufferedBytesPeak, counters.bufferedBytes);
  }

  /** Makes a backlog the last to be given up. */
  renew(backlog: Backlog): void {
    this.#unlink(backlog);
    this.#link(backlog);
  }

  /** Lowest sequence number that waits in a backlog whose stream's place is not known. */
  lowest(backlog: Backlog): number {
    if (backlog.pieces.length > 0) return backlog.pieces[0].sequence;
    return this.#index.records[streamAt(backlog.slot, backlog.direction) + StreamWord.fin] >>> 0;
  }

  #link(backlog: Backlog): void {
    backlog.older = this.#newest;
    backlog.newer = null;
    if (this.#newest === null) this.oldest = backlog;
    else this.#newest.newer = backlog;
    this.#newest = backlog;
    backlog.linked = true;
    this.size++;
  }

  #unlink(backlog: Backlog): void {
    if (backlog.older === null) this.oldest = backlog.newer;
    else backlog.older.newer = backlog.newer;
    if (backlog.newer === null) this.#newest = backlog.older;
    else backlog.newer.older = backlog.older;
    backlog.linked = false;
    this.size--;
  }
}
