/** What readers of files of entries have in common: blocks in, exchanges and problems out, and the file closed at the end. */
import type { ByteStream } from './byte-stream.ts';
import { ExchangeParser } from './exchange-parser.ts';
import type { EntryProblem, TrafficItem, TrafficReader } from './traffic.ts';

export abstract class EntryReader implements TrafficReader {
  protected readonly stream: ByteStream;
  protected readonly parser = new ExchangeParser();
  /** What was found and not handed over yet. */
  protected items: TrafficItem[] = [];

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  get done(): number {
    return this.stream.done;
  }

  get total(): number {
    return this.stream.total;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    try {
      for await (const block of this.stream.blocks()) {
        this.read(block);
        if (this.items.length > 0) yield this.#taken();
      }
      this.end();
      if (this.items.length > 0) yield this.#taken();
    } finally {
      await this.stream.close();
    }
  }

  /** Reads on: entries that `block` completes become items. */
  protected abstract read(block: Buffer): void;

  /** Nothing more will come, in a file that was cut for the stream's `warning`. */
  protected abstract end(): void;

  protected problem(place: string, text: string, kind: EntryProblem['kind'] = 'malformed'): void {
    this.items.push({ file: this.stream.path, place, kind, text });
  }

  #taken(): TrafficItem[] {
    const { items } = this;
    this.items = [];
    return items;
  }
}
