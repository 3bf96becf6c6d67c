/**
 * The mirror sink: a server for the copies of requests that a proxy sends (NGINX `mirror`, Envoy's request mirroring and
 * the like). It reads bytes and hands them on; whoever reads the requests in them says what to answer, and the answer
 * goes out before anything else is done with a request, since a proxy may make its client wait for it.
 *
 * HTTP/1 is read from the plain socket. A connection that begins with the preface of HTTP/2 (RFC 9113 section 3.3,
 * prior knowledge) is node:http2's, and each of its requests is handed on as the bytes of an HTTP/1.1 request.
 *
 * Everything is bounded: connections, what an answer may wait for its reader, and the time for each part of a request,
 * by one timer for all connections. What crosses a bound is cut off and counted.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { hostPortText } from '../host-port.ts';
import { systemErrorFromName } from '../system/errors.ts';
import { NewConnection } from './sink-connection.ts';
import { defaultSinkLimits, type OpenReader, type SinkContext, type SinkCounters, type SinkLimits, type Watched } from './sink-parts.ts';

export interface HttpSinkOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Other sinks of ours listen on the same port, and the kernel spreads connections over them. Linux only. */
  shared?: boolean;
  open: OpenReader;
  limits?: Partial<SinkLimits>;
}

export interface HttpSink {
  address: string;
  port: number;
  readonly counters: Readonly<SinkCounters>;
  /** Stops listening, closes idle connections, and cuts off requests that are not whole after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Listens; throws a `SystemError` when that is not possible. */
export async function openHttpSink(options: HttpSinkOptions): Promise<HttpSink> {
  const { host, port, shared = false } = options;
  const server = createServer({ noDelay: true, allowHalfOpen: true });
  const bound = await listen(server, host, port, shared);
  return new Sink(server, bound, options.open, { ...defaultSinkLimits, ...options.limits });
}

/**
 * The port (a free one for 0), on which nobody listens, not even somebody who would share it: each of the two would
 * silently get a part of the requests. Throws a `SystemError` otherwise.
 */
export async function reserveTcpPort(host: string, port: number): Promise<number> {
  const server = createServer();
  const bound = await listen(server, host, port, false);
  await new Promise((resolve) => server.close(resolve));
  return bound.port;
}

async function listen(server: Server, host: string, port: number, shared: boolean): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(systemErrorFromName(`cannot listen on TCP ${hostPortText({ host, port })}`, error.code ?? error.message));
    });
    server.listen({ host, port, backlog: 1_024, ...(shared ? { reusePort: true } : {}) }, resolve);
  });
  server.removeAllListeners('error');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server without an address');
  return bound;
}

/** One timer looks at all that waits, this often. */
const sweepEveryMs = 1_000;

class Sink implements HttpSink, SinkContext {
  readonly address: string;
  readonly port: number;
  readonly counters: SinkCounters = { connections: 0, refused: 0, timedOut: 0, untranslatable: 0 };
  readonly limits: SinkLimits;
  readonly open: OpenReader;
  readonly watched = new Set<Watched>();
  closing = false;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  #connections = 0;
  #whenEmpty: () => void = () => {};

  constructor(server: Server, { address, port }: AddressInfo, open: OpenReader, limits: SinkLimits) {
    this.address = address;
    this.port = port;
    this.#server = server;
    this.open = open;
    this.limits = limits;
    this.#timer = setInterval(() => this.#sweep(), Math.min(sweepEveryMs, limits.headMsMax / 2));
    this.#timer.unref();
    server.on('connection', (socket) => this.#accept(socket));
    // A connection that could not be accepted, for want of descriptors.
    server.on('error', () => this.counters.refused++);
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const watched of this.watched) if (isIdle(watched)) watched.cutOff(false);
    if (this.#connections > 0) {
      const empty = new Promise<void>((resolve) => (this.#whenEmpty = resolve));
      const force = setTimeout(() => {
        for (const watched of this.watched) watched.cutOff(false);
      }, graceMs);
      await empty;
      clearTimeout(force);
    }
    clearInterval(this.#timer);
    await closed;
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    // A connection that was reset before it was accepted has no address any more.
    const gone = remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined;
    if (this.closing || gone || this.#connections >= this.limits.connectionsMax) {
      if (!gone) this.counters.refused++;
      socket.destroy();
      return;
    }
    this.#connections++;
    this.counters.connections++;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (--this.#connections === 0) this.#whenEmpty();
    });
    new NewConnection(this, socket, { remoteAddress, remotePort, localAddress, localPort }).begin();
  }

  #sweep(): void {
    const { idleMsMax, headMsMax, bodyMsMax } = this.limits;
    const nowMs = performance.now();
    for (const watched of this.watched) {
      const { waitingFor, sinceMs } = watched;
      const max = { request: idleMsMax, head: headMsMax, body: bodyMsMax, closing: headMsMax }[waitingFor];
      if (nowMs - sinceMs <= max) continue;
      if (!isIdle(watched)) this.counters.timedOut++;
      watched.cutOff(true);
    }
  }
}

/** Nothing is lost when it is cut off. */
function isIdle({ waitingFor }: Watched): boolean {
  return waitingFor === 'request' || waitingFor === 'closing';
}
