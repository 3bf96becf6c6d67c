/**
 * Puts exchanges in the order in which their requests began. Files have them in the order in which they were complete, so
 * one with a slow response stands behind many that began after it. What is held for that is bounded: beyond the bounds
 * the earliest goes on, and what comes later still and began before it comes behind it.
 */
import { Heap } from '../heap.ts';
import type { RecordedExchange, RecordedMessage } from '../recorded-exchange.ts';
import { isExchange, type TrafficItem, type TrafficReader } from './traffic.ts';

const heldMax = 20_000;
const heldBytesMax = 64 * 1024 * 1024;

export class TimeOrder implements TrafficReader {
  readonly #reader: TrafficReader;
  readonly #heldMax: number;
  readonly #heldBytesMax: number;
  readonly #held = new Heap(isBefore);
  #bytes = 0;

  constructor(reader: TrafficReader, bounds: { heldMax: number; heldBytesMax: number } = { heldMax, heldBytesMax }) {
    this.#reader = reader;
    this.#heldMax = bounds.heldMax;
    this.#heldBytesMax = bounds.heldBytesMax;
  }

  get done(): number {
    return this.#reader.done;
  }

  get total(): number {
    return this.#reader.total;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    for await (const batch of this.#reader) {
      const out: TrafficItem[] = [];
      for (const item of batch) {
        if (isExchange(item)) this.#add(item);
        else out.push(item);
        while (this.#held.size > this.#heldMax || this.#bytes > this.#heldBytesMax) out.push(this.#take());
      }
      if (out.length > 0) yield out;
    }
    while (this.#held.size > 0) {
      yield Array.from({ length: Math.min(256, this.#held.size) }, () => this.#take());
    }
  }

  #add(exchange: RecordedExchange): void {
    this.#bytes += sizeOf(exchange);
    this.#held.push(exchange);
  }

  #take(): RecordedExchange {
    const first = this.#held.take();
    if (first === undefined) throw new Error('nothing is held');
    this.#bytes -= sizeOf(first);
    return first;
  }
}

/** Requests that began at the same moment on one connection keep their order. */
function isBefore(a: RecordedExchange, b: RecordedExchange): boolean {
  const apart = a.request.startUs - b.request.startUs;
  return apart !== 0 ? apart < 0 : a.index < b.index;
}

function sizeOf({ request, response }: RecordedExchange): number {
  return bytesOf(request) + (response === null ? 0 : bytesOf(response));
}

function bytesOf({ head, body }: RecordedMessage): number {
  return head.length + (body?.length ?? 0);
}
