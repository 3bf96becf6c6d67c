/** Records on their way to a segment: encoded one behind the other, with what the index will say of them. */
import { crc32 } from 'node:zlib';
import { RecordEncoder, recordLength } from './record-codec.ts';
import type { RecordedExchange } from './recorded-exchange.ts';

export interface RecordBlock {
  /** The records; the only view of its buffer, so that it can be handed to another thread. */
  bytes: Uint8Array<ArrayBuffer>;
  records: number;
  /** When the first and the last request in it began, microseconds since the epoch. */
  firstUs: number;
  lastUs: number;
  /** Hashes of the labels of the connections in it, ascending. */
  connections: Uint32Array<ArrayBuffer>;
}

/** Buffers begin this large, or as large as the last one was, and double. */
const bufferBytesMin = 65_536;
const firstBytesMax = 1_048_576;

/** What stands for a connection's label in an index. */
export function hashOfLabel(label: string): number {
  return crc32(label);
}

export class RecordBlockBuilder {
  readonly #encoder = new RecordEncoder();
  #bytes = Buffer.from(new ArrayBuffer(bufferBytesMin));
  #end = 0;
  #records = 0;
  #firstUs = Infinity;
  #lastUs = 0;
  #connections = new Set<string>();

  get records(): number {
    return this.#records;
  }

  get byteLength(): number {
    return this.#end;
  }

  add(exchange: RecordedExchange): void {
    const length = recordLength(exchange);
    if (this.#end + length > this.#bytes.length) this.#grow(this.#end + length);
    this.#end = this.#encoder.encode(exchange, this.#bytes, this.#end);
    this.#records++;
    const { startUs } = exchange.request;
    if (startUs < this.#firstUs) this.#firstUs = startUs;
    if (startUs > this.#lastUs) this.#lastUs = startUs;
    this.#connections.add(exchange.connection.label);
  }

  /** What was added since the last call. */
  take(): RecordBlock {
    const block = {
      bytes: new Uint8Array(this.#bytes.buffer, 0, this.#end),
      records: this.#records,
      firstUs: this.#records === 0 ? 0 : this.#firstUs,
      lastUs: this.#lastUs,
      connections: Uint32Array.from(new Set(Array.from(this.#connections, hashOfLabel))).toSorted(),
    };
    this.#bytes = Buffer.from(new ArrayBuffer(Math.min(this.#bytes.length, firstBytesMax)));
    this.#end = 0;
    this.#records = 0;
    this.#firstUs = Infinity;
    this.#lastUs = 0;
    this.#connections.clear();
    return block;
  }

  #grow(needed: number): void {
    const larger = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
