/**
 * Makes connections to a target: looks the name up and tries its addresses in turn until one works. All of it together
 * takes no longer than the connect timeout, of which each address gets an equal share of what is left. Addresses that
 * are refused are never tried.
 */
import { hostPortText, serverOfUrl } from '../host-port.ts';
import type { Addresses } from './addresses.ts';
import { describeError, TargetRefusedError, TargetUnreachableError } from './errors.ts';
import { plainAddress } from './plain-address.ts';
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
  /** Begins anew with each `cancel`. */
  #era = 0;

  /** Throws when `options` cannot be used. */
  constructor(options: TargetOptions, owner: ConnectionOwner, addresses: Addresses) {
    const { url } = options;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new Error(`target ${options.name}: ${url.protocol.slice(0, -1)} is not supported, only http and https`);
    }
    this.#options = options;
    this.#owner = owner;
    this.#addresses = addresses;
    const { host, port } = serverOfUrl(url);
    this.#port = port;
    this.#tls = url.protocol === 'https:' ? createTls(host, options.ca) : null;
  }

  /**
   * A connection that is ready for requests. Rejects with `TargetRefusedError` when all addresses are refused, with
   * `TargetUnreachableError` when no other gives a connection.
   */
  async open(): Promise<WireConnection> {
    const era = this.#era;
    const deadlineMs = performance.now() + this.#options.connectTimeoutMs;
    const candidates = await this.#lookUp();
    let detail = 'not tried';
    for (const [index, address] of candidates.entries()) {
      const leftMs = deadlineMs - performance.now();
      if (this.#era !== era || (index > 0 && leftMs <= 0)) break;
      if (this.refuses(address)) continue;
      try {
        const connection = await this.#attempt(address, Math.max(1, leftMs / (candidates.length - index)));
        if (this.#era === era && !this.refuses(address)) return connection;
        connection.destroy();
      } catch (error) {
        if (this.#era !== era || this.refuses(address)) continue;
        detail = `${describeError(error)} (${this.#endpoint(address)})`;
        this.#addresses.failed(address, performance.now());
      }
    }
    if (candidates.every((address) => this.refuses(address))) {
      this.#addresses.outdate();
      const endpoints = candidates.map((address) => this.#endpoint(address)).join(', ');
      throw new TargetRefusedError(
        `the target ${this.#options.url.origin} is a production server (${endpoints}): nothing is sent there`,
      );
    }
    throw new TargetUnreachableError(detail);
  }

  /** No connection to this address may be made or used. */
  refuses(address: string): boolean {
    return this.#options.refused?.(plainAddress(address), this.#port) ?? false;
  }

  /** Gives up attempts to reach addresses that are refused by now; others are tried instead. */
  recheck(): void {
    for (const connection of this.#connecting) if (this.refuses(connection.address)) connection.destroy();
  }

  /** Gives up all that is under way. */
  cancel(): void {
    this.#era++;
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

  #endpoint(address: string): string {
    return hostPortText({ host: address, port: this.#port });
  }
}
