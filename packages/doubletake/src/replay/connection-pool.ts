/**
 * The open connections of a target. Those at rest are used last in, first out, so that those not needed age and go. One
 * coarse timer compares the deadlines of all with the clock; there are none per request.
 */
import type { Pending } from './pending.ts';
import type { WireConnection } from './wire-connection.ts';

const SCAN_MS_MIN = 5;
const SCAN_MS_MAX = 100;

export class ConnectionPool {
  readonly #open = new Set<WireConnection>();
  /** Connections at rest; the last is used first. May hold some that just closed. */
  readonly #idle: WireConnection[] = [];
  readonly #scanMs: number;
  #scanTimer: NodeJS.Timeout | null = null;

  /** `shortestMs` is the shortest time after which a deadline passes. */
  constructor(shortestMs: number) {
    this.#scanMs = Math.min(SCAN_MS_MAX, Math.max(SCAN_MS_MIN, shortestMs / 10));
  }

  /** Open connections, with those about to close. */
  get size(): number {
    return this.#open.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  add(connection: WireConnection): void {
    this.#open.add(connection);
    this.#scanTimer ??= setInterval(() => this.#scan(), this.#scanMs).unref();
  }

  /** The connection has nothing to do for now. */
  rest(connection: WireConnection, nowMs: number): void {
    connection.rest(nowMs);
    this.#idle.push(connection);
  }

  /** A connection that was at rest and can take a request; null when there is none. */
  takeIdle(nowMs: number): WireConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable(nowMs)) return connection;
      connection.destroy();
    }
    return null;
  }

  /** Closes the connection that has been at rest for longest, if any is. */
  makeWay(): void {
    this.#idle.shift()?.destroy();
  }

  /** The connection is closed; false when it was none of these. */
  remove(connection: WireConnection): boolean {
    if (!this.#open.delete(connection)) return false;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#open.size === 0 && this.#scanTimer !== null) {
      clearInterval(this.#scanTimer);
      this.#scanTimer = null;
    }
    return true;
  }

  /** Closes those that are `meant` at once, and returns the requests that were out on them. */
  destroy(meant: (connection: WireConnection) => boolean): Pending[] {
    const out: Pending[] = [];
    for (const connection of this.#open) {
      const pending = meant(connection) ? connection.destroy() : null;
      if (pending !== null) out.push(pending);
    }
    return out;
  }

  #scan(): void {
    const nowMs = performance.now();
    for (const connection of this.#open) if (nowMs >= connection.deadlineMs) connection.expire();
  }
}
