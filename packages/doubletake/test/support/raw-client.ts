/** A TCP client that sends exactly these bytes and shows what comes back, for tests of what listens. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { eventually } from './mirror.ts';

export interface RawClient {
  socket: Socket;
  /** All that came so far, latin1. */
  received(): string;
  send(bytes: string | Buffer): void;
  /** Resolves with all that came, once it fulfils the condition. */
  until(what: string, condition: (received: string) => boolean): Promise<string>;
  /** Resolves with all that came, once the other side has closed. */
  closed(): Promise<string>;
}

/** Connects to `HOST:PORT`; the connection is cut when the test ends. */
export async function rawClient(address: string | undefined): Promise<RawClient> {
  const [host, port] = [address?.split(':')[0], Number(address?.split(':')[1])];
  const socket = connect({ host, port, noDelay: true });
  onTestFinished(() => {
    socket.destroy();
  });
  let received = '';
  let closed = false;
  socket.setEncoding('latin1').on('data', (text) => (received += String(text)));
  socket.on('error', () => {});
  socket.on('close', () => (closed = true));
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return {
    socket,
    received: () => received,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    until: (what, condition) => eventually(`${what}; came: ${JSON.stringify(received.slice(-500))}`, () => (condition(received) ? received : null)),
    closed: () => eventually('the end of the connection', () => (closed ? received : null)),
  };
}

/** Answers in what a server sent. */
export function answersIn(received: string): number {
  return received.split('HTTP/1.1 204 ').length - 1;
}
