/**
 * A worker's end of the way to the analysis thread: pairs go in batches, of which only so many are under way. When the
 * analysis falls behind, pairs are left out and counted, evenly over the traffic: the hot path never waits for it.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Pair } from '../compare/pair.ts';
import { bytesOfPair, packPairs } from './pair-batch.ts';

const batchPairsMax = 64;
const batchBytesMax = 1_048_576;
const batchMsMax = 50;
/** Batches that were sent and not worked off. */
const underWayMax = 16;
const underWayBytesMax = 32 * 1_048_576;

/** Null: the oldest batch is worked off. A list: as for `wanted`. */
export type FromAnalysisPort = readonly string[] | null;

export class PairSender {
  readonly #port: MessagePort;
  #pairs: Pair[] = [];
  #bytes = 0;
  #excluded: Record<string, number> = {};
  /** Bytes of the batches that are under way, oldest first. */
  readonly #underWay: number[] = [];
  #underWayBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The batch is old enough, and waits for those under way. */
  #isDue = false;
  #idle: (() => void) | null = null;

  /** `wanted` hears of which endpoints, by `noiseKey`, more requests should be sent twice. */
  constructor(port: MessagePort, wanted: (keys: readonly string[]) => void) {
    this.#port = port;
    port.on('message', (message: FromAnalysisPort) => {
      if (message !== null) {
        wanted(message);
        return;
      }
      this.#underWayBytes -= this.#underWay.shift() ?? 0;
      if (this.#isDue) this.flush();
      if (this.#underWay.length === 0) this.#idle?.();
    });
    port.unref();
  }

  send(pair: Pair): void {
    if (this.#underWay.length >= underWayMax || this.#underWayBytes >= underWayBytesMax) {
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
    this.#isDue = this.#underWay.length > 0;
    if (!this.#isDue) this.flush();
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isDue = false;
    if (this.#pairs.length === 0 && Object.keys(this.#excluded).length === 0) return;
    const batch = packPairs(this.#pairs, this.#excluded);
    this.#underWay.push(this.#bytes);
    this.#underWayBytes += this.#bytes;
    this.#pairs = [];
    this.#bytes = 0;
    this.#excluded = {};
    this.#port.postMessage(batch, [batch.bytes]);
  }

  /** Sends what is left, and resolves when the analysis has worked it off, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.flush();
    if (this.#underWay.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      this.#port.ref();
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    }
    this.#port.close();
  }
}
