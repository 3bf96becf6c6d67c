/**
 * A target: sends requests over a pool of keep-alive connections and settles each exactly once.
 *
 * - A request goes out at once when its lane is free and a connection is idle; else it waits in `Lanes`, within bounds.
 * - Idle connections are used last in, first out, so that those not needed age and go.
 * - A new connection is made for each ready request that has none, up to `connectionsMax`. After a failure to connect
 *   one attempt at a time is made, with a pause between them, until one works again.
 * - When an attempt fails and no connection or other attempt is left, every request that waits fails with `connect`: a
 *   dead target costs each request one attempt at most, however many lanes there are, and the queue drains. Later
 *   requests try anew.
 * - What is sent in one turn of the event loop is written at its end, back to back: written one by one, each request
 *   would wake the target, which costs this process as much as writing it.
 * - One coarse timer compares the deadlines of the open connections with the clock; there are none per request.
 */
import { Addresses } from './addresses.ts';
import { Dialer, targetHostname } from './dialer.ts';
import { describeError, TargetUnreachableError } from './errors.ts';
import { Lanes } from './lanes.ts';
import type { Pending } from './pending.ts';
import type { FailReason, OutgoingRequest, ReplayResponse, ReplayResult, TargetOptions } from './target.ts';
import type { ConnectionOwner, WireConnection } from './wire-connection.ts';

const DIAL_PAUSE_MS = 50;
const SCAN_MS_MIN = 5;
const SCAN_MS_MAX = 100;
/** Shares of the queue bounds: `room` ends above the first and returns below the second. */
const ROOM_ENDS = 0.5;
const ROOM_RETURNS = 0.25;

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
  readonly #lanes = new Lanes();
  readonly #open = new Set<WireConnection>();
  /** Connections at rest; the last is used first. May hold some that just closed. */
  readonly #idle: WireConnection[] = [];
  readonly #scanMs: number;
  #scanTimer: NodeJS.Timeout | null = null;
  #dialing = 0;
  /** The last attempt to connect worked. */
  #reachable = false;
  #nextDialMs = 0;
  #dialTimer: NodeJS.Timeout | null = null;
  #inFlight = 0;
  #inFlightBytes = 0;
  #room = true;
  #roomWaiters: (() => void)[] = [];
  readonly #unwritten: WireConnection[] = [];
  readonly #writeAll = (): void => {
    const nowMs = performance.now();
    for (const connection of this.#unwritten) connection.write(nowMs);
    this.#unwritten.length = 0;
  };
  #closing = false;
  #stopped = false;
  #idleWaiters: (() => void)[] = [];

  /** Throws when `options` cannot be used: another scheme, a `ca` without a certificate. */
  constructor(options: TargetOptions) {
    this.name = options.name;
    this.#options = options;
    this.#addresses = new Addresses(targetHostname(options.url), options.connectionAgeMaxMs, options.resolve);
    const owner: ConnectionOwner = {
      answered: (connection, pending, response) => this.#answered(connection, pending, response),
      failed: (_connection, pending, reason, detail, stale) => this.#failed(pending, reason, detail, stale),
      unsolicited: () => {
        this.counters.unsolicited++;
      },
      closed: (connection) => this.#closed(connection),
    };
    this.#dialer = new Dialer(options, owner, this.#addresses);
    const shortestMs = Math.min(options.responseTimeoutMs, options.idleTimeoutMs, options.connectionAgeMaxMs);
    this.#scanMs = Math.min(SCAN_MS_MAX, Math.max(SCAN_MS_MIN, shortestMs / 10));
  }

  get queuedRequests(): number {
    return this.#lanes.count;
  }

  get queuedBytes(): number {
    return this.#lanes.bytes;
  }

  /** Requests sent and not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** False while the queue is so full that a source that can wait should: see `waitForRoom`. */
  get room(): boolean {
    return this.#room;
  }

  /** Resolves when there is room. */
  waitForRoom(): Promise<void> {
    if (this.#room || this.#closing) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /**
   * Takes a request. `settle` is called exactly once, later (never from within this call), and for the requests of a
   * lane that are sent, in their order.
   */
  send(request: OutgoingRequest, settle: (result: ReplayResult) => void): void {
    const { length } = request;
    if (this.#closing) {
      process.nextTick(settle, SHUTDOWN);
      return;
    }
    const lanes = this.#lanes;
    if (lanes.bytes + this.#inFlightBytes + length > this.#options.queueBytesMax) {
      process.nextTick(settle, length > this.#options.queueBytesMax ? TOO_LARGE : QUEUE_FULL);
      return;
    }
    const nowMs = performance.now();
    const pending: Pending = { request, settle, queuedAtMs: nowMs, retried: false };
    if (this.#idle.length > 0 && lanes.tryBegin(pending)) {
      const connection = this.#takeIdle(nowMs);
      if (connection !== null) {
        this.#start(connection, pending, nowMs);
        return;
      }
      lanes.release(pending);
    }
    if (lanes.count >= this.#options.queueRequestsMax) {
      process.nextTick(settle, QUEUE_FULL);
      return;
    }
    lanes.add(pending);
    this.#updateRoom();
    this.#pump(nowMs);
  }

  /** Makes sure that a connection to the target can be made now; rejects with `TargetUnreachableError`. */
  async check(): Promise<void> {
    try {
      const connection = await this.#dialer.open();
      connection.destroy();
    } catch (error) {
      const { origin } = this.#options.url;
      throw new TargetUnreachableError(`cannot reach the target ${origin}: ${describeError(error)}`, { cause: error });
    }
  }

  /** Takes no more requests, lets those accepted end for at most `drainMs`, drops the rest, and closes everything. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true;
    this.#wake(this.#roomWaiters);
    if (this.#inFlight + this.#lanes.count > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idleWaiters.push(resolve);
      const timer = setTimeout(resolve, drainMs);
      await promise;
      clearTimeout(timer);
    }
    this.abort();
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Drops everything now; each request left settles as `dropped` before this returns. */
  abort(): void {
    this.#closing = true;
    this.#stopped = true;
    this.#dialer.stop();
    if (this.#dialTimer !== null) clearTimeout(this.#dialTimer);
    const left: Pending[] = [];
    for (const connection of this.#open) {
      const pending = connection.destroy();
      if (pending !== null) left.push(pending);
    }
    left.push(...this.#lanes.takeAll());
    this.#inFlight = 0;
    this.#inFlightBytes = 0;
    for (const pending of left) pending.settle(SHUTDOWN);
    this.#wake(this.#roomWaiters);
    this.#wakeWhenIdle();
  }

  #start(connection: WireConnection, pending: Pending, nowMs: number): void {
    this.#inFlight++;
    this.#inFlightBytes += pending.request.length;
    this.#updateRoom();
    connection.begin(pending, nowMs);
    if (this.#unwritten.push(connection) === 1) process.nextTick(this.#writeAll);
  }

  #takeIdle(nowMs: number): WireConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable(nowMs)) return connection;
      connection.destroy();
    }
    return null;
  }

  /** Sends what is ready on what is idle, and sees to connections for the rest. */
  #pump(nowMs: number): void {
    if (this.#stopped) return;
    while (this.#lanes.ready > 0) {
      const connection = this.#takeIdle(nowMs);
      if (connection === null) break;
      const pending = this.#lanes.take();
      if (pending === undefined) break;
      this.#start(connection, pending, nowMs);
    }
    if (!this.#room) this.#updateRoom();
    if (this.#lanes.ready + this.#lanes.retries > this.#dialing) this.#dialAsNeeded(nowMs);
  }

  #dialAsNeeded(nowMs: number): void {
    const wanted = Math.min(this.#lanes.ready + this.#lanes.retries, this.#options.connectionsMax);
    while (this.#dialing < wanted && (this.#reachable || this.#dialing === 0)) {
      if (this.#open.size + this.#dialing >= this.#options.connectionsMax) {
        // A retry needs a new connection: an idle one makes way, and its close comes back here.
        if (this.#dialing === 0 && this.#lanes.retries > 0) this.#idle.shift()?.destroy();
        return;
      }
      if (nowMs < this.#nextDialMs) {
        this.#dialTimer ??= setTimeout(() => {
          this.#dialTimer = null;
          this.#pump(performance.now());
        }, this.#nextDialMs - nowMs + 1);
        return;
      }
      this.#dialing++;
      this.#dialer.open().then(
        (connection) => this.#dialed(connection),
        (error: unknown) => this.#dialFailed(describeError(error)),
      );
    }
  }

  #dialed(connection: WireConnection): void {
    const nowMs = performance.now();
    if (!connection.usable(nowMs)) {
      this.#dialFailed('connection closed by the target');
      return;
    }
    this.#dialing--;
    if (this.#stopped) {
      connection.destroy();
      return;
    }
    this.counters.connectionsOpened++;
    this.#reachable = true;
    this.#nextDialMs = 0;
    this.#open.add(connection);
    this.#scanTimer ??= setInterval(() => this.#scan(), this.#scanMs).unref();
    const pending = this.#lanes.takeRetry() ?? this.#lanes.take();
    if (pending !== undefined) this.#start(connection, pending, nowMs);
    else {
      connection.rest(nowMs);
      this.#idle.push(connection);
    }
    this.#pump(nowMs);
  }

  #dialFailed(detail: string): void {
    this.#dialing--;
    if (this.#stopped) return;
    this.counters.connectFailures++;
    this.#reachable = false;
    this.#nextDialMs = performance.now() + DIAL_PAUSE_MS;
    const result: ReplayResult = { outcome: 'failed', reason: 'connect', detail };
    if (this.#dialing === 0) {
      // Connections that live on serve the queue; a retry, though, was owed a new one.
      const alone = this.#inFlight === 0 && this.#idle.length === 0;
      for (const pending of alone ? this.#lanes.takeAll() : this.#lanes.takeRetries()) {
        if (!alone) this.#lanes.release(pending);
        pending.settle(result);
      }
    }
    this.#pump(performance.now());
    this.#wakeWhenIdle();
  }

  #answered(connection: WireConnection, pending: Pending, response: ReplayResponse): void {
    if (connection.usable(response.endAtMs)) {
      connection.rest(response.endAtMs);
      this.#idle.push(connection);
    }
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
    this.#inFlight--;
    this.#inFlightBytes -= pending.request.length;
    this.#lanes.release(pending);
    pending.settle(result);
    this.#pump(nowMs);
    if (this.#closing) this.#wakeWhenIdle();
  }

  #closed(connection: WireConnection): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#open.size === 0 && this.#scanTimer !== null) {
      clearInterval(this.#scanTimer);
      this.#scanTimer = null;
    }
    if (this.#stopped) this.#wakeWhenIdle();
    else this.#pump(performance.now());
  }

  #scan(): void {
    const nowMs = performance.now();
    for (const connection of this.#open) if (nowMs >= connection.deadlineMs) connection.expire();
  }

  #updateRoom(): void {
    const { queueRequestsMax, queueBytesMax } = this.#options;
    const share = this.#room ? ROOM_ENDS : ROOM_RETURNS;
    const bytes = this.#lanes.bytes + this.#inFlightBytes;
    const fits = this.#lanes.count <= queueRequestsMax * share && bytes <= queueBytesMax * share;
    if (this.#room) this.#room = fits;
    else if (fits) {
      this.#room = true;
      this.#wake(this.#roomWaiters);
    }
  }

  /** Lets `close` go on: while draining once nothing is left, after `abort` once every socket is closed. */
  #wakeWhenIdle(): void {
    const left = this.#stopped ? this.#open.size : this.#inFlight + this.#lanes.count;
    if (left === 0) this.#wake(this.#idleWaiters);
  }

  #wake(waiters: (() => void)[]): void {
    for (const resolve of waiters.splice(0)) resolve();
  }
}

const SHUTDOWN: ReplayResult = { outcome: 'dropped', reason: 'shutdown' };
const QUEUE_FULL: ReplayResult = { outcome: 'dropped', reason: 'queue_full' };
const TOO_LARGE: ReplayResult = { outcome: 'dropped', reason: 'too_large' };
