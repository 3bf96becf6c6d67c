/** Records on their way to a segment: encoded one behind the other, with what the index will say of them. */
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

/** Buffers begin this large and double; larger ones are not used again. */
const bufferBytesMin = 65_536;
const spareBytesMax = 1_048_576;
const sparesMax = 4;

export class RecordBlockBuilder {
  readonly #encoder = new RecordEncoder();
  /** Fresh memory costs more than all that is written into it. */
  readonly #spares: ArrayBuffer[] = [];
  #bytes = Buffer.alloc(0);
  #end = 0;
  #records = 0;
  #firstUs = Infinity;
  #lastUs = 0;
  readonly #connections = new Set<number>();

  get records(): number {
    return this.#records;
  }

  get byteLength(): number {
    return this.#end;
  }

  add(exchange: RecordedExchange): void {
    const length = recordLength(exchange);
    if (this.#end + length > this.#bytes.length) this.#grow(this.#end + length);
    const connection = this.#encoder.connection(exchange.connection);
    this.#end = this.#encoder.encode(exchange, connection, this.#bytes, this.#end);
    this.#records++;
    const { startUs } = exchange.request;
    if (startUs < this.#firstUs) this.#firstUs = startUs;
    if (startUs > this.#lastUs) this.#lastUs = startUs;
    this.#connections.add(connection.hash);
  }

  /** What was added since the last call. */
  take(): RecordBlock {
    const { buffer } = this.#bytes;
    const block = {
      bytes: new Uint8Array(buffer instanceof ArrayBuffer ? buffer : new ArrayBuffer(0), 0, this.#end),
      records: this.#records,
      firstUs: this.#records === 0 ? 0 : this.#firstUs,
      lastUs: this.#lastUs,
      connections: Uint32Array.from(this.#connections).toSorted(),
    };
    this.#bytes = Buffer.alloc(0);
    this.#end = 0;
    this.#records = 0;
    this.#firstUs = Infinity;
    this.#lastUs = 0;
    this.#connections.clear();
    return block;
  }

  /** Takes the buffer of a block back that nobody reads any more. */
  recycle(buffer: ArrayBuffer): void {
    if (buffer.byteLength <= spareBytesMax && this.#spares.length < sparesMax) this.#spares.push(buffer);
  }

  #grow(needed: number): void {
    const before = this.#bytes;
    const spare = this.#end === 0 ? this.#spares.pop() : undefined;
    const fits = spare !== undefined && spare.byteLength >= needed;
    this.#bytes = Buffer.from(fits ? spare : new ArrayBuffer(Math.max(needed, bufferBytesMin, 2 * before.length)));
    before.copy(this.#bytes, 0, 0, this.#end);
  }
}
