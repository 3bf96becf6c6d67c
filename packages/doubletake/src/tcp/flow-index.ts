import type { Segment } from '../packets/segment.ts';
import type { Direction } from './connection.ts';
import { Phase, phases, recordWords, streamWords, Word } from './flow-record.ts';

/**
 * Finds the slot of a segment's flow: an open-addressing hash table over typed arrays, and a list of slots by age for
 * each phase. Nothing is allocated for a flow.
 *
 * - Both directions of a connection have one key: the lower endpoint is endpoint 0.
 * - A slot keeps its number for as long as its flow is remembered; only the buckets move.
 * - At most half of the buckets are in use, and a removed one is closed up, so that probing stays short.
 * - Lists are ordered to the second: a flow moves at most once a second, which spares most segments the writes.
 */

const emptyList = -1;
const initialSlots = 1024;

/** The second of a packet time, as a word. Differences are right across the wrap. */
function secondOf(timeUs: number): number {
  return (timeUs / 1_000_000) | 0;
}

function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** True when the source is the higher endpoint. Any total order does; the last word differs most often. */
function isReversed(segment: Segment): boolean {
  const { source, destination } = segment;
  for (let word = 3; word >= 0; word--) {
    if (source[word] !== destination[word]) return source[word] > destination[word];
  }
  return segment.sourcePort > segment.destinationPort;
}

export class FlowIndex {
  /** All records; replaced when it grows, so it is read anew after every `insert`. */
  records: Int32Array;
  /** Which endpoint sent the segment last looked for. */
  direction: Direction = 0;
  /** Slots in each phase. */
  readonly counts = new Int32Array(phases);
  readonly #oldest = new Int32Array(phases).fill(emptyList);
  readonly #newest = new Int32Array(phases).fill(emptyList);
  readonly #slotsMax: number;
  readonly #seed: number;
  /** Pairs of slot + 1 (0 for empty) and hash. */
  #buckets: Int32Array;
  #bucketMask: number;
  #slots: number;
  #used = 0;
  #freeSlot = emptyList;
  #hash = 0;

  constructor(slotsMax: number, seed: number) {
    this.#slotsMax = slotsMax;
    this.#seed = seed | 0;
    this.#slots = Math.min(initialSlots, slotsMax);
    this.records = new Int32Array(this.#slots * recordWords);
    const buckets = 2 ** Math.ceil(Math.log2(this.#slots * 2));
    this.#buckets = new Int32Array(buckets * 2);
    this.#bucketMask = buckets - 1;
  }

  /** Whether a flow must be removed before another can be inserted. */
  get full(): boolean {
    return this.#freeSlot === emptyList && this.#used === this.#slotsMax;
  }

  /** Slot of the segment's flow, or -1. Sets `direction`. */
  find(segment: Segment): number {
    const reversed = isReversed(segment);
    this.direction = reversed ? 1 : 0;
    const low = reversed ? segment.destination : segment.source;
    const high = reversed ? segment.source : segment.destination;
    const ports = reversed
      ? (segment.destinationPort << 16) | segment.sourcePort
      : (segment.sourcePort << 16) | segment.destinationPort;
    const tunnel = segment.tunnel | 0;
    const scope = ((segment.tunnel / 0x1_0000_0000) << 24) | segment.vlan;

    let hash = this.#seed;
    hash = mix(mix(mix(mix(hash, low[0]), low[1]), low[2]), low[3]);
    hash = mix(mix(mix(mix(hash, high[0]), high[1]), high[2]), high[3]);
    hash = mix(mix(mix(hash, ports), tunnel), scope);
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    this.#hash = hash;

    const buckets = this.#buckets;
    const records = this.records;
    const mask = this.#bucketMask;
    for (let bucket = hash & mask; ; bucket = (bucket + 1) & mask) {
      const slot = buckets[bucket * 2] - 1;
      if (slot < 0) return -1;
      if (buckets[bucket * 2 + 1] !== hash) continue;
      const at = slot * recordWords;
      if (
        records[at + Word.ports] === ports &&
        records[at + 3] === low[3] &&
        records[at + 7] === high[3] &&
        records[at + Word.tunnel] === tunnel &&
        records[at + Word.scope] === scope &&
        records[at] === low[0] &&
        records[at + 1] === low[1] &&
        records[at + 2] === low[2] &&
        records[at + 4] === high[0] &&
        records[at + 5] === high[1] &&
        records[at + 6] === high[2]
      ) {
        return slot;
      }
    }
  }

  /** A slot for the segment just looked for and not found, half-open, its streams zeroed. Not while `full`. */
  insert(segment: Segment): number {
    const slot = this.#allocate();
    const at = slot * recordWords;
    const records = this.records;
    const reversed = this.direction === 1;
    records.set(reversed ? segment.destination : segment.source, at + Word.addresses);
    records.set(reversed ? segment.source : segment.destination, at + Word.addresses + 4);
    records[at + Word.ports] = reversed
      ? (segment.destinationPort << 16) | segment.sourcePort
      : (segment.sourcePort << 16) | segment.destinationPort;
    records[at + Word.tunnel] = segment.tunnel | 0;
    records[at + Word.scope] = ((segment.tunnel / 0x1_0000_0000) << 24) | segment.vlan;
    records[at + Word.hash] = this.#hash;
    records[at + Word.touchedS] = secondOf(segment.timeUs);
    this.clearStreams(slot);
    this.#place(slot, this.#hash);
    this.#append(slot, Phase.halfOpen);
    return slot;
  }

  /** Forgets the state of both streams; the key stays. */
  clearStreams(slot: number): void {
    const at = slot * recordWords;
    this.records.fill(0, at + Word.streams, at + Word.streams + 2 * streamWords);
    this.records[at + Word.initiator] = -1;
  }

  remove(slot: number): void {
    this.#unlink(slot);
    this.#closeUp(slot);
    this.records[slot * recordWords + Word.newer] = this.#freeSlot;
    this.#freeSlot = slot;
  }

  /** Marks the flow as used at this time. */
  touch(slot: number, timeUs: number): void {
    const at = slot * recordWords;
    const second = secondOf(timeUs);
    if (this.records[at + Word.touchedS] === second) return;
    this.records[at + Word.touchedS] = second;
    this.move(slot, this.phase(slot));
  }

  /** Makes the flow the latest of a phase. */
  move(slot: number, phase: Phase): void {
    this.#unlink(slot);
    this.#append(slot, phase);
  }

  phase(slot: number): Phase {
    return this.records[slot * recordWords + Word.phase] as Phase;
  }

  /** The longest untouched slot of a phase, or -1. */
  oldest(phase: Phase): number {
    return this.#oldest[phase];
  }

  /** Whole seconds for which the flow has not been touched. */
  untouchedS(slot: number, nowUs: number): number {
    return (secondOf(nowUs) - this.records[slot * recordWords + Word.touchedS]) | 0;
  }

  #allocate(): number {
    const free = this.#freeSlot;
    if (free !== emptyList) {
      this.#freeSlot = this.records[free * recordWords + Word.newer];
      return free;
    }
    if (this.#used === this.#slotsMax) throw new Error('the flow index is full');
    if (this.#used === this.#slots) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    this.#slots = Math.min(this.#slots * 2, this.#slotsMax);
    const records = new Int32Array(this.#slots * recordWords);
    records.set(this.records);
    this.records = records;
    const old = this.#buckets;
    this.#buckets = new Int32Array(old.length * 2);
    this.#bucketMask = this.#buckets.length / 2 - 1;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] !== 0) this.#place(old[at] - 1, old[at + 1]);
    }
  }

  #place(slot: number, hash: number): void {
    const buckets = this.#buckets;
    let bucket = hash & this.#bucketMask;
    while (buckets[bucket * 2] !== 0) bucket = (bucket + 1) & this.#bucketMask;
    buckets[bucket * 2] = slot + 1;
    buckets[bucket * 2 + 1] = hash;
  }

  /** Empties the slot's bucket and moves later ones of the same run up, so that no run is cut in two. */
  #closeUp(slot: number): void {
    const buckets = this.#buckets;
    const mask = this.#bucketMask;
    let hole = this.records[slot * recordWords + Word.hash] & mask;
    while (buckets[hole * 2] !== slot + 1) hole = (hole + 1) & mask;
    for (let bucket = (hole + 1) & mask; buckets[bucket * 2] !== 0; bucket = (bucket + 1) & mask) {
      const home = buckets[bucket * 2 + 1] & mask;
      if (((bucket - home) & mask) < ((bucket - hole) & mask)) continue;
      buckets[hole * 2] = buckets[bucket * 2];
      buckets[hole * 2 + 1] = buckets[bucket * 2 + 1];
      hole = bucket;
    }
    buckets[hole * 2] = 0;
  }

  #append(slot: number, phase: Phase): void {
    const records = this.records;
    const newest = this.#newest[phase];
    const at = slot * recordWords;
    records[at + Word.phase] = phase;
    records[at + Word.older] = newest;
    records[at + Word.newer] = emptyList;
    if (newest === emptyList) this.#oldest[phase] = slot;
    else records[newest * recordWords + Word.newer] = slot;
    this.#newest[phase] = slot;
    this.counts[phase]++;
  }

  #unlink(slot: number): void {
    const records = this.records;
    const at = slot * recordWords;
    const phase = records[at + Word.phase];
    const older = records[at + Word.older];
    const newer = records[at + Word.newer];
    if (older === emptyList) this.#oldest[phase] = newer;
    else records[older * recordWords + Word.newer] = newer;
    if (newer === emptyList) this.#newest[phase] = older;
    else records[newer * recordWords + Word.older] = older;
    this.counts[phase]--;
  }
}
