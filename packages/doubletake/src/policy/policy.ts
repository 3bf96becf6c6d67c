/**
 * Decides what becomes of a request that was read whole. What cannot be understood or never be replayed is decided
 * first, then come the filters, so that what nobody wants does not show as blocked, then the methods. So the sample is
 * one of what could be replayed.
 */
import type { Exchange } from '../http/exchange.ts';
import type { PolicyOutcome } from '../ledger/outcome.ts';
import { RequestFilter } from './filter.ts';
import type { FilterRule } from './filter-options.ts';
import { RequestView } from './request-view.ts';
import { samplePoint } from './sample.ts';
import { remoteAddress, type SampleKey, type SampleOptions, sampleKey } from './sample-key.ts';

/** The header that marks a replayed request; one that already carries it has come round. */
export const REPLAY_ID_HEADER = 'X-Doubletake-Id';

const replayIdHeader = REPLAY_ID_HEADER.toLowerCase();

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export interface PolicyOptions {
  methods: 'safe' | 'all' | readonly string[];
  filters?: readonly FilterRule[] | undefined;
  sample: SampleOptions;
  /** Networks of the proxies whose X-Forwarded-For is believed. */
  trustedProxies?: readonly string[] | undefined;
}

/** Hears of samples that lacked what they are sampled by. */
export interface PolicyObserver {
  keyAbsent(): void;
}

export class ReplayPolicy {
  /**
   * With which probability the request that was decided on last came into the sample, whatever the decision: what it
   * stands for in estimates is one divided by this.
   */
  probability = 1;
  /** Null allows every method. */
  readonly #methods: ReadonlySet<string> | null;
  /** Null when there are no rules. */
  readonly #filter: RequestFilter | null;
  readonly #share: number;
  readonly #key: SampleKey;
  readonly #salt: string;
  readonly #view: RequestView;

  /** Throws when a filter holds a malformed pattern or network. */
  constructor({ methods, filters = [], sample, trustedProxies = [] }: PolicyOptions) {
    this.#methods = methods === 'all' ? null : new Set(methods === 'safe' ? safeMethods : methods);
    this.#filter = filters.length > 0 ? new RequestFilter(filters) : null;
    this.#share = Math.min(1, sample.percentage / 100);
    this.#key = sampleKey(sample);
    this.#salt = sample.salt;
    this.#view = new RequestView(trustedProxies);
  }

  /** `replay`, or the outcome that the request ends with. */
  decide(exchange: Exchange, observer: PolicyObserver): 'replay' | PolicyOutcome {
    this.probability = this.#share;
    const { head, ambiguity } = exchange.request;
    if (ambiguity !== null) return 'blocked.ambiguous_framing';
    const method = head.method;
    if (method === 'CONNECT') return 'blocked.connect';
    if (head.indexOf(replayIdHeader) >= 0) return 'blocked.loop';
    if (this.#filter !== null) {
      this.#view.show(exchange);
      const filtered = this.#filter.decide(this.#view);
      if (filtered !== null) return filtered;
    }
    if (this.#methods !== null && !this.#methods.has(method)) return 'blocked.method';
    if (head.indexOf('upgrade') >= 0 && !upgradesOnlyToHttp2(head.all('Upgrade'))) return 'blocked.upgrade';
    if (this.#share >= 1) return 'replay';
    return this.#point(exchange, observer) < this.#share ? 'replay' : 'sampled_out';
  }

  #point(exchange: Exchange, observer: PolicyObserver): number {
    this.#view.show(exchange);
    const key = this.#key(this.#view);
    if (key !== '') return samplePoint(this.#salt, key);
    observer.keyAbsent();
    return samplePoint(this.#salt, remoteAddress(this.#view));
  }
}

/** An offer of HTTP/2 may be ignored (RFC 9110 section 7.8), so such a request is replayed without it. */
function upgradesOnlyToHttp2(values: readonly string[]): boolean {
  return values.every((value) => value.split(',').every((protocol) => /^h2c?$/i.test(protocol.trim())));
}
