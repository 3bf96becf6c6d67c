/** Targets for tests of replay: raw TCP servers that answer as a test tells them, and short ways to send to them. */
import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { ReplayTarget } from '../../src/replay/replay-target.ts';
import type { OutgoingRequest, ReplayResult, TargetOptions } from '../../src/replay/target.ts';

export interface RawServer {
  port: number;
  url: URL;
  /** Connections accepted so far, in order. */
  sockets: Socket[];
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

/** A TCP server on a loopback address; stopped when the test ends. */
export async function rawServer(
  onConnection: (socket: Socket, index: number) => void,
  { port = 0, host = '127.0.0.1' } = {},
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    // A client that cuts the connection is what many tests are about.
    socket.on('error', () => socket.destroy());
    onConnection(socket, sockets.push(socket) - 1);
  });
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const bound = await listen(server, port, host);
  return { port: bound, url: new URL(`http://${host}:${bound}`), sockets, stop };
}

/** Calls back with each whole request head (requests without body) that a client sends on this connection. */
export function onRequestHeads(socket: Socket, answer: (head: string) => void): void {
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      answer(head);
    }
  });
}

export async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** A target with limits fit for tests; aborted when the test ends. */
export function replayTarget(url: URL, options: Partial<TargetOptions> = {}): ReplayTarget {
  const target = new ReplayTarget({
    name: 'test',
    url,
    connectionsMax: 8,
    inFlightMax: 1000,
    queueRequestsMax: 1000,
    queueBytesMax: 64 * 1024 * 1024,
    connectTimeoutMs: 5000,
    responseTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    connectionAgeMaxMs: 60_000,
    keepBodyBytesMax: 64 * 1024,
    pace: null,
    ...options,
  });
  onTestFinished(() => target.close(0));
  return target;
}

/** A request without a body. */
export function request(
  path: string,
  { method = 'GET', lane = null as object | null, timeUs = 0 } = {},
): OutgoingRequest {
  const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return { bytes: [bytes], length: bytes.length, method, lane, timeUs, probability: 1 };
}

export function send(target: ReplayTarget, outgoing: OutgoingRequest): Promise<ReplayResult> {
  return new Promise((resolve) => target.send(outgoing, resolve));
}

/** A word or two for a result: the status, or the outcome with its reason. */
export function gist(result: ReplayResult): string {
  if (result.outcome === 'replayed') return String(result.response.status);
  return `${result.outcome} ${result.outcome === 'blocked' ? result.guard : result.reason}`;
}

/** Resolves once `condition` holds, letting events happen in between. */
export function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
      else setTimeout(look, 1);
    };
    look();
  });
}
