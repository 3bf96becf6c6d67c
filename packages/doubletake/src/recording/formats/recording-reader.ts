/** Reads our own recordings, which are in order of time already. */
import type { RecordedExchange } from '../recorded-exchange.ts';
import type { Recording } from '../recording.ts';
import type { TrafficItem, TrafficReader } from './traffic.ts';

const batchMax = 256;

export class RecordingReader implements TrafficReader {
  done = 0;
  readonly total: number;
  readonly #path: string;
  readonly #recording: Recording;

  /** `path` is that of the first segment, for what is said of all. */
  constructor(path: string, recording: Recording) {
    this.#path = path;
    this.#recording = recording;
    this.total = recording.exchanges;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    let batch: RecordedExchange[] = [];
    for await (const exchange of this.#recording) {
      this.done++;
      batch.push(exchange);
      if (batch.length < batchMax) continue;
      yield batch;
      batch = [];
    }
    const problems = this.#recording.warnings.map((text) => ({ file: this.#path, place: '', kind: 'malformed' as const, text }));
    yield [...batch, ...problems];
  }
}
