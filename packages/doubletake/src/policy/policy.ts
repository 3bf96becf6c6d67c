/**
 * Decides what becomes of a request that was read whole. What can never be replayed is decided first, so that a sample
 * is a sample of what could be.
 */
import type { Exchange } from '../http/exchange.ts';
import type { PolicyOutcome } from '../ledger/outcome.ts';
import { type SampleBy, samplePoint } from './sample.ts';

/** The header that marks a replayed request; one that already carries it has come round. */
export const REPLAY_ID_HEADER = 'X-Doubletake-Id';

const replayIdHeader = REPLAY_ID_HEADER.toLowerCase();

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export interface PolicyOptions {
  methods: 'safe' | 'all' | readonly string[];
  sample: { percentage: number; by: SampleBy; header?: string | undefined; salt: string };
}

export class ReplayPolicy {
  /** Null allows every method. */
  readonly #methods: ReadonlySet<string> | null;
  readonly #share: number;
  readonly #by: SampleBy;
  readonly #header: string;
  readonly #salt: string;

  constructor({ methods, sample }: PolicyOptions) {
    this.#methods = methods === 'all' ? null : new Set(methods === 'safe' ? safeMethods : methods);
    this.#share = sample.percentage / 100;
    this.#by = sample.by;
    this.#header = sample.header ?? '';
    this.#salt = sample.salt;
  }

  /** `replay`, or the outcome that the request ends with. `observer` hears of samples that lacked their header. */
  decide(exchange: Exchange, observer: { headerAbsent(): void }): 'replay' | PolicyOutcome {
    const { head, ambiguity } = exchange.request;
    if (ambiguity !== null) return 'blocked.ambiguous_framing';
    const method = head.method;
    if (method === 'CONNECT') return 'blocked.connect';
    if (head.indexOf(replayIdHeader) >= 0) return 'blocked.loop';
    if (this.#methods !== null && !this.#methods.has(method)) return 'blocked.method';
    if (head.indexOf('upgrade') >= 0 && !upgradesOnlyToHttp2(head.all('Upgrade'))) return 'blocked.upgrade';
    if (this.#share >= 1) return 'replay';
    return samplePoint(this.#salt, this.#key(exchange, observer)) < this.#share ? 'replay' : 'sampled_out';
  }

  #key(exchange: Exchange, observer: { headerAbsent(): void }): string {
    if (this.#by === 'request') {
      const { connection, request, index } = exchange;
      return `${connection.label(exchange.client)} ${request.startSequence} ${request.startUs} ${index}`;
    }
    if (this.#by === 'header') {
      const value = exchange.request.head.get(this.#header);
      if (value !== undefined && value !== '') return value;
      observer.headerAbsent();
    }
    return remoteAddress(exchange);
  }
}

/**
 * The user's address: the first that X-Forwarded-For names, for behind a load balancer the connection's own address is
 * the balancer's; else the connection's. Good enough to keep a user together, not to trust it.
 */
function remoteAddress(exchange: Exchange): string {
  const forwarded = exchange.request.head.get('X-Forwarded-For')?.split(',', 1)[0]?.trim();
  if (forwarded !== undefined && forwarded !== '') return forwarded;
  return exchange.connection.address(exchange.client);
}

/** An offer of HTTP/2 may be ignored (RFC 9110 section 7.8), so such a request is replayed without it. */
function upgradesOnlyToHttp2(values: readonly string[]): boolean {
  return values.every((value) => value.split(',').every((protocol) => /^h2c?$/i.test(protocol.trim())));
}
