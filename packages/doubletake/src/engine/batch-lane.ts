/**
 * A worker's end of a way to another thread, on which only so many batches are under way: the other end answers each when
 * it has worked it off. Who has more to send than there is room for leaves it out and counts it: nothing waits here.
 */
import type { MessagePort, Transferable } from 'node:worker_threads';

/** Batches that were sent and not worked off. */
const underWayMax = 16;
const underWayBytesMax = 32 * 1_048_576;

interface Batch<Reply> {
  bytes: number;
  done: (reply: Reply | null) => void;
}

export class BatchLane<Reply> {
  readonly #port: MessagePort;
  /** Oldest first. */
  readonly #underWay: Batch<Reply>[] = [];
  #bytes = 0;
  #broken = false;
  #waiters: (() => void)[] = [];
  #idle: (() => void) | null = null;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (reply: Reply) => this.#oneDone(reply));
    port.once('close', () => this.#break());
    port.unref();
  }

  /** False while so much is under way that no more is taken. */
  get room(): boolean {
    return !this.#broken && this.#underWay.length < underWayMax && this.#bytes < underWayBytesMax;
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return this.#underWay.length > 0;
  }

  /** Resolves when a batch was worked off, or none ever will be. */
  waitForRoom(): Promise<void> {
    if (this.room || this.#broken) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Sends a batch of so many bytes; `done` gets the answer, null when the other end is gone. */
  post(message: unknown, transfer: readonly Transferable[], bytes: number, done: (reply: Reply | null) => void = () => {}): void {
    if (this.#broken) return done(null);
    this.#underWay.push({ bytes, done });
    this.#bytes += bytes;
    this.#port.postMessage(message, transfer);
  }

  /** Resolves when all that was sent is worked off, or after `timeoutMs`; what is under way then is answered with null. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#underWay.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      this.#port.ref();
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    }
    this.#break();
    this.#port.close();
  }

  #oneDone(reply: Reply | null): void {
    const batch = this.#underWay.shift();
    if (batch === undefined) return;
    this.#bytes -= batch.bytes;
    batch.done(reply);
    for (const resolve of this.#waiters.splice(0)) resolve();
    if (this.#underWay.length === 0) this.#idle?.();
  }

  #break(): void {
    this.#broken = true;
    while (this.#underWay.length > 0) this.#oneDone(null);
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.#idle?.();
  }
}
