/**
 * Requests that wait, in lanes. Of each lane at most one request is out (ready, in flight, or about to be sent again);
 * the others wait behind it in order. Ready requests of all lanes form one queue in order of arrival.
 *
 * A lane exists here only while one of its requests does, so that idle production connections cost nothing.
 */
import { Fifo } from './fifo.ts';
import type { Pending } from './pending.ts';

export class Lanes {
  /** Requests waiting, ready or not. */
  count = 0;
  /** Their bytes. */
  bytes = 0;
  #ready = new Fifo<Pending>();
  /** Requests to be sent once more, on a new connection and before all others. */
  #retries = new Fifo<Pending>();
  /** What waits behind the lane's request that is out; null for nothing. */
  readonly #backlogs = new Map<object, Fifo<Pending> | null>();

  /** Requests that could be sent now. */
  get ready(): number {
    return this.#ready.length;
  }

  get retries(): number {
    return this.#retries.length;
  }

  /** Takes the lane for a request that goes out without waiting; false when it must wait for its turn. */
  tryBegin(pending: Pending): boolean {
    const { lane } = pending.request;
    if (this.#ready.length > 0 || this.#retries.length > 0) return false;
    if (lane === null) return true;
    if (this.#backlogs.has(lane)) return false;
    this.#backlogs.set(lane, null);
    return true;
  }

  add(pending: Pending): void {
    const { lane, length } = pending.request;
    this.count++;
    this.bytes += length;
    if (lane === null) {
      this.#ready.push(pending);
      return;
    }
    const backlog = this.#backlogs.get(lane);
    if (backlog === undefined) {
      this.#backlogs.set(lane, null);
      this.#ready.push(pending);
    } else if (backlog === null) {
      const first = new Fifo<Pending>();
      first.push(pending);
      this.#backlogs.set(lane, first);
    } else backlog.push(pending);
  }

  /** Puts back a request that is out; its lane stays taken. */
  addRetry(pending: Pending): void {
    this.count++;
    this.bytes += pending.request.length;
    this.#retries.push(pending);
  }

  /** The next request to send; it is out until `release`. */
  take(): Pending | undefined {
    return this.#left(this.#ready.shift());
  }

  takeRetry(): Pending | undefined {
    return this.#left(this.#retries.shift());
  }

  /** All that are to be sent once more; each is out until `release`. */
  takeRetries(): Pending[] {
    const all: Pending[] = [];
    for (let next = this.takeRetry(); next !== undefined; next = this.takeRetry()) all.push(next);
    return all;
  }

  /** A request that was out has ended: the next of its lane is ready. */
  release(pending: Pending): void {
    const { lane } = pending.request;
    if (lane === null) return;
    const backlog = this.#backlogs.get(lane);
    const next = backlog?.shift();
    if (next === undefined) this.#backlogs.delete(lane);
    else this.#ready.push(next);
  }

  /** Empties everything, each lane's requests in their order. Nothing may be in flight. */
  takeAll(): Pending[] {
    const all: Pending[] = [];
    for (const queue of [this.#retries, this.#ready, ...this.#backlogs.values()]) {
      for (let next = queue?.shift(); next !== undefined; next = queue?.shift()) all.push(next);
    }
    this.#backlogs.clear();
    this.count = 0;
    this.bytes = 0;
    return all;
  }

  #left(pending: Pending | undefined): Pending | undefined {
    if (pending !== undefined) {
      this.count--;
      this.bytes -= pending.request.length;
    }
    return pending;
  }
}
