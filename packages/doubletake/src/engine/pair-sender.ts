/**
 * A worker's end of the way to the analysis thread: pairs go in batches, of which only so many are under way. When the
 * analysis falls behind, pairs are left out and counted, evenly over the traffic: the hot path never waits for it.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Pair } from '../compare/pair.ts';
import { BatchLane } from './batch-lane.ts';
import { bytesOfPair, packPairs } from './pair-batch.ts';

const batchPairsMax = 64;
const batchBytesMax = 1_048_576;
const batchMsMax = 50;

export class PairSender {
  readonly #lane: BatchLane<null>;
  #pairs: Pair[] = [];
  #bytes = 0;
  #excluded: Record<string, number> = {};
  #timer: NodeJS.Timeout | null = null;

  constructor(port: MessagePort) {
    this.#lane = new BatchLane(port);
  }

  send(pair: Pair): void {
    if (!this.#lane.room) {
      this.exclude('sampled_down');
      return;
    }
    this.#pairs.push(pair);
    this.#bytes += bytesOfPair(pair);
    if (this.#pairs.length >= batchPairsMax || this.#bytes >= batchBytesMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), batchMsMax);
  }

  /** A request is not compared. */
  exclude(reason: string): void {
    this.#excluded[reason] = (this.#excluded[reason] ?? 0) + 1;
    this.#timer ??= setTimeout(() => this.flush(), batchMsMax);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#pairs.length === 0 && Object.keys(this.#excluded).length === 0) return;
    const batch = packPairs(this.#pairs, this.#excluded);
    const bytes = this.#bytes;
    this.#pairs = [];
    this.#bytes = 0;
    this.#excluded = {};
    this.#lane.post(batch, [batch.bytes], bytes);
  }

  /** Sends what is left, and resolves when the analysis has worked it off, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.flush();
    await this.#lane.close(timeoutMs);
  }
}
