/**
 * Names by which the dashboard may be called. A page of another site can have its own name resolve to this machine (DNS
 * rebinding), and then its scripts count as of the same origin; but the Host header still tells that name. A number as
 * Host cannot be made to mean another machine.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** `localhost`, or an address of this machine for itself. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && loopback.check(host, isIPv4(host) ? 'ipv4' : 'ipv6');
}

export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  readonly #numbers: boolean;

  /** `listen`: the address or name listened on; `names`: others that users chose. */
  constructor(listen: string, names: readonly string[]) {
    this.#names = new Set([listen, ...names].map(plain));
    // Who listens for others is called by whatever address leads here.
    this.#numbers = !isLoopback(listen);
  }

  /** Whether a Host header names this dashboard, with any port: tunnels have others. */
  knows(header: string | undefined): boolean {
    const match = /^(?:\[([^\]]{1,64})\]|([^:[\]/@\s]{1,255}))(?::\d{1,5})?$/.exec(header ?? '');
    if (match === null) return false;
    const host = plain(match[1] ?? match[2] ?? '');
    return isLoopback(host) || this.#names.has(host) || (this.#numbers && isIP(host) !== 0);
  }
}

function plain(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
