/** A relay in the test's own thread, its production, and its clients: raw TCP on loopback, stopped when the test ends. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { CopyOutlet, CopyOutlets } from '../../src/relay/copy-outlet.ts';
import { CopyKind, CopyReader, CopyWriter, createCopyRing } from '../../src/relay/copy-ring.ts';
import { decodeEndpoints } from '../../src/relay/endpoints.ts';
import type { RelayOptions } from '../../src/relay/options.ts';
import { Relay } from '../../src/relay/relay.ts';
import { formatEndpoint } from '../../src/packets/address.ts';
import { listen } from './replay-servers.ts';

/** What a copy says of one connection. */
export interface CopiedStreams {
  /** `client>production`. */
  label: string;
  /** What each side sent; null where bytes were relayed and not copied. */
  bytes: [(Buffer | null)[], (Buffer | null)[]];
  gapBytes: number;
  ended: [boolean, boolean];
  closed: 'no' | 'fin' | 'reset';
}

export interface TestRelay {
  relay: Relay;
  port: number;
  outlet: CopyOutlet;
  warnings: string[];
  /** Everything copied so far, by the order in which connections first carried bytes. */
  copies: () => CopiedStreams[];
}

/** Starts a relay to a production on `port` of loopback. */
export async function startRelay(port: number, options: Partial<RelayOptions> = {}, ringBytes = 1 << 22): Promise<TestRelay> {
  const ring = createCopyRing(ringBytes);
  const outlet = new CopyOutlet(new CopyWriter(ring, () => {}));
  const reader = new CopyReader(ring);
  const known = new Map<number, CopiedStreams>();
  const warnings: string[] = [];
  let lastId = 0;
  const relay = new Relay(
    {
      listen: { host: '127.0.0.1', port: 0 },
      upstream: { host: '127.0.0.1', port, tls: null },
      tls: null,
      acceptProxyProtocol: false,
      sendProxyProtocol: false,
      connectionsMax: 1000,
      connectTimeoutMs: 5000,
      ...options,
    },
    0,
    new CopyOutlets([outlet]),
    () => ++lastId,
    (text) => warnings.push(text),
  );
  const address = await relay.listen();
  onTestFinished(() => {
    const stopped = relay.stop();
    relay.abort();
    return stopped;
  });
  const copies = (): CopiedStreams[] => {
    do {
      while (reader.next()) read(reader, known);
      outlet.settle();
    } while (reader.position < outlet.position);
    return [...known.values()];
  };
  return { relay, port: address.port, outlet, warnings, copies };
}

function read({ kind, connection, direction, acknowledgement, bytes, start, end }: CopyReader, known: Map<number, CopiedStreams>): void {
  const payload = Buffer.from(bytes.subarray(start, end));
  if (kind === CopyKind.open) {
    const { addresses, ports } = decodeEndpoints(payload);
    const label = `${formatEndpoint(addresses, 0, ports[0])}>${formatEndpoint(addresses, 4, ports[1])}`;
    known.set(connection, { label, bytes: [[], []], gapBytes: 0, ended: [false, false], closed: 'no' });
    return;
  }
  const streams = known.get(connection);
  if (streams === undefined) throw new Error(`connection ${connection} was never opened`);
  if (kind === CopyKind.data) streams.bytes[direction].push(payload);
  else if (kind === CopyKind.gap) {
    streams.bytes[direction].push(null);
    streams.gapBytes += acknowledgement;
  } else if (kind === CopyKind.end) streams.ended[direction] = true;
  else streams.closed = direction === 1 ? 'reset' : 'fin';
}

/** A socket with what it got and how it ended. */
export interface Peer {
  socket: Socket;
  received: Buffer[];
  /** Resolves at FIN of the other side. */
  ended: Promise<void>;
  /** Resolves when the socket is closed, with the error's code if there was one. */
  closed: Promise<string | null>;
}

export function peer(socket: Socket): Peer {
  const received: Buffer[] = [];
  let failure: string | null = null;
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  socket.on('error', (error: NodeJS.ErrnoException) => (failure = error.code ?? error.message));
  const ended = new Promise<void>((resolve) => socket.once('end', resolve));
  const closed = new Promise<string | null>((resolve) => socket.once('close', () => resolve(failure)));
  return { socket, received, ended, closed };
}

/** A client that may go on reading when it has ended, and so may the other side. */
export function client(port: number): Peer {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  onTestFinished(() => void socket.destroy());
  return peer(socket);
}

export interface Production {
  server: Server;
  port: number;
  /** The next connection that nobody has taken yet. */
  next(): Promise<Peer>;
}

/** A server that leaves its connections to the test. */
export async function production(onPeer: (socket: Socket) => void = () => {}): Promise<Production> {
  const arrived: Peer[] = [];
  const waiting: ((found: Peer) => void)[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const found = peer(socket);
    onPeer(socket);
    const first = waiting.shift();
    if (first === undefined) arrived.push(found);
    else first(found);
    onTestFinished(() => void socket.destroy());
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  return {
    server,
    port,
    next: () => {
      const first = arrived.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}
