/**
 * A TCP relay in front of production: it takes connections, makes one to production for each, and joins them. Whatever
 * becomes of the copies, the relay goes on.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type HostPort, hostPortText } from '../host-port.ts';
import { systemErrorFromName } from '../system/errors.ts';
import { CopiedConnection, type GapCounts } from './copied-connection.ts';
import type { CopyOutlet, CopyOutlets } from './copy-outlet.ts';
import { encodeEndpoints, type Endpoint, endpointOf } from './endpoints.ts';
import type { RelayOptions } from './options.ts';
import { decodeProxyHeader, encodeProxyHeader } from './proxy-header.ts';
import { RelayedConnection, resetSide, type Side } from './relayed-connection.ts';
import { TlsTermination } from './tls-termination.ts';
import { keepAliveMs, Upstream } from './upstream.ts';

/** The kernel holds this many connections that we have not taken yet, if its own limit allows. */
const backlog = 4_096;

/** What keeps happening is told this often. */
const warnEveryMs = 10_000;

export interface RelayCounts extends GapCounts {
  /** Connections taken. */
  connections: number;
  /** Connections that were not taken, for want of room or descriptors. */
  refused: number;
  /** Connections for which there was none to production. */
  unreachable: number;
}

export class Relay {
  readonly counts: RelayCounts = { connections: 0, refused: 0, unreachable: 0, gaps: 0, gapBytes: 0 };
  readonly #options: RelayOptions;
  readonly #source: number;
  readonly #outlets: CopyOutlets;
  readonly #nextId: () => number;
  readonly #warn: (text: string) => void;
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #tls: TlsTermination | null;
  /** Sockets of connections that are being made. */
  readonly #opening = new Set<Socket>();
  readonly #joined = new Map<number, { connection: RelayedConnection; outlet: CopyOutlet }>();
  readonly #warnedAtMs = new Map<string, number>();
  #emptied: (() => void) | null = null;

  /** `source` is its position in the configuration. Throws a `DoubletakeError` for certificates that cannot be used. */
  constructor(
    options: RelayOptions,
    source: number,
    outlets: CopyOutlets,
    nextId: () => number,
    warn: (text: string) => void,
  ) {
    this.#options = options;
    this.#source = source;
    this.#outlets = outlets;
    this.#nextId = nextId;
    this.#warn = warn;
    const { upstream, tls, connectTimeoutMs, connectionsMax } = options;
    this.#upstream = new Upstream(upstream, connectTimeoutMs);
    this.#tls =
      tls === null
        ? null
        : new TlsTermination(tls, tls.protocols, connectTimeoutMs, (problem) => {
            if (problem !== null) warn(`${this.#name}: the old certificate stays: ${problem}`);
          });
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    this.#server.maxConnections = connectionsMax;
    this.#server.on('connection', (socket) => void this.#take(socket));
    this.#server.on('drop', () => this.#refuse(`more than ${connectionsMax} connections at once (connectionsMax)`));
  }

  /** Takes connections when it resolves, with the address; rejects with a `DoubletakeError` when it cannot be had. */
  async listen(): Promise<HostPort> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(systemErrorFromName(`cannot listen on TCP ${hostPortText({ host, port })}`, error.code ?? error.message));
      });
      this.#server.listen({ host, port, backlog }, resolve);
    });
    this.#server.removeAllListeners('error').on('error', (error) => this.#refuse(error.message));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : { host, port };
  }

  /** Looks at the certificates again. */
  reload(): void {
    this.#tls?.reload();
  }

  /** Takes no more connections; resolves when the last one has ended. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#emptied = resolve;
    this.#checkEmpty();
    await Promise.all([promise, closed]);
    this.#tls?.close();
  }

  /** While it stops: ends connections that `outlet`'s worker knows to be idle, having read up to `position`. */
  leaveIdle(outlet: CopyOutlet, position: number, idle: readonly number[]): void {
    for (const id of idle) {
      const joined = this.#joined.get(id);
      if (joined?.outlet === outlet && joined.connection.copy.knownAt(position)) joined.connection.leave();
    }
  }

  /** While it stops: ends connections that seem idle and of which no worker knows. */
  leaveUnknown(known: (id: number, outlet: CopyOutlet) => boolean): void {
    for (const [id, { connection, outlet }] of this.#joined) {
      if (!known(id, outlet) && connection.seemsIdle) connection.leave();
    }
  }

  /** Breaks off what is left. */
  abort(): void {
    for (const socket of this.#opening) socket.destroy();
    for (const { connection } of this.#joined.values()) connection.reset();
  }

  get #name(): string {
    return `proxy ${hostPortText(this.#options.listen)}`;
  }

  async #take(raw: Socket): Promise<void> {
    this.counts.connections++;
    this.#track(raw);
    const opened = await this.#open(raw).catch((error: unknown) => {
      if (error instanceof UnreachableError) {
        this.counts.unreachable++;
        this.#warnAtTimes('unreachable', `production cannot be reached: ${error.message}`);
      }
      return null;
    });
    this.#opening.delete(raw);
    if (opened !== null && !raw.destroyed && !opened.production.raw.destroyed) {
      this.#join(opened.client, opened.production, opened.endpoints);
    } else {
      resetSide({ socket: raw, raw });
      if (opened !== null) resetSide(opened.production);
    }
    this.#checkEmpty();
  }

  /** From an accepted socket to two sides that can be joined. */
  async #open(raw: Socket): Promise<{ client: Side; production: Side; endpoints: Uint8Array }> {
    let client: Endpoint = endpointOf(raw.remoteAddress, raw.remotePort);
    let called: Endpoint = endpointOf(raw.localAddress, raw.localPort);
    if (this.#options.acceptProxyProtocol) {
      const header = await readProxyHeader(raw, this.#options.connectTimeoutMs);
      client = header.client ?? client;
      called = header.server ?? called;
    }
    const secured = this.#tls === null ? null : await this.#tls.terminate(raw);
    const preface = this.#options.sendProxyProtocol ? () => encodeProxyHeader(client, called) : () => null;
    const production = await this.#upstream
      .open(preface, secured?.alpnProtocol || null, (socket) => this.#track(socket))
      .catch((error: unknown) => {
        throw new UnreachableError(error instanceof Error ? error.message : String(error));
      });
    const server = endpointOf(production.raw.remoteAddress, production.raw.remotePort);
    return { client: { socket: secured ?? raw, raw }, production, endpoints: encodeEndpoints(client, server) };
  }

  #join(client: Side, production: Side, endpoints: Uint8Array): void {
    const id = this.#nextId();
    const outlet = this.#outlets.choose();
    const copy = new CopiedConnection(id, this.#source, endpoints, outlet, this.counts);
    const connection = new RelayedConnection(client, production, copy, () => {
      this.#joined.delete(id);
      this.#checkEmpty();
    });
    this.#opening.delete(production.raw);
    this.#joined.set(id, { connection, outlet });
  }

  /** A socket of a connection that is being made can be broken off, and its errors are of no interest. */
  #track(socket: Socket): void {
    this.#opening.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#opening.delete(socket);
      this.#checkEmpty();
    });
  }

  #checkEmpty(): void {
    if (this.#opening.size === 0 && this.#joined.size === 0) this.#emptied?.();
  }

  #refuse(reason: string): void {
    this.counts.refused++;
    this.#warnAtTimes('refused', `connections are refused: ${reason}`);
  }

  #warnAtTimes(kind: string, text: string): void {
    const nowMs = performance.now();
    if (nowMs - (this.#warnedAtMs.get(kind) ?? -Infinity) < warnEveryMs) return;
    this.#warnedAtMs.set(kind, nowMs);
    this.#warn(`${this.#name}: ${text}`);
  }
}

/** There is no connection to production. */
class UnreachableError extends Error {}

/** Takes the PROXY header off a socket that was not read; rejects for what is none, or does not come in time. */
async function readProxyHeader(raw: Socket, timeoutMs: number): Promise<{ client: Endpoint | null; server: Endpoint | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ client: Endpoint | null; server: Endpoint | null }>();
  let held = Buffer.alloc(0);
  const timer = setTimeout(() => reject(new Error('no PROXY header in time')), timeoutMs);
  const left = (): void => reject(new Error('the client left'));
  const read = (bytes: Buffer): void => {
    held = Buffer.concat([held, bytes]);
    const header = decodeProxyHeader(held);
    if (header === 'more') return;
    raw.pause().off('data', read);
    if (header === 'invalid') return reject(new Error('no PROXY header'));
    if (header.length < held.length) raw.unshift(held.subarray(header.length));
    resolve(header);
  };
  raw.on('data', read).once('close', left).once('end', left).resume();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    raw.off('data', read).off('close', left).off('end', left);
  }
}
