/**
 * A target: sends requests over a pool of keep-alive connections and settles each exactly once.
 *
 * - A request goes out at once when its lane is free and a connection is idle; else it waits in `Lanes`, within bounds.
 *   With a `pace` it waits in the `Pacer` before, until it is due.
 * - A new connection is made for each ready request that has none, up to `connectionsMax`; no more requests than
 *   `inFlightMax` are out at once. `Attempts` says when one more may be tried.
 * - When an attempt fails and no connection or other attempt is left, every request that waits fails with `connect`: a
 *   dead target costs each request one attempt at most, however many lanes there are, and the queue drains. Later
 *   requests try anew.
 * - What is sent in one turn of the event loop is written at its end, back to back: written one by one, each request
 *   would wake the target, which costs this process as much as writing it.
 * - `halt` ends everything within the call.
 */
import { serverOfUrl } from '../host-port.ts';
import { Addresses } from './addresses.ts';
import { Attempts, DIAL_PAUSE_MS } from './attempts.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Dialer } from './dialer.ts';
import { describeError, TargetRefusedError, TargetUnreachableError } from './errors.ts';
import { Lanes } from './lanes.ts';
import { Pacer } from './pacer.ts';
import type { Pending } from './pending.ts';
import { Room } from './room.ts';
import type { FailReason, OutgoingRequest, ReplayResponse, ReplayResult, TargetOptions } from './target.ts';
import type { ConnectionOwner, WireConnection } from './wire-connection.ts';

/**
 * A source that can wait is told to while so many times as many requests wait as may be in flight, though the queue has
 * room for more: what lies in memory for long costs the garbage collector more than reading it does.
 */
const AHEAD_ROUNDS = 8;
const AHEAD_MIN = 2_048;

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** What went on beneath the outcomes; for metrics. */
export interface TargetCounters {
  connectionsOpened: number;
  /** Attempts that ended without a connection, after all addresses. */
  connectFailures: number;
  /** Requests sent once more because a kept-alive connection turned out to be dead. */
  staleRetries: number;
  /** Connections closed because bytes came that belong to no response. */
  unsolicited: number;
}

export class ReplayTarget {
  readonly name: string;
  readonly counters: TargetCounters = { connectionsOpened: 0, connectFailures: 0, staleRetries: 0, unsolicited: 0 };
  readonly #options: TargetOptions;
  readonly #addresses: Addresses;
  readonly #dialer: Dialer;
  readonly #attempts: Attempts;
  readonly #lanes = new Lanes();
  /** Null: requests go out when they come. */
  readonly #pacer: Pacer | null;
  readonly #room: Room;
  readonly #pool: ConnectionPool;
  /** The last attempt to connect failed, and there was no other connection. */
  #away = false;
  #inFlight = 0;
  #inFlightBytes = 0;
  readonly #unwritten: WireConnection[] = [];
  readonly #writeAll = (): void => {
    const nowMs = performance.now();
    for (const connection of this.#unwritten) connection.write(nowMs);
    this.#unwritten.length = 0;
  };
  /** What each request that comes now settles with; null: it is sent. */
  #refusal: ReplayResult | null = null;
  #closing = false;
  #stopped = false;
  #idleWaiters: (() => void)[] = [];

  /** Throws when `options` cannot be used: another scheme, a `ca` without a certificate. */
  constructor(options: TargetOptions) {
    this.name = options.name;
    this.#options = options;
    this.#addresses = new Addresses(serverOfUrl(options.url).host, options.connectionAgeMaxMs, options.resolve);
    const owner: ConnectionOwner = {
      answered: (connection, pending, response) => this.#answered(connection, pending, response),
      failed: (_connection, pending, reason, detail, stale) => this.#failed(pending, reason, detail, stale),
      unsolicited: () => {
        this.counters.unsolicited++;
      },
      closed: (connection) => this.#closed(connection),
    };
    this.#dialer = new Dialer(options, owner, this.#addresses);
    this.#attempts = new Attempts(this.#dialer, {
      connected: (connection, nowMs) => this.#connected(connection, nowMs),
      connectFailed: (error) => this.#connectFailed(error),
      pauseOver: () => this.#pump(performance.now()),
    });
    this.#room = new Room(Math.min(options.queueRequestsMax, Math.max(AHEAD_MIN, AHEAD_ROUNDS * options.inFlightMax)), options.queueBytesMax);
    const release = (pending: Pending, nowMs: number): void => this.#due(pending, nowMs);
    this.#pacer = options.pace === null ? null : new Pacer(options.pace, release);
    this.#pool = new ConnectionPool(
      Math.min(options.responseTimeoutMs, options.idleTimeoutMs, options.connectionAgeMaxMs),
    );
  }

  /** Requests accepted and not sent, those among them that wait for their time included. */
  get queuedRequests(): number {
    return this.#lanes.count + this.pacedRequests;
  }

  get queuedBytes(): number {
    return this.#lanes.bytes + (this.#pacer === null ? 0 : this.#pacer.bytes);
  }

  /** Requests that wait for nothing but their time. */
  get pacedRequests(): number {
    return this.#pacer === null ? 0 : this.#pacer.count;
  }

  /** Requests sent and not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get openConnections(): number {
    return this.#pool.size;
  }

  /**
   * False while a source that can wait should, since the queue is so full or nobody answers at the target: then one
   * request at a time tries it. See `waitForRoom`.
   */
  get room(): boolean {
    return this.#room.free && (!this.#away || (this.#inFlight + this.queuedRequests === 0 && !this.#attempts.isPaused(performance.now())));
  }

  /** Resolves when there may be room. */
  async waitForRoom(): Promise<void> {
    if (this.#closing) return;
    await this.#room.wait();
    if (this.#away && !this.#closing) await new Promise((resolve) => setTimeout(resolve, DIAL_PAUSE_MS));
  }

  /**
   * Takes a request. `settle` is called exactly once, later (never from within this call), and for the requests of a
   * lane that are sent, in their order.
   */
  send(request: OutgoingRequest, settle: (result: ReplayResult) => void): void {
    if (this.#refusal !== null) {
      process.nextTick(settle, this.#refusal);
      return;
    }
    const { length } = request;
    const { queueBytesMax } = this.#options;
    if (this.queuedBytes + this.#inFlightBytes + length > queueBytesMax) {
      process.nextTick(settle, length > queueBytesMax ? TOO_LARGE : QUEUE_FULL);
      return;
    }
    const nowMs = performance.now();
    const pacer = this.#pacer;
    const dueMs = pacer === null ? nowMs : pacer.dueMs(request.timeUs, nowMs);
    const pending: Pending = { request, settle, queuedAtMs: dueMs, scheduledMs: pacer === null ? Number.NaN : pacer.scheduledMs, retried: false };
    const waitsForItsTime = pacer !== null && (dueMs > nowMs || pacer.count > 0);
    if (!waitsForItsTime && this.#sendNow(pending, nowMs)) return;
    if (this.queuedRequests >= this.#options.queueRequestsMax) {
      process.nextTick(settle, QUEUE_FULL);
      return;
    }
    if (waitsForItsTime) {
      pacer.hold(pending, nowMs);
      this.#updateRoom();
    } else this.#enqueue(pending, nowMs);
  }

  /**
   * Makes sure that a connection to the target can be made now; rejects with `TargetUnreachableError`, or with
   * `TargetRefusedError` when the target is nothing but what is refused.
   */
  async check(): Promise<void> {
    try {
      const connection = await this.#dialer.open();
      connection.destroy();
    } catch (error) {
      if (error instanceof TargetRefusedError) throw error;
      const { origin } = this.#options.url;
      throw new TargetUnreachableError(`cannot reach the target ${origin}: ${describeError(error)}`, { cause: error });
    }
  }

  /**
   * Settles everything that waits or is in flight with `result`, and closes every connection and attempt, before it
   * returns. Nothing leaves for the target behind it: requests that come later settle with `result` too, until
   * `resume`.
   */
  halt(result: ReplayResult): void {
    if (!this.#closing) this.#refusal = result;
    this.#endAll(result);
  }

  /** Takes requests again. */
  resume(): void {
    if (!this.#closing) this.#refusal = null;
  }

  /**
   * To be called when `TargetOptions.refused` refuses more than before: closes the connections to what it refuses now.
   * Requests in flight on them settle as `blocked`.
   */
  recheck(): void {
    const cut = this.#pool.destroy(({ address }) => this.#dialer.refuses(address));
    this.#dialer.recheck();
    // All are out of the books before the first is settled: what is called then may end everything.
    for (const pending of cut) this.#release(pending);
    for (const pending of cut) pending.settle(PRODUCTION);
    this.#pump(performance.now());
    if (this.#closing) this.#wakeWhenIdle();
  }

  /** Takes no more requests, lets those accepted end for at most `drainMs`, drops the rest, and closes everything. */
  async close(drainMs: number): Promise<void> {
    this.#refuseAll();
    if (this.#inFlight + this.queuedRequests > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idleWaiters.push(resolve);
      const timer = setTimeout(resolve, drainMs);
      await promise;
      clearTimeout(timer);
    }
    this.abort();
    if (this.#pool.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Drops everything now; each request left settles as `dropped` before this returns. */
  abort(): void {
    this.#stopped = true;
    this.#refuseAll();
    this.#endAll(SHUTDOWN);
  }

  #refuseAll(): void {
    this.#closing = true;
    this.#refusal = SHUTDOWN;
    this.#room.wake();
  }

  /** Leaves nothing waiting, in flight or connected. */
  #endAll(result: ReplayResult): void {
    this.#attempts.cancel();
    const inFlight = this.#pool.destroy(() => true);
    const left = inFlight.concat(this.#lanes.takeAll(), this.#pacer === null ? [] : this.#pacer.takeAll());
    this.#inFlight = 0;
    this.#inFlightBytes = 0;
    for (const pending of left) pending.settle(result);
    this.#updateRoom();
    this.#wakeWhenIdle();
  }

  /** Sends a request at once, if nothing stands in its way. */
  #sendNow(pending: Pending, nowMs: number): boolean {
    if (this.#pool.idle === 0 || this.#inFlight >= this.#options.inFlightMax) return false;
    if (!this.#lanes.tryBegin(pending)) return false;
    const connection = this.#pool.takeIdle(nowMs);
    if (connection === null) {
      this.#lanes.release(pending);
      return false;
    }
    this.#start(connection, pending, nowMs);
    return true;
  }

  #enqueue(pending: Pending, nowMs: number): void {
    this.#lanes.add(pending);
    this.#updateRoom();
    this.#pump(nowMs);
  }

  /** The time of a request that was held back has come. */
  #due(pending: Pending, nowMs: number): void {
    if (!this.#sendNow(pending, nowMs)) this.#enqueue(pending, nowMs);
  }

  #start(connection: WireConnection, pending: Pending, nowMs: number): void {
    this.#inFlight++;
    this.#inFlightBytes += pending.request.length;
    this.#updateRoom();
    if (this.#pacer !== null && !pending.retried) this.#options.sentLate?.(Math.max(0, nowMs - pending.scheduledMs));
    connection.begin(pending, nowMs);
    if (this.#unwritten.push(connection) === 1) setImmediate(this.#writeAll);
  }

  /** Sends what is ready on what is idle, and sees to connections for the rest. */
  #pump(nowMs: number): void {
    if (this.#stopped) return;
    // Requests that are to be sent once more keep their places among those in flight.
    while (this.#lanes.ready > 0 && this.#inFlight + this.#lanes.retries < this.#options.inFlightMax) {
      const connection = this.#pool.takeIdle(nowMs);
      if (connection === null) break;
      const pending = this.#lanes.take();
      if (pending === undefined) break;
      this.#start(connection, pending, nowMs);
    }
    if (!this.#room.free) this.#updateRoom();
    if (this.#lanes.ready + this.#lanes.retries > this.#attempts.count) this.#dialAsNeeded(nowMs);
  }

  #dialAsNeeded(nowMs: number): void {
    const wanted = Math.min(this.#lanes.ready + this.#lanes.retries, this.#options.connectionsMax);
    const attempts = this.#attempts;
    while (attempts.count < wanted && attempts.oneMore) {
      if (this.#inFlight + attempts.count >= this.#options.inFlightMax) return;
      if (this.#pool.size + attempts.count >= this.#options.connectionsMax) {
        // A retry needs a new connection: an idle one makes way, and its close comes back here.
        if (attempts.count === 0 && this.#lanes.retries > 0) this.#pool.makeWay();
        return;
      }
      if (!attempts.begin(nowMs)) return;
    }
  }

  #connected(connection: WireConnection, nowMs: number): void {
    this.counters.connectionsOpened++;
    this.#away = false;
    this.#pool.add(connection);
    const full = this.#inFlight >= this.#options.inFlightMax;
    const pending = full ? undefined : (this.#lanes.takeRetry() ?? this.#lanes.take());
    if (pending !== undefined) this.#start(connection, pending, nowMs);
    else this.#pool.rest(connection, nowMs);
    this.#pump(nowMs);
  }

  #connectFailed(error: unknown): void {
    this.counters.connectFailures++;
    const result: ReplayResult =
      error instanceof TargetRefusedError
        ? PRODUCTION
        : { outcome: 'failed', reason: 'connect', detail: describeError(error) };
    if (this.#attempts.count === 0) {
      // Connections that live on serve the queue; a retry, though, was owed a new one.
      const alone = this.#inFlight === 0 && this.#pool.idle === 0;
      this.#away = alone && result !== PRODUCTION;
      for (const pending of alone ? this.#lanes.takeAll() : this.#lanes.takeRetries()) {
        if (!alone) this.#lanes.release(pending);
        pending.settle(result);
      }
    }
    this.#pump(performance.now());
    this.#wakeWhenIdle();
  }

  #answered(connection: WireConnection, pending: Pending, response: ReplayResponse): void {
    if (connection.usable(response.endAtMs)) this.#pool.rest(connection, response.endAtMs);
    this.#ended(pending, { outcome: 'replayed', response }, response.endAtMs);
  }

  #failed(pending: Pending, reason: FailReason, detail: string, stale: boolean): void {
    this.#addresses.outdate();
    const nowMs = performance.now();
    if (stale && !pending.retried && IDEMPOTENT.has(pending.request.method)) {
      pending.retried = true;
      this.counters.staleRetries++;
      this.#inFlight--;
      this.#inFlightBytes -= pending.request.length;
      this.#lanes.addRetry(pending);
      this.#pump(nowMs);
    } else this.#ended(pending, { outcome: 'failed', reason, detail }, nowMs);
  }

  /** A request that was in flight is over. */
  #ended(pending: Pending, result: ReplayResult, nowMs: number): void {
    this.#release(pending);
    pending.settle(result);
    this.#pump(nowMs);
    if (this.#closing) this.#wakeWhenIdle();
  }

  #release(pending: Pending): void {
    this.#inFlight--;
    this.#inFlightBytes -= pending.request.length;
    this.#lanes.release(pending);
  }

  #closed(connection: WireConnection): void {
    if (!this.#pool.remove(connection)) return;
    if (this.#stopped) this.#wakeWhenIdle();
    else this.#pump(performance.now());
  }

  #updateRoom(): void {
    this.#room.update(this.queuedRequests, this.queuedBytes + this.#inFlightBytes);
  }

  /** Lets `close` go on: while draining once nothing is left, after `abort` once every socket is closed. */
  #wakeWhenIdle(): void {
    const left = this.#stopped ? this.#pool.size : this.#inFlight + this.queuedRequests;
    if (left === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

const SHUTDOWN: ReplayResult = { outcome: 'dropped', reason: 'shutdown' };
const QUEUE_FULL: ReplayResult = { outcome: 'dropped', reason: 'queue_full' };
const TOO_LARGE: ReplayResult = { outcome: 'dropped', reason: 'too_large' };
const PRODUCTION: ReplayResult = { outcome: 'blocked', guard: 'production' };
