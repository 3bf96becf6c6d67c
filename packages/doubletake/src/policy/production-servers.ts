/**
 * The production servers that no replay may reach: listed by the user, or learned from the mirrored traffic, in which
 * they are who answers. The decision is about addresses and ports, for names say nothing about where bytes go.
 */
import { formatEndpoint } from '../packets/address.ts';
import { Networks, parseAddress } from './network.ts';

/** Learned servers beyond these are not kept; a fleet has fewer. */
const learnedMax = 100_000;

/** An address, a network or `address:port`, and nothing else, as text. */
export interface ListedServer {
  /** Address or network in CIDR notation. */
  network: string;
  /** Null for every port. */
  port: number | null;
}

export class ProductionServers {
  readonly #everyPort: Networks;
  readonly #byPort = new Map<number, Networks>();
  /** As `formatEndpoint` writes them. */
  readonly #learned = new Set<string>();
  readonly #words = new Int32Array(4);

  /** Throws a `TypeError` for what is no network. */
  constructor(listed: readonly ListedServer[]) {
    this.#everyPort = new Networks(listed.flatMap(({ network, port }) => (port === null ? [network] : [])));
    for (const port of new Set(listed.map((server) => server.port))) {
      if (port === null) continue;
      this.#byPort.set(port, new Networks(listed.flatMap((server) => (server.port === port ? [server.network] : []))));
    }
  }

  /** Whether a connection to this address, as a resolver wrote it, would reach production. */
  refuses(address: string, port: number): boolean {
    const words = this.#words;
    // A zone tells interfaces apart, not machines.
    if (!parseAddress(address.replace(/%.*$/, ''), words)) return false;
    return (
      this.#everyPort.contains(words) ||
      this.#byPort.get(port)?.contains(words) === true ||
      this.#learned.has(formatEndpoint(words, 0, port))
    );
  }

  /** Takes note of a server in the mirrored traffic, `address:port`; true when it was not known. */
  learn(endpoint: string): boolean {
    if (this.#learned.has(endpoint) || this.#learned.size >= learnedMax) return false;
    this.#learned.add(endpoint);
    return true;
  }
}
