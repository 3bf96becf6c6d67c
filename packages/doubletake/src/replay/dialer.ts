/**
 * Makes connections to a target: looks the name up and tries its addresses in turn until one works. All of it together
 * takes no longer than the connect timeout, of which each address gets an equal share of what is left.
 */
import { isIP } from 'node:net';
import type { Addresses } from './addresses.ts';
import { describeError, TargetUnreachableError } from './errors.ts';
import type { TargetOptions } from './target.ts';
import { createTls, type Tls } from './tls.ts';
import { type ConnectionOwner, WireConnection } from './wire-connection.ts';

export class Dialer {
  readonly #options: TargetOptions;
  readonly #owner: ConnectionOwner;
  readonly #addresses: Addresses;
  readonly #port: number;
  readonly #tls: Tls | null;
  readonly #connecting = new Set<WireConnection>();
  #stopped = false;

  /** Throws when `options` cannot be used. */
  constructor(options: TargetOptions, owner: ConnectionOwner, addresses: Addresses) {
    const { url } = options;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new Error(`target ${options.name}: ${url.protocol.slice(0, -1)} is not supported, only http and https`);
    }
    this.#options = options;
    this.#owner = owner;
    this.#addresses = addresses;
    this.#port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    this.#tls = url.protocol === 'https:' ? createTls(targetHostname(url), options.ca) : null;
  }

  /** A connection that is ready for requests; rejects with `TargetUnreachableError` when no address gives one. */
  async open(): Promise<WireConnection> {
    const deadlineMs = performance.now() + this.#options.connectTimeoutMs;
    const candidates = await this.#lookUp();
    let detail = 'not tried';
    for (const [index, address] of candidates.entries()) {
      const leftMs = deadlineMs - performance.now();
      if (this.#stopped || (index > 0 && leftMs <= 0)) break;
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next address is for when this one fails
        return await this.#attempt(address, Math.max(1, leftMs / (candidates.length - index)));
      } catch (error) {
        const host = isIP(address) === 6 ? `[${address}]` : address;
        detail = `${describeError(error)} (${host}:${this.#port})`;
        this.#addresses.failed(address, performance.now());
      }
    }
    throw new TargetUnreachableError(detail);
  }

  /** Gives up what is under way, and all that comes. */
  stop(): void {
    this.#stopped = true;
    for (const connection of this.#connecting) connection.destroy();
  }

  async #lookUp(): Promise<string[]> {
    const timeoutMs = this.#options.connectTimeoutMs;
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`name lookup took longer than ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([this.#addresses.candidates(performance.now()), tooLate]);
    } catch (error) {
      throw new TargetUnreachableError(`${describeError(error)} (${this.#options.url.hostname})`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #attempt(address: string, timeoutMs: number): Promise<WireConnection> {
    const connection = new WireConnection(this.#owner, this.#options, this.#tls, address, this.#port);
    this.#connecting.add(connection);
    try {
      await connection.connected(timeoutMs);
    } finally {
      this.#connecting.delete(connection);
    }
    this.#addresses.succeeded(address);
    return connection;
  }
}

/** The URL's host without the brackets of an IPv6 address. */
export function targetHostname(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
