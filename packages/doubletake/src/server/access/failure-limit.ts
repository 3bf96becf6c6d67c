/**
 * How often a client may give a wrong token: ten times a minute, then nothing is looked at that it gives until the minute
 * is over. Clients are told apart by their IPv4 address, or by their IPv6 network of 64 bits. Time comes in as an argument.
 */
import { isIPv6 } from 'node:net';

const failuresMax = 10;
const windowMs = 60_000;
const clientsMax = 10_000;

export class FailureLimit {
  /** The one that failed first comes first. */
  readonly #clients = new Map<string, { failures: number; sinceMs: number }>();

  /** How long the client at `address` has to wait before it is listened to; 0: not at all. */
  waitMs(address: string, nowMs: number): number {
    const client = this.#clients.get(clientOf(address));
    if (client === undefined || client.failures < failuresMax) return 0;
    return Math.max(0, client.sinceMs + windowMs - nowMs);
  }

  failed(address: string, nowMs: number): void {
    const key = clientOf(address);
    const client = this.#clients.get(key);
    if (client !== undefined && client.sinceMs + windowMs > nowMs) {
      client.failures++;
      return;
    }
    this.#clients.delete(key);
    this.#clients.set(key, { failures: 1, sinceMs: nowMs });
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > clientsMax && oldest !== undefined) this.#clients.delete(oldest);
  }
}

/** Whoever has one address of an IPv6 network of 64 bits has them all. */
function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1];
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + behind.length < 8) groups.push('0');
  return [...groups, ...behind].slice(0, 4).join(':');
}
