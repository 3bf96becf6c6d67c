import { type CloseReason, Connection, type Direction, type StreamHandler } from './connection.ts';
import type { FlowCounters, GapCause } from './counters.ts';
import type { FlowIndex } from './flow-index.ts';
import { Phase, recordWords, streamAt, StreamFlag, StreamWord, Word } from './flow-record.ts';
import { sequenceAdd } from './sequence.ts';

/**
 * Hands streams to the consumer: makes the `Connection` when there is first something to hand over, moves the stream's
 * `next` with each call, and counts. In which order and when is `Reassembly`'s affair.
 *
 * State is brought up to date before the consumer is called.
 */
export class Delivery<State> {
  readonly #index: FlowIndex;
  readonly #handler: StreamHandler<State>;
  readonly #counters: FlowCounters;
  readonly #connections: (Connection<State> | null)[] = [];
  #lastId = 0;

  constructor(index: FlowIndex, handler: StreamHandler<State>, counters: FlowCounters) {
    this.#index = index;
    this.#handler = handler;
    this.#counters = counters;
  }

  /** Makes room for the state of a slot that was just inserted. */
  admit(slot: number): void {
    while (this.#connections.length <= slot) this.#connections.push(null);
  }

  connection(slot: number): Connection<State> | null {
    return this.#connections[slot];
  }

  /** The stream's next bytes, `bytes[start..end)`; `at` is the place of its words in the record. */
  data(
    slot: number,
    direction: Direction,
    at: number,
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void {
    const connection = this.#connections[slot] ?? this.#open(slot, timeUs);
    this.#index.records[at + StreamWord.next] = sequenceAdd(sequence, end - start);
    this.#counters.deliveredBytes += end - start;
    this.#handler.data(connection, direction, bytes, start, end, timeUs, sequence, acknowledgement, segmentStart);
  }

  /** The stream's next `length` bytes will not be seen. */
  gap(slot: number, direction: Direction, at: number, length: number, cause: GapCause, nowUs: number): void {
    const connection = this.#connections[slot] ?? this.#open(slot, nowUs);
    const counters = this.#counters;
    if (cause === 'lost') {
      counters.gapsLost++;
      counters.gapBytesLost += length;
    } else if (cause === 'truncated') {
      counters.gapsTruncated++;
      counters.gapBytesTruncated += length;
    } else {
      counters.gapsEvicted++;
      counters.gapBytesEvicted += length;
    }
    const sequence = this.#index.records[at + StreamWord.next] >>> 0;
    this.#index.records[at + StreamWord.next] = sequenceAdd(sequence, length);
    this.#handler.gap(connection, direction, length, nowUs, sequence, cause);
  }

  /** The stream is complete. */
  end(slot: number, direction: Direction, nowUs: number): void {
    const connection = this.#connections[slot];
    if (connection !== null) this.#handler.end(connection, direction, nowUs);
  }

  /** Nothing more comes on the flow's connection, if it has one. */
  close(slot: number, reason: CloseReason, nowUs: number): void {
    const connection = this.#connections[slot];
    if (connection === null) return;
    this.#connections[slot] = null;
    const counters = this.#counters;
    if (reason === 'fin') counters.closedFin++;
    else if (reason === 'reset') counters.closedReset++;
    else if (reason === 'reused') counters.closedReused++;
    else if (reason === 'evicted') counters.closedEvicted++;
    else if (reason === 'idle') counters.closedIdle++;
    else counters.closedFlushed++;
    this.#handler.close(connection, reason, nowUs);
  }

  #open(slot: number, timeUs: number): Connection<State> {
    const records = this.#index.records;
    const at = slot * recordWords;
    const scope = records[at + Word.scope];
    const ports = records[at + Word.ports];
    const connection = new Connection<State>(
      ++this.#lastId,
      (scope >>> 24) * 0x1_0000_0000 + (records[at + Word.tunnel] >>> 0),
      scope & 0xff_ffff,
      records.slice(at + Word.addresses, at + Word.addresses + 8),
      [ports >>> 16, ports & 0xffff],
      records[at + Word.initiator] as Direction | -1,
    );
    this.#connections[slot] = connection;
    this.#index.move(slot, Phase.active);
    this.#counters.opened++;
    connection.state = this.#handler.open(connection, timeUs);
    if ((records[streamAt(slot, 0) + StreamWord.flags] & StreamFlag.ended) !== 0) {
      this.#handler.end(connection, 0, timeUs);
    }
    if ((records[streamAt(slot, 1) + StreamWord.flags] & StreamFlag.ended) !== 0) {
      this.#handler.end(connection, 1, timeUs);
    }
    return connection;
  }
}
