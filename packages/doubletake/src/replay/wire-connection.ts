/**
 * One TCP or TLS connection to a target, carrying one request at a time. Bytes go out as given; the response is read in
 * place, without TLS from a buffer that every read reuses. No timers: the owner compares `deadlineMs` with its clock
 * now and then and calls `expire`.
 *
 * States: connecting, idle, busy (a request is out), closed. Every request that was given to `begin` is handed back
 * exactly once, through `answered` or `failed`. `closed` comes once, last, when the descriptor is free again.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectionFailReason, describeError } from './errors.ts';
import type { Pending } from './pending.ts';
import { NEED_MORE, ResponseReader } from './response-reader.ts';
import type { Tls } from './tls.ts';
import type { FailReason, ReplayResponse, TargetOptions } from './target.ts';

/** Reads are handed over one at a time and read in place: all connections of a thread without TLS share one buffer. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
/** Requests in several pieces up to this size are copied into one: cheaper than a vectored write. */
const JOIN_BYTES_MAX = 16 * 1024;
/** A kept-alive connection is not used in the last moments of the time that the server announced. */
const KEEP_ALIVE_MARGIN_MS = 1000;

export interface ConnectionOwner {
  /** The response is whole; `connection.usable` says whether it can carry another request. */
  answered(connection: WireConnection, pending: Pending, response: ReplayResponse): void;
  /**
   * The request failed and the connection is of no more use. `stale` says that it had been kept alive and broke before
   * a byte of the response.
   */
  failed(connection: WireConnection, pending: Pending, reason: FailReason, detail: string, stale: boolean): void;
  /** Bytes came that no request asked for. */
  unsolicited(connection: WireConnection): void;
  /** The socket is closed. */
  closed(connection: WireConnection): void;
}

type State = 'connecting' | 'idle' | 'busy' | 'closed';

export class WireConnection {
  readonly address: string;
  /** When to call `expire`, on the monotonic clock. */
  deadlineMs = Infinity;
  readonly #owner: ConnectionOwner;
  readonly #options: TargetOptions;
  readonly #socket: Socket;
  /** Beneath TLS, else the same. */
  readonly #transport: Socket;
  readonly #reader: ResponseReader;
  #state: State = 'connecting';
  #retireAtMs = Infinity;
  #pending: Pending | null = null;
  /** It has rested since it was made or last used, so the other side may have closed it unnoticed. */
  #rested = false;
  #anyResponseByte = false;
  /** The request that was taken is not written yet. */
  #unwritten = false;
  #sentAtMs = 0;
  #firstByteAtMs = 0;

  /** Begins to connect; `connected` tells how it went. */
  constructor(owner: ConnectionOwner, options: TargetOptions, tls: Tls | null, address: string, port: number) {
    this.#owner = owner;
    this.#options = options;
    this.address = address;
    this.#reader = new ResponseReader(options.keepBodyBytesMax);
    if (tls === null) {
      const callback = (length: number): boolean => {
        this.#received(readBuffer, length);
        return true;
      };
      this.#socket = this.#transport = connectTcp({ host: address, port, onread: { buffer: readBuffer, callback } });
    } else {
      // Connected here, since a connection that TLS makes for itself cannot be reset. It has no `onread` then.
      this.#transport = connectTcp({ host: address, port });
      this.#transport.on('error', (error) => this.#socket.destroy(error));
      this.#socket = connectTls({ ...tls, host: address, socket: this.#transport });
      this.#socket.on('data', (bytes: Buffer) => this.#received(bytes, bytes.length));
    }
    this.#transport.setNoDelay(true);
    this.#socket.on('error', (error) => this.#broke(error));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => {
      this.#state = 'closed';
      owner.closed(this);
    });
  }

  /** Resolves once requests can be sent. Rejects when that fails or takes longer, after the socket is closed. */
  connected(timeoutMs: number): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let failure: Error | null = null;
      const tooLate = (): unknown => socket.destroy(new Error(`no connection within ${Math.round(timeoutMs)} ms`));
      const timer = setTimeout(tooLate, timeoutMs);
      const onError = (error: Error): void => {
        failure ??= error;
      };
      const onClose = (): void => {
        clearTimeout(timer);
        reject(failure ?? new Error('connection closed by the target'));
      };
      socket.on('error', onError);
      socket.on('close', onClose);
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        socket.off('error', onError);
        socket.off('close', onClose);
        if (this.#state === 'connecting') this.#state = 'idle';
        this.#retireAtMs = performance.now() + this.#options.connectionAgeMaxMs;
        resolve();
      });
    });
  }

  /** Whether a request can be sent now. */
  usable(nowMs: number): boolean {
    return this.#state === 'idle' && nowMs < this.deadlineMs && nowMs < this.#retireAtMs;
  }

  get pending(): Pending | null {
    return this.#pending;
  }

  /** Takes a request, which `write` sends; only while `usable`. */
  begin(pending: Pending, nowMs: number): void {
    this.#state = 'busy';
    this.#pending = pending;
    this.#unwritten = true;
    this.#sentAtMs = nowMs;
    this.#anyResponseByte = false;
    this.deadlineMs = nowMs + this.#options.responseTimeoutMs;
    this.#reader.begin(pending.request.method);
  }

  /** Sends the request that was taken, unless the connection has failed since. */
  write(nowMs: number): void {
    if (this.#pending === null || !this.#unwritten) return;
    this.#unwritten = false;
    const { bytes, length } = this.#pending.request;
    this.#sentAtMs = nowMs;
    this.deadlineMs = nowMs + this.#options.responseTimeoutMs;
    const socket = this.#socket;
    const first = bytes[0];
    if (bytes.length === 1 && first !== undefined) socket.write(first);
    else if (length <= JOIN_BYTES_MAX) socket.write(Buffer.concat(bytes));
    else {
      socket.cork();
      for (const piece of bytes) socket.write(piece);
      socket.uncork();
    }
  }

  /** The connection has nothing to do for now. */
  rest(nowMs: number): void {
    this.#rested = true;
    let idleUntilMs = nowMs + this.#options.idleTimeoutMs;
    const announcedMs = this.#reader.keepAliveTimeoutMs;
    if (announcedMs >= 0) {
      idleUntilMs = Math.min(idleUntilMs, nowMs + announcedMs - Math.min(KEEP_ALIVE_MARGIN_MS, announcedMs / 2));
    }
    this.deadlineMs = Math.min(idleUntilMs, this.#retireAtMs);
  }

  /** `deadlineMs` has passed. */
  expire(): void {
    if (this.#pending === null) this.destroy();
    else this.#fail('timeout', `no complete response within ${this.#options.responseTimeoutMs} ms`);
  }

  /**
   * Closes the connection at once and returns the request that was out, which the owner now settles. Nothing more of it
   * leaves: the connection is reset, since the kernel would send what it still holds before it closed.
   */
  destroy(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    this.#state = 'closed';
    this.deadlineMs = Infinity;
    if (pending !== null && !this.#transport.destroyed) this.#transport.resetAndDestroy();
    this.#socket.destroy();
    return pending;
  }

  #received(bytes: Buffer, length: number): void {
    const pending = this.#pending;
    if (pending === null) {
      // An answer to nothing; what follows could be taken for the answer to the next request.
      if (this.#state === 'closed') return;
      this.destroy();
      this.#owner.unsolicited(this);
      return;
    }
    if (this.#unwritten) {
      this.#owner.unsolicited(this);
      this.#fail('reset', 'bytes came before the request was sent');
      return;
    }
    const reader = this.#reader;
    const begins = !reader.begun;
    if (begins) {
      this.#anyResponseByte = true;
      this.#firstByteAtMs = performance.now();
    }
    const responseEnd = reader.push(bytes, 0, length);
    if (responseEnd >= 0) {
      const surplus = responseEnd < length;
      this.#answered(pending, begins ? this.#firstByteAtMs : performance.now(), surplus);
      if (surplus) this.#owner.unsolicited(this);
    } else if (responseEnd !== NEED_MORE) this.#fail('protocol', reader.error);
  }

  #answered(pending: Pending, nowMs: number, surplus: boolean): void {
    const reader = this.#reader;
    this.#pending = null;
    // An answer may come before the request is written out; the rest of the request would then precede the next one.
    if (surplus || !reader.persistent || this.#socket.writableLength > 0 || nowMs >= this.#retireAtMs) this.destroy();
    else {
      this.#state = 'idle';
      this.deadlineMs = Infinity;
    }
    this.#owner.answered(this, pending, {
      status: reader.status,
      head: reader.head,
      body: reader.body(),
      bodyBytes: reader.bodyBytes,
      queuedAtMs: pending.queuedAtMs,
      sentAtMs: this.#sentAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      endAtMs: nowMs,
    });
  }

  #ended(): void {
    const pending = this.#pending;
    if (pending === null) this.destroy();
    else if (this.#reader.end()) this.#answered(pending, performance.now(), false);
    else this.#fail('reset', this.#anyResponseByte ? 'closed inside the response' : 'closed without a response');
  }

  #broke(error: Error): void {
    if (this.#pending !== null) this.#fail(connectionFailReason(error), describeError(error));
    else if (this.#state !== 'connecting') this.destroy();
  }

  #fail(reason: FailReason, detail: string): void {
    const stale = reason === 'reset' && this.#rested && !this.#anyResponseByte;
    const pending = this.destroy();
    if (pending !== null) this.#owner.failed(this, pending, reason, `${detail} (${this.address})`, stale);
  }
}
