import { type Segment, TcpFlag } from '../packets/segment.ts';
import type { Backlog, Piece } from './backlog.ts';
import { Backlogs } from './backlogs.ts';
import type { CloseReason, Direction } from './connection.ts';
import type { FlowCounters, GapCause } from './counters.ts';
import type { Delivery } from './delivery.ts';
import type { FlowIndex } from './flow-index.ts';
import { Phase, recordWords, streamAt, StreamFlag, StreamWord, Word } from './flow-record.ts';
import type { FlowLimits } from './limits.ts';
import { sequenceAdd, sequenceDistance } from './sequence.ts';

/**
 * Turns the segments of a flow into ordered bytes and gaps, and decides when a hole is a gap.
 *
 * - In-order bytes are delivered from the packet's buffer; only bytes behind a hole are copied, into a backlog.
 * - Bytes are delivered or given up in order and once: `next` only moves forward.
 * - A hole is given up within milliseconds when a round trip proves that production's receiver has the bytes: the peer
 *   acknowledged them, and this side then acknowledged something that the peer sent with or after that. Without the
 *   proof it is given up after a grace time, without the acknowledgement after a timeout, and when a bound is reached.
 * - Nothing here decides which connection a segment belongs to: that is `FlowTable`.
 */

/** A sequence number farther than this from where a stream is does not belong to it: more than any window in use. */
export const plausibleBytesMax = 2 ** 24;

/** State of a stream in which the next segment needs no thought: place known, sender seen, nothing waiting. */
const regularMask = StreamFlag.known | StreamFlag.seen | StreamFlag.finSeen | StreamFlag.ended | StreamFlag.held;
const regular = StreamFlag.known | StreamFlag.seen;

export class Reassembly<State> {
  readonly #index: FlowIndex;
  readonly #delivery: Delivery<State>;
  readonly #limits: FlowLimits;
  readonly #counters: FlowCounters;
  readonly #backlogs: Backlogs;

  constructor(index: FlowIndex, delivery: Delivery<State>, limits: FlowLimits, counters: FlowCounters) {
    this.#index = index;
    this.#delivery = delivery;
    this.#limits = limits;
    this.#counters = counters;
    this.#backlogs = new Backlogs(index, counters);
  }

  /** Streams that wait for something. */
  get pendingHoles(): number {
    return this.#backlogs.size;
  }

  /** Makes room for the state of a slot that was just inserted. */
  admit(slot: number): void {
    this.#delivery.admit(slot);
    this.#backlogs.admit(slot);
  }

  /**
   * Where a stream is: a sequence number, or -1 when nothing is known. While its place is not known this stays at the
   * first segment held, so that all that is held lies within a window around it.
   */
  position(slot: number, direction: Direction): number {
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    const flags = records[at + StreamWord.flags];
    if ((flags & StreamFlag.known) !== 0) return records[at + StreamWord.next] >>> 0;
    const backlog = this.#backlogs.get(slot, direction);
    if (backlog !== null) return backlog.holeAt;
    return (flags & StreamFlag.acknowledged) !== 0 ? records[at + StreamWord.acknowledged] >>> 0 : -1;
  }

  /**
   * Takes a segment without SYN, FIN, RST and missing bytes if it is pure acknowledgement or next in order, and nothing
   * waits on the flow: nearly all of them. Returns false, with nothing done, when it is not.
   */
  receiveRegular(slot: number, direction: Direction, segment: Segment): boolean {
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    if ((records[at + StreamWord.flags] & regularMask) !== regular) return false;
    const peerAt = streamAt(slot, 1 - direction);
    const peerFlags = records[peerAt + StreamWord.flags];
    if ((peerFlags & StreamFlag.held) !== 0) return false;
    const length = segment.payloadEnd - segment.payloadStart;
    const { sequence, acknowledgement } = segment;
    if (length > 0 && sequenceDistance(records[at + StreamWord.next], sequence) !== 0) return false;
    const hasAck = (segment.flags & TcpFlag.ack) !== 0;
    if (hasAck) {
      if ((peerFlags & StreamFlag.known) === 0) {
        records[peerAt + StreamWord.acknowledged] = acknowledgement;
        records[peerAt + StreamWord.flags] = peerFlags | StreamFlag.acknowledged;
      } else if (sequenceDistance(records[peerAt + StreamWord.next], acknowledgement) > 0) {
        return false;
      }
    }
    if (length > 0) {
      const { bytes, payloadStart, payloadEnd, timeUs } = segment;
      const ack = hasAck ? acknowledgement : -1;
      this.#delivery.data(slot, direction, at, bytes, payloadStart, payloadEnd, timeUs, sequence, ack, true);
    }
    return true;
  }

  /** Takes any segment that belongs to the flow and carries no RST. `sequence` is that of its first payload byte. */
  receive(slot: number, direction: Direction, segment: Segment, sequence: number): void {
    const { timeUs, acknowledgement } = segment;
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    if ((records[at + StreamWord.flags] & StreamFlag.seen) === 0) {
      records[at + StreamWord.flags] |= StreamFlag.seen;
      if (this.#index.phase(slot) === Phase.lone) this.#index.move(slot, Phase.active);
    }
    const hasAck = (segment.flags & TcpFlag.ack) !== 0;
    const peer = direction === 0 ? 1 : 0;
    this.#hearFromPeer(slot, peer, at, hasAck, segment, sequence);
    const length = segment.payloadEnd - segment.payloadStart + segment.payloadMissing;
    if ((records[at + StreamWord.flags] & StreamFlag.ended) !== 0) {
      this.#countRetransmitted(segment.payloadEnd - segment.payloadStart);
    } else {
      if ((segment.flags & TcpFlag.fin) !== 0) this.#noteFin(slot, direction, at, sequenceAdd(sequence, length));
      if (length > 0) this.#place(slot, direction, at, segment, sequence);
      this.#advance(slot, direction, timeUs);
    }

    const own = this.#backlogs.get(slot, direction);
    if (own !== null) {
      if (hasAck) own.prove(acknowledgement);
      this.#settle(own, timeUs);
      while (own.linked && own.costBytes > this.#limits.streamBufferBytesMax && own.pieces.length > 0) {
        this.#giveUp(own, 'evicted', timeUs, false);
      }
    }
    const other = this.#backlogs.get(slot, peer);
    if (other !== null) this.#settle(other, timeUs);
    this.#boundTotal(timeUs);
  }

  /** The stream's first byte is known to be `sequence` (a SYN was seen); bytes held so far fall into place. */
  begin(slot: number, direction: Direction, sequence: number, timeUs: number): void {
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    records[at + StreamWord.next] = sequence;
    records[at + StreamWord.start] = sequence;
    records[at + StreamWord.flags] |= StreamFlag.known;
    this.#advance(slot, direction, timeUs);
  }

  /** The same for a stream whose SYN was not seen, when the peer's SYN-ACK acknowledges `sequence`. */
  beginAcknowledged(slot: number, direction: Direction, sequence: number, timeUs: number): void {
    const backlog = this.#backlogs.get(slot, direction);
    const held = backlog === null ? sequence : this.#backlogs.lowest(backlog);
    const ahead = sequenceDistance(sequence, held);
    // What was sent with the SYN may be held already.
    const start = ahead < 0 || ahead > plausibleBytesMax ? held : sequence;
    this.begin(slot, direction, start, timeUs);
  }

  /** Gives up the holes whose time has come. */
  expire(nowUs: number): void {
    for (let backlog = this.#backlogs.oldest; backlog !== null; backlog = backlog.newer) {
      if (backlog.linked) this.#settle(backlog, nowUs);
    }
  }

  /** Delivers what is held, with gaps for the holes, in every flow. */
  giveUpAll(nowUs: number): void {
    while (this.#backlogs.oldest !== null) this.#giveUp(this.#backlogs.oldest, 'lost', nowUs, false);
  }

  /** Closes a flow: what is held is delivered first. The slot becomes a tombstone. */
  finish(slot: number, reason: CloseReason, nowUs: number): void {
    this.#deliverHeld(slot, reason === 'evicted' ? 'evicted' : 'lost', nowUs);
    const records = this.#index.records;
    records[streamAt(slot, 0) + StreamWord.flags] |= StreamFlag.ended;
    records[streamAt(slot, 1) + StreamWord.flags] |= StreamFlag.ended;
    if (this.#index.phase(slot) !== Phase.closed) this.#index.move(slot, Phase.closed);
    this.#delivery.close(slot, reason, nowUs);
  }

  /** Frees the objects of an idle connection; a later segment goes on where it stopped, as a new connection. */
  rest(slot: number, nowUs: number): void {
    this.#deliverHeld(slot, 'lost', nowUs);
    if (this.#delivery.connection(slot) === null) return;
    this.#index.move(slot, Phase.dormant);
    this.#delivery.close(slot, 'idle', nowUs);
  }

  #deliverHeld(slot: number, cause: GapCause, nowUs: number): void {
    const first = this.#index.records[slot * recordWords + Word.initiator] === 1 ? 1 : 0;
    for (const direction of [first, 1 - first]) {
      for (let backlog; (backlog = this.#backlogs.get(slot, direction)) !== null; ) {
        this.#giveUp(backlog, cause, nowUs, false);
      }
    }
  }

  /** What a segment of one endpoint tells about the stream of the other, its peer. */
  #hearFromPeer(
    slot: number,
    stream: Direction,
    senderAt: number,
    hasAck: boolean,
    segment: Segment,
    sequence: number,
  ): void {
    const backlog = this.#backlogs.get(slot, stream);
    if (backlog !== null) backlog.peerSeen = true;
    if (!hasAck) return;
    const records = this.#index.records;
    const at = streamAt(slot, stream);
    const flags = records[at + StreamWord.flags];
    const { acknowledgement } = segment;
    if ((flags & StreamFlag.known) === 0) {
      records[at + StreamWord.acknowledged] = acknowledgement;
      records[at + StreamWord.flags] = flags | StreamFlag.acknowledged;
      return;
    }
    if ((flags & StreamFlag.ended) !== 0) return;
    const next = records[at + StreamWord.next] >>> 0;
    const ahead = sequenceDistance(next, acknowledgement);
    // One byte beyond the end of what was seen, with nothing behind it, is a FIN that was not seen.
    if (ahead <= (backlog === null ? 1 : 0) || ahead > plausibleBytesMax) return;
    // What the sender had sent before: only an acknowledgement of more shows that this segment had arrived.
    let sent = sequence;
    if ((records[senderAt + StreamWord.flags] & StreamFlag.known) !== 0) {
      const sender = this.#backlogs.get(slot, 1 - stream);
      const senderNext = records[senderAt + StreamWord.next] >>> 0;
      const senderEnd = sender === null ? senderNext : sender.endOr(senderNext);
      if (sequenceDistance(sequence, senderEnd) > 0) sent = senderEnd;
    }
    const { timeUs } = segment;
    (backlog ?? this.#backlogs.add(slot, stream, next, timeUs)).acknowledge(acknowledgement, sent, timeUs);
  }

  #noteFin(slot: number, direction: Direction, at: number, fin: number): void {
    const records = this.#index.records;
    const flags = records[at + StreamWord.flags];
    if ((flags & StreamFlag.finSeen) !== 0) return;
    if ((flags & StreamFlag.known) !== 0 && sequenceDistance(records[at + StreamWord.next], fin) < 0) return;
    records[at + StreamWord.fin] = fin;
    records[at + StreamWord.flags] = flags | StreamFlag.finSeen;
    const backlog = this.#backlogs.get(slot, direction);
    if (backlog !== null) this.#counters.ignoredBytes += backlog.cut(fin);
  }

  /** Decides where a stream whose beginning was not seen is picked up. Returns false when that is not known yet. */
  #pickUp(slot: number, direction: Direction, at: number, segment: Segment, sequence: number): boolean {
    const { bytes, payloadStart, payloadEnd } = segment;
    const records = this.#index.records;
    const backlog = this.#backlogs.get(slot, direction);
    const held = backlog === null ? sequence : this.#backlogs.lowest(backlog);
    const lowest = sequenceDistance(sequence, held) > 0 ? sequence : held;
    // The peer says what it expects next, or has: then nothing before is on its way.
    let start = false;
    if ((records[at + StreamWord.flags] & StreamFlag.acknowledged) !== 0) {
      const ahead = sequenceDistance(lowest, records[at + StreamWord.acknowledged]);
      start = ahead >= 0 && ahead <= plausibleBytesMax;
    }
    start ||= payloadEnd > payloadStart && this.#limits.canStart(bytes, payloadStart, payloadEnd);
    if (start) this.begin(slot, direction, lowest, segment.timeUs);
    return start;
  }

  /** Delivers what is next in order of a segment's payload and holds the rest. */
  #place(slot: number, direction: Direction, at: number, segment: Segment, sequence: number): void {
    const records = this.#index.records;
    const counters = this.#counters;
    const { bytes, timeUs } = segment;
    const ack = (segment.flags & TcpFlag.ack) !== 0 ? segment.acknowledgement : -1;
    let start = segment.payloadStart;
    let end = segment.payloadEnd;
    let missing = segment.payloadMissing;
    let segmentStart = true;

    if ((records[at + StreamWord.flags] & StreamFlag.finSeen) !== 0) {
      const room = Math.max(0, sequenceDistance(sequence, records[at + StreamWord.fin]));
      const kept = Math.min(end - start, room);
      counters.ignoredBytes += end - start - kept;
      end = start + kept;
      missing = Math.min(missing, room - kept);
    }

    const known =
      (records[at + StreamWord.flags] & StreamFlag.known) !== 0 ||
      (end - start + missing > 0 && this.#pickUp(slot, direction, at, segment, sequence));
    if (known) {
      const behind = sequenceDistance(sequence, records[at + StreamWord.next]);
      if (behind > 0) {
        const old = Math.min(behind, end - start);
        this.#countOld(at, behind, old);
        start += old;
        missing = Math.min(missing, Math.max(0, end - start + missing - (behind - old)));
        sequence = sequenceAdd(sequence, behind);
        segmentStart = false;
      }
    }

    let backlog = this.#backlogs.get(slot, direction);
    if (backlog !== null && start < end) {
      counters.conflictingBytes += backlog.conflicts(bytes, start, end - start, sequence);
      backlog.uncover(sequence, end - start);
    }
    while (known && start < end && sequenceDistance(records[at + StreamWord.next], sequence) === 0) {
      const piece: Piece | undefined = backlog?.pieces[0];
      const length = piece === undefined ? end - start : sequenceDistance(sequence, piece.sequence);
      const stop = Math.min(end, start + length);
      if (stop > start) {
        this.#delivery.data(slot, direction, at, bytes, start, stop, timeUs, sequence, ack, segmentStart);
        segmentStart = false;
      }
      if (backlog !== null) this.#drain(slot, direction, at, backlog, timeUs);
      const next = records[at + StreamWord.next] >>> 0;
      const passed = sequenceDistance(sequence, next);
      if (start + passed > stop) this.#countRetransmitted(Math.min(end, start + passed) - stop);
      start = Math.min(end, start + passed);
      sequence = next;
    }
    if (start < end) {
      counters.outOfOrderSegments++;
      backlog ??= this.#backlogs.add(slot, direction, sequence, timeUs);
      const held = backlog.hold(bytes, start, end - start, sequence, ack, timeUs, segmentStart);
      if (held < end - start) this.#countRetransmitted(end - start - held);
      sequence = sequenceAdd(sequence, end - start);
    }
    if (missing > 0) {
      backlog ??= this.#backlogs.add(slot, direction, sequence, timeUs);
      backlog.hold(null, 0, missing, sequence, ack, timeUs, false);
    }
  }

  #countOld(at: number, behind: number, length: number): void {
    if (length === 0) return;
    const records = this.#index.records;
    // Right for 4 GiB: after that a stream is taken for one that was picked up a while ago.
    const sinceStart = (records[at + StreamWord.next] - records[at + StreamWord.start]) >>> 0;
    const before = Math.min(length, Math.max(0, behind - sinceStart));
    this.#counters.beforeStartBytes += before;
    this.#countRetransmitted(length - before);
  }

  #countRetransmitted(length: number): void {
    if (length === 0) return;
    this.#counters.retransmittedSegments++;
    this.#counters.retransmittedBytes += length;
  }

  /** Delivers the held pieces that are next in order. */
  #drain(slot: number, direction: Direction, at: number, backlog: Backlog, nowUs: number): void {
    const records = this.#index.records;
    let taken = 0;
    for (const piece of backlog.pieces) {
      const next = records[at + StreamWord.next];
      const skip = sequenceDistance(piece.sequence, next);
      if (skip < 0) break;
      taken++;
      const { bytes, length, timeUs, acknowledgement } = piece;
      if (bytes === null) {
        if (skip < length) this.#delivery.gap(slot, direction, at, length - skip, 'truncated', nowUs);
        continue;
      }
      // Held bytes before the stream's start: the SYN came late and says that they are none of its.
      this.#counters.beforeStartBytes += Math.min(skip, length);
      if (skip >= length) continue;
      const start = piece.segmentStart && skip === 0;
      this.#delivery.data(slot, direction, at, bytes, skip, length, timeUs, next >>> 0, acknowledgement, start);
    }
    backlog.shift(taken);
  }

  /** Delivers what can be delivered, ends the stream at its FIN, and keeps the backlog only while it is needed. */
  #advance(slot: number, direction: Direction, nowUs: number): void {
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    let backlog = this.#backlogs.get(slot, direction);
    const known = (records[at + StreamWord.flags] & StreamFlag.known) !== 0;
    if (known && backlog !== null) this.#drain(slot, direction, at, backlog, nowUs);
    const flags = records[at + StreamWord.flags];
    let finPending = (flags & (StreamFlag.finSeen | StreamFlag.ended)) === StreamFlag.finSeen;
    if (finPending && known) {
      const left = sequenceDistance(records[at + StreamWord.next], records[at + StreamWord.fin]);
      if (left === 0) {
        if (backlog !== null) this.#backlogs.drop(backlog);
        this.#end(slot, direction, at, nowUs);
        return;
      }
      if (left < 0) {
        // Held before the SYN came, which says that it is of another connection.
        records[at + StreamWord.flags] &= ~StreamFlag.finSeen;
        finPending = false;
      }
    }
    if (finPending) backlog ??= this.#backlogs.add(slot, direction, records[at + StreamWord.fin] >>> 0, nowUs);
    if (backlog === null) return;
    const next = records[at + StreamWord.next] >>> 0;
    if (known) backlog.moved(next, nowUs);
    const acknowledged = backlog.acknowledged;
    const acknowledgedAhead = acknowledged === null ? 0 : sequenceDistance(next, acknowledged.to);
    if (backlog.pieces.length === 0 && !finPending && acknowledgedAhead <= 1) this.#backlogs.drop(backlog);
    else this.#backlogs.count(backlog);
  }

  #end(slot: number, direction: Direction, at: number, nowUs: number): void {
    const records = this.#index.records;
    records[at + StreamWord.next] = sequenceAdd(records[at + StreamWord.fin], 1);
    records[at + StreamWord.flags] |= StreamFlag.ended;
    this.#delivery.end(slot, direction, nowUs);
    const peerFlags = records[streamAt(slot, 1 - direction) + StreamWord.flags];
    if ((peerFlags & StreamFlag.ended) !== 0) {
      this.finish(slot, 'fin', nowUs);
      return;
    }
    const alone = (peerFlags & StreamFlag.seen) === 0 && (records[at + StreamWord.flags] & StreamFlag.synSeen) !== 0;
    if (alone && this.#delivery.connection(slot) !== null) this.#index.move(slot, Phase.lone);
  }

  #boundTotal(nowUs: number): void {
    while (this.#counters.bufferedBytes > this.#limits.totalBufferBytesMax && this.#backlogs.oldest !== null) {
      const backlog = this.#backlogs.oldest;
      this.#giveUp(backlog, 'evicted', nowUs, false);
      if (backlog.linked) this.#backlogs.renew(backlog);
    }
  }

  /** Gives up every hole of a backlog whose time has come. */
  #settle(backlog: Backlog, nowUs: number): void {
    const records = this.#index.records;
    const at = streamAt(backlog.slot, backlog.direction);
    const { holeProofUs, holeGraceUs, holeTimeoutUs, holeTimeoutMaxUs } = this.#limits;
    while (backlog.linked) {
      const flags = records[at + StreamWord.flags];
      const waitedUs = nowUs - backlog.noticedUs;
      if ((flags & StreamFlag.known) === 0) {
        const covered =
          (flags & StreamFlag.acknowledged) !== 0 &&
          sequenceDistance(this.#backlogs.lowest(backlog), records[at + StreamWord.acknowledged]) > 0;
        if (!covered && waitedUs < holeGraceUs) return;
        this.#giveUp(backlog, 'lost', nowUs, false);
        continue;
      }
      const acknowledged = backlog.acknowledged;
      if (acknowledged !== null && nowUs - acknowledged.timeUs >= (backlog.proven ? holeProofUs : holeGraceUs)) {
        this.#giveUp(backlog, 'lost', nowUs, true);
        continue;
      }
      if (waitedUs < (backlog.peerSeen ? holeTimeoutMaxUs : holeTimeoutUs)) return;
      this.#giveUp(backlog, 'lost', nowUs, false);
    }
  }

  /** Gives up the first hole, or with `onlyAcknowledged` the part of it that the peer has. */
  #giveUp(backlog: Backlog, cause: GapCause, nowUs: number, onlyAcknowledged: boolean): void {
    const { slot, direction, pieces, acknowledged } = backlog;
    const records = this.#index.records;
    const at = streamAt(slot, direction);
    const flags = records[at + StreamWord.flags];
    if ((flags & StreamFlag.known) === 0) {
      this.begin(slot, direction, this.#backlogs.lowest(backlog), nowUs);
      return;
    }
    const next = records[at + StreamWord.next] >>> 0;
    let to = next;
    if (pieces.length > 0) to = pieces[0].sequence;
    else if ((flags & StreamFlag.finSeen) !== 0) to = records[at + StreamWord.fin] >>> 0;
    else if (acknowledged !== null) to = acknowledged.to;
    if (onlyAcknowledged && acknowledged !== null && sequenceDistance(acknowledged.to, to) > 0) to = acknowledged.to;
    const length = sequenceDistance(next, to);
    if (length > 0) this.#delivery.gap(slot, direction, at, length, cause, nowUs);
    this.#advance(slot, direction, nowUs);
  }
}
