import { type Segment, TcpFlag } from '../packets/segment.ts';
import type { StreamHandler } from './connection.ts';
import { FlowCounters } from './counters.ts';
import { Delivery } from './delivery.ts';
import { FlowIndex } from './flow-index.ts';
import { Phase, recordWords, streamAt, StreamFlag, StreamWord, Word } from './flow-record.ts';
import { type FlowLimits, resolveLimits } from './limits.ts';
import { plausibleBytesMax, Reassembly } from './reassembly.ts';
import { sequenceAdd, sequenceDistance } from './sequence.ts';

/**
 * The face of the TCP stage: segments in, ordered streams with gaps out.
 *
 * This file decides to which connection of its four-tuple a segment belongs: handshake, reset, late segments of a
 * closed connection, a new connection over an old one, pick-up in the middle. `Reassembly` does the rest.
 *
 * - Whatever comes in, `push` does not throw; what has no place is counted.
 * - A SYN with another initial number begins a new connection. Without the SYN, so does payload beyond a FIN or
 *   implausibly far from the stream, if a message can start with it.
 */

/** How far before the picked-up place a SYN may be and still be this connection's: more than an initial window. */
const lateSynBytesMax = 2 ** 17;
/** How far behind an implausible segment the next one may be to confirm that the stream goes on there. */
const jumpSlackBytes = 2 ** 16;
/** Flows forgotten for age in one `tick`, so that none takes long. */
const expiredPerTickMax = 16_384;

const handshakeOrEnd = TcpFlag.syn | TcpFlag.rst | TcpFlag.fin;

export class FlowTable<State> {
  readonly #limits: FlowLimits;
  readonly #counters = new FlowCounters();
  readonly #index: FlowIndex;
  readonly #delivery: Delivery<State>;
  readonly #streams: Reassembly<State>;

  /** Throws a RangeError for limits that make no sense. */
  constructor(handler: StreamHandler<State>, options: Partial<FlowLimits> = {}) {
    this.#limits = resolveLimits(options);
    this.#index = new FlowIndex(this.#limits.connectionsMax, this.#limits.hashSeed);
    this.#delivery = new Delivery(this.#index, handler, this.#counters);
    this.#streams = new Reassembly(this.#index, this.#delivery, this.#limits, this.#counters);
  }

  /** Streams that wait for bytes or for proof that they are lost. While there are any, `tick` is due every 10 ms. */
  get pendingHoles(): number {
    return this.#streams.pendingHoles;
  }

  /** The live counters; reading them brings the gauges up to date. */
  get counters(): Readonly<FlowCounters> {
    this.#counters.active = this.#index.counts[Phase.active] + this.#index.counts[Phase.lone];
    this.#counters.halfOpen = this.#index.counts[Phase.halfOpen];
    return this.#counters;
  }

  /** Takes one segment; its buffer is read during the call only. */
  push(segment: Segment): void {
    const counters = this.#counters;
    const index = this.#index;
    counters.segments++;
    counters.payloadBytes += segment.payloadEnd - segment.payloadStart;
    const slot = index.find(segment);
    if (slot < 0) {
      this.#pushUnknown(segment);
      return;
    }
    index.touch(slot, segment.timeUs);
    const simple = (segment.flags & handshakeOrEnd) === 0 && segment.payloadMissing === 0;
    if (simple && this.#streams.receiveRegular(slot, index.direction, segment)) return;
    this.#pushIrregular(slot, segment);
  }

  /** Gives up holes and forgets flows whose time has come. `nowUs` is on the clock of the packets' times. */
  tick(nowUs: number): void {
    this.#streams.expire(nowUs);
    const { idleUs, quietUs } = this.#limits;
    let left = expiredPerTickMax;
    for (let slot; left > 0 && (slot = this.#untouched(Phase.active, idleUs, nowUs)) >= 0; left--) {
      this.#streams.rest(slot, nowUs);
    }
    for (const phase of [Phase.lone, Phase.closed, Phase.halfOpen]) {
      for (let slot; left > 0 && (slot = this.#untouched(phase, quietUs, nowUs)) >= 0; left--) {
        this.#streams.finish(slot, phase === Phase.lone ? 'fin' : 'idle', nowUs);
        this.#index.remove(slot);
      }
    }
  }

  /** The capture ended: delivers all that is held and closes every connection. */
  flush(nowUs: number): void {
    this.#streams.giveUpAll(nowUs);
    for (const phase of [Phase.active, Phase.lone, Phase.halfOpen, Phase.dormant, Phase.closed]) {
      for (let slot; (slot = this.#index.oldest(phase)) >= 0; ) {
        this.#streams.finish(slot, 'flushed', nowUs);
        this.#index.remove(slot);
      }
    }
  }

  /** The oldest slot of a phase if it has not been touched for so long, else -1. */
  #untouched(phase: Phase, limitUs: number, nowUs: number): number {
    const slot = this.#index.oldest(phase);
    return slot >= 0 && this.#index.untouchedS(slot, nowUs) * 1_000_000 >= limitUs ? slot : -1;
  }

  /** A segment of no known flow: a SYN or payload begins one, the rest says nothing that is needed. */
  #pushUnknown(segment: Segment): void {
    const { flags } = segment;
    const length = segment.payloadEnd - segment.payloadStart;
    if ((flags & TcpFlag.rst) !== 0 || ((flags & TcpFlag.syn) === 0 && length + segment.payloadMissing === 0)) {
      this.#counters.straySegments++;
      this.#counters.ignoredBytes += length;
      return;
    }
    if (this.#index.full) this.#makeRoom(segment.timeUs);
    const slot = this.#index.insert(segment);
    this.#streams.admit(slot);
    this.#pushIrregular(slot, segment);
  }

  /** Forgets one flow: half-open ones when they are many (a flood), then closed ones, then the oldest open one. */
  #makeRoom(nowUs: number): void {
    const index = this.#index;
    const flooded = index.counts[Phase.halfOpen] > this.#limits.connectionsMax / 8;
    let slot = flooded ? index.oldest(Phase.halfOpen) : -1;
    if (slot < 0) slot = index.oldest(Phase.closed);
    if (slot < 0) slot = index.oldest(Phase.lone);
    if (slot < 0) slot = index.oldest(Phase.dormant);
    if (slot < 0) slot = index.oldest(Phase.active);
    if (slot < 0) slot = index.oldest(Phase.halfOpen);
    this.#streams.finish(slot, 'evicted', nowUs);
    index.remove(slot);
    this.#counters.evictedFlows++;
  }

  #pushIrregular(slot: number, segment: Segment): void {
    const { flags, sequence } = segment;
    const direction = this.#index.direction;
    const isSyn = (flags & TcpFlag.syn) !== 0;
    if ((flags & TcpFlag.rst) !== 0) {
      this.#reset(slot, segment);
      return;
    }
    if (isSyn) {
      this.#counters.syn++;
      if (!this.#synchronize(slot, segment)) {
        this.#counters.afterCloseSegments++;
        this.#ignore(segment);
        return;
      }
    } else if (!this.#belongs(slot, segment)) {
      return;
    }
    this.#streams.receive(slot, direction, segment, isSyn ? sequenceAdd(sequence, 1) : sequence);
  }

  /**
   * Places a SYN or SYN-ACK: of this connection (first, repeated or late), or of a new one over it. Returns false for a
   * repeated SYN of a closed connection (unless it never got to carry anything: then it is tried again).
   */
  #synchronize(slot: number, segment: Segment): boolean {
    const { timeUs, acknowledgement } = segment;
    const direction = this.#index.direction;
    const peer = direction === 0 ? 1 : 0;
    const at = streamAt(slot, direction);
    const peerAt = streamAt(slot, peer);
    const first = sequenceAdd(segment.sequence, 1);
    const isAnswer = (segment.flags & TcpFlag.ack) !== 0;
    const closed = this.#index.phase(slot) === Phase.closed;
    const records = this.#index.records;
    const known = (records[at + StreamWord.flags] & StreamFlag.known) !== 0;
    const same = known && sequenceDistance(records[at + StreamWord.start], first) === 0;
    const carried = records[at + StreamWord.next] !== records[at + StreamWord.start];
    if (closed && same && carried) return false;
    if (closed || !this.#synFits(slot, segment, first)) this.#restart(slot, timeUs);

    const flags = records[at + StreamWord.flags];
    if ((flags & StreamFlag.known) === 0) {
      records[at + StreamWord.flags] |= StreamFlag.synSeen;
      this.#streams.begin(slot, direction, first, timeUs);
    } else if (sequenceDistance(records[at + StreamWord.start], first) !== 0) {
      const untouched = records[at + StreamWord.next] === records[at + StreamWord.start];
      records[at + StreamWord.start] = first;
      if (untouched) this.#streams.begin(slot, direction, first, timeUs);
    }
    records[at + StreamWord.flags] |= StreamFlag.synSeen;
    if (isAnswer && (records[peerAt + StreamWord.flags] & StreamFlag.known) === 0) {
      this.#streams.beginAcknowledged(slot, peer, acknowledgement, timeUs);
    }
    const initiatorAt = slot * recordWords + Word.initiator;
    if (records[initiatorAt] < 0) {
      records[initiatorAt] = isAnswer ? peer : direction;
      const connection = this.#delivery.connection(slot);
      if (connection !== null) connection.initiator = isAnswer ? peer : direction;
    }
    return true;
  }

  /** Whether a SYN, whose stream would begin at `first`, can be of the open connection in the slot. */
  #synFits(slot: number, segment: Segment, first: number): boolean {
    const records = this.#index.records;
    const direction = this.#index.direction;
    const at = streamAt(slot, direction);
    const flags = records[at + StreamWord.flags];
    if ((flags & StreamFlag.known) !== 0) {
      const late = sequenceDistance(first, records[at + StreamWord.start]);
      if (late === 0) return true;
      if ((flags & StreamFlag.synSeen) === 0) return late > 0 && late <= lateSynBytesMax;
      // A server that forgot a half-open connection answers the repeated SYN with another number.
      const untouched = records[at + StreamWord.next] === records[at + StreamWord.start];
      const peerStart = records[streamAt(slot, 1 - direction) + StreamWord.start];
      const answersPeer = sequenceDistance(peerStart, segment.acknowledgement) === 0;
      return (segment.flags & TcpFlag.ack) !== 0 && answersPeer && untouched && (flags & StreamFlag.held) === 0;
    }
    const position = this.#streams.position(slot, direction);
    const ahead = sequenceDistance(first, position);
    return position < 0 || (ahead >= 0 && ahead <= plausibleBytesMax);
  }

  /** A reset ends the connection if its number is near either what the sender sends or what the peer expects. */
  #reset(slot: number, segment: Segment): void {
    const counters = this.#counters;
    const direction = this.#index.direction;
    counters.rst++;
    counters.ignoredBytes += segment.payloadEnd - segment.payloadStart;
    if (this.#index.phase(slot) === Phase.closed) return;
    const position = this.#streams.position(slot, direction);
    const peerPosition = this.#streams.position(slot, direction === 0 ? 1 : 0);
    const hasAck = (segment.flags & TcpFlag.ack) !== 0;
    const ownFits = position >= 0 && Math.abs(sequenceDistance(position, segment.sequence)) <= plausibleBytesMax;
    // A refused connection: the sender has no sequence number yet, but acknowledges the SYN.
    const ackDistance = Math.abs(sequenceDistance(peerPosition, segment.acknowledgement));
    const ackFits = position < 0 && (!hasAck || peerPosition < 0 || ackDistance <= plausibleBytesMax);
    if (ownFits || ackFits) this.#streams.finish(slot, 'reset', segment.timeUs);
    else counters.resetsIgnored++;
  }

  /** Whether a segment without SYN or RST is of the slot's connection, which it may first begin anew. */
  #belongs(slot: number, segment: Segment): boolean {
    const counters = this.#counters;
    const length = segment.payloadEnd - segment.payloadStart;
    const isFin = (segment.flags & TcpFlag.fin) !== 0;
    const direction = this.#index.direction;
    const closed = this.#index.phase(slot) === Phase.closed;
    if (length + segment.payloadMissing === 0 && !(isFin && !closed)) return !closed;

    const records = this.#index.records;
    const at = streamAt(slot, direction);
    const flags = records[at + StreamWord.flags];
    const position = this.#streams.position(slot, direction);
    const ahead = position < 0 ? 0 : sequenceDistance(position, segment.sequence);
    const far = ahead > plausibleBytesMax || ahead < -plausibleBytesMax;
    const ended = closed || (flags & StreamFlag.ended) !== 0;
    const beyondFin = ended && (flags & StreamFlag.finSeen) !== 0 && ahead >= 0;
    if (!far && !beyondFin && !closed) return true;

    const { bytes, payloadStart, payloadEnd, timeUs } = segment;
    if ((far || beyondFin) && length > 0) {
      const confirmed = far && !closed && this.#confirmsJump(at, segment);
      if (confirmed || this.#limits.canStart(bytes, payloadStart, payloadEnd)) {
        this.#restart(slot, timeUs);
        return true;
      }
    }
    if (ended) {
      counters.afterCloseSegments++;
    } else {
      counters.implausibleSegments++;
      records[at + StreamWord.jump] = sequenceAdd(segment.sequence, length + segment.payloadMissing);
      records[at + StreamWord.flags] |= StreamFlag.jumped;
    }
    this.#ignore(segment);
    return false;
  }

  /** Two segments that follow each other, both implausibly far away, mean that the stream is there now. */
  #confirmsJump(at: number, segment: Segment): boolean {
    const records = this.#index.records;
    if ((records[at + StreamWord.flags] & StreamFlag.jumped) === 0) return false;
    const behind = sequenceDistance(records[at + StreamWord.jump], segment.sequence);
    return behind >= 0 && behind <= jumpSlackBytes;
  }

  #restart(slot: number, timeUs: number): void {
    this.#streams.finish(slot, 'reused', timeUs);
    this.#index.clearStreams(slot);
    this.#index.move(slot, Phase.halfOpen);
  }

  #ignore(segment: Segment): void {
    this.#counters.ignoredBytes += segment.payloadEnd - segment.payloadStart;
  }
}
