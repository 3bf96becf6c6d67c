/** Reads our own recordings, which are in order of time already. */
import type { Recording } from '../recording.ts';
import type { TrafficItem, TrafficReader } from './traffic.ts';

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

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly TrafficItem[], void, undefined> {
    for await (const batch of this.#recording.batches()) {
      this.done += batch.length;
      yield batch;
    }
    const problems = this.#recording.warnings.map((text) => ({ file: this.#path, place: '', kind: 'malformed' as const, text }));
    if (problems.length > 0) yield problems;
  }
}
