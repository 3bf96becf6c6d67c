/**
 * A worker's end of the way to the analysis thread: pairs go in batches, of which only so many are under way. When the
 * analysis falls behind, pairs are left out and counted, evenly over the traffic: the hot path never waits for it.
 */
import type { MessagePort } from 'node:worker_threads';
import { BatchLane } from './batch-lane.ts';
import { bytesOfPair, packPairs, type SampledPair } from './pair-batch.ts';

const batchPairsMax = 64;
const batchBytesMax = 1_048_576;
const batchMsMax = 50;

/** The analysis has worked off the oldest batch; with a list where what it wants to be sent twice has changed. */
export type FromAnalysisPort = readonly string[] | null;

export class PairSender {
  readonly #lane: BatchLane<readonly string[]>;
  #pairs: SampledPair[] = [];
  #bytes = 0;
  #excluded: Record<string, number> = {};
  #timer: NodeJS.Timeout | null = null;
  /** The batch is old enough, and waits for those under way. */
  #isDue = false;
  readonly #answered: (wanted: FromAnalysisPort) => void;

  /** `wanted` hears of which endpoints, by `NoiseSampling`'s keys, more requests should be sent twice. */
  constructor(port: MessagePort, wanted: (keys: readonly string[]) => void) {
    this.#lane = new BatchLane(port);
    this.#answered = (keys) => {
      if (keys !== null) wanted(keys);
      if (this.#isDue) this.flush();
    };
  }

  send(pair: SampledPair): void {
    if (!this.#lane.room) {
      this.exclude('sampled_down');
      return;
    }
    this.#pairs.push(pair);
    this.#bytes += bytesOfPair(pair);
    if (this.#pairs.length >= batchPairsMax || this.#bytes >= batchBytesMax) this.flush();
    else this.#timer ??= setTimeout(() => this.#due(), batchMsMax);
  }

  /** A request is not compared. */
  exclude(reason: string): void {
    this.#excluded[reason] = (this.#excluded[reason] ?? 0) + 1;
    this.#timer ??= setTimeout(() => this.#due(), batchMsMax);
  }

  /** Half-full batches would soon be as many as may be under way: they wait for an answer, or to be full. */
  #due(): void {
    this.#timer = null;
    this.#isDue = this.#lane.busy;
    if (!this.#isDue) this.flush();
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isDue = false;
    if (this.#pairs.length === 0 && Object.keys(this.#excluded).length === 0) return;
    const batch = packPairs(this.#pairs, this.#excluded);
    const bytes = this.#bytes;
    this.#pairs = [];
    this.#bytes = 0;
    this.#excluded = {};
    this.#lane.post(batch, [batch.bytes], bytes, this.#answered);
  }

  /** Sends what is left, and resolves when the analysis has worked it off, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.flush();
    await this.#lane.close(timeoutMs);
  }
}
