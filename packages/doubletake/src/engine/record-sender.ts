/**
 * A worker's end of the way to the recording thread: exchanges go encoded, in batches that become one block each. When
 * the disk falls behind, they are dropped and counted: the hot path never waits for it.
 */
import type { MessagePort } from 'node:worker_threads';
import type { CounterLayout } from '../ledger/counters.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { recordingCounts, recordingPlace } from '../ledger/report.ts';
import { RecordBlockBuilder } from '../recording/record-block.ts';
import type { RecordedExchange } from '../recording/recorded-exchange.ts';
import { BatchLane } from './batch-lane.ts';
import type { BlockReply } from './recording-messages.ts';

/** Larger blocks are compressed better; what is in a block is lost when the process is killed before it is full. */
const blockBytesMax = 524_288;
const blockMsMax = 1_000;

/** Hears what became of a request that has no target. */
export type Settle = (outcome: Outcome) => void;

export class RecordSender {
  readonly #lane: BatchLane<BlockReply>;
  readonly #row: Float64Array;
  readonly #slots: Readonly<Record<(typeof recordingCounts)[number], number>>;
  readonly #block = new RecordBlockBuilder();
  #settles: Settle[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(port: MessagePort, layout: CounterLayout, row: Float64Array) {
    this.#lane = new BatchLane(port);
    this.#row = row;
    const [exchanges, bytes, dropped, failed] = recordingCounts.map((count) => layout.slot(recordingPlace, count));
    this.#slots = { exchanges, bytes, dropped, failed };
  }

  get room(): boolean {
    return this.#lane.room;
  }

  waitForRoom(): Promise<void> {
    return this.#lane.waitForRoom();
  }

  /** `settle` is called once, when the exchange is in the file or is known not to be. */
  add(exchange: RecordedExchange, settle: Settle | null): void {
    if (!this.#lane.room) {
      this.#row[this.#slots.dropped]++;
      settle?.('dropped.not_recorded');
      return;
    }
    this.#block.add(exchange);
    if (settle !== null) this.#settles.push(settle);
    if (this.#block.byteLength >= blockBytesMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), blockMsMax);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#block.records === 0) return;
    const settles = this.#settles;
    this.#settles = [];
    const block = this.#block.take();
    const { records, bytes, connections } = block;
    this.#lane.post(block, [bytes.buffer, connections.buffer], bytes.length, (reply) => {
      const written = reply?.written ?? null;
      if (reply !== null) this.#block.recycle(reply.buffer);
      this.#count(records, written);
      const outcome = written === null ? 'dropped.not_recorded' : 'recorded';
      for (const settle of settles) settle(outcome);
    });
  }

  /** Sends what is left, and resolves when it is written, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.flush();
    await this.#lane.close(timeoutMs);
  }

  #count(records: number, written: number | null): void {
    if (written === null) {
      this.#row[this.#slots.failed] += records;
      return;
    }
    this.#row[this.#slots.exchanges] += records;
    this.#row[this.#slots.bytes] += written;
  }
}
