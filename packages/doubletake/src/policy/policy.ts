/**
 * Decides what becomes of a request that was read whole. What cannot be understood or never be replayed is decided
 * first, then come the filters, so that what nobody wants does not show as blocked, then the methods. So the sample is
 * one of what could be replayed.
 */
import type { Exchange } from '../http/exchange.ts';
import type { PolicyOutcome } from '../ledger/outcome.ts';
import { endpointOf } from './endpoint.ts';
import { RequestFilter } from './filter.ts';
import type { FilterRule } from './filter-options.ts';
import { RequestView } from './request-view.ts';
import { samplePoint } from './sample.ts';
import { SampleFloor } from './sample-floor.ts';
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
  /** Workers that decide by the same options, each about a part of the traffic; 1 unless given. */
  workers?: number | undefined;
}

/** Methods that may be replayed; null allows every one. */
export function allowedMethods(methods: PolicyOptions['methods']): ReadonlySet<string> | null {
  return methods === 'all' ? null : new Set(methods === 'safe' ? safeMethods : methods);
}

/** Hears of samples that lacked what they are sampled by. */
export interface PolicyObserver {
  keyAbsent(): void;
}

/** Shares are fractions, from 0 to 1. */
export class ReplayPolicy {
  /** Null allows every method. */
  readonly #methods: ReadonlySet<string> | null;
  /** Null when there are no rules. */
  readonly #filter: RequestFilter | null;
  readonly #share: number;
  readonly #key: SampleKey;
  readonly #salt: string;
  /** Null when nothing is in the sample but by its key. */
  readonly #floor: SampleFloor | null;
  readonly #view: RequestView;
  /** What follows is of the request that was decided on last. */
  #observer: PolicyObserver = { keyAbsent: () => {} };
  /** Negative while nobody asked for it. */
  #point = -1;
  #takenByFloor = false;

  /** Throws when a filter holds a malformed pattern or network. */
  constructor({ methods, filters = [], sample, trustedProxies = [], workers = 1 }: PolicyOptions) {
    this.#methods = allowedMethods(methods);
    this.#filter = filters.length > 0 ? new RequestFilter(filters) : null;
    this.#share = Math.min(1, sample.percentage / 100);
    this.#key = sampleKey(sample);
    this.#salt = sample.salt;
    const { atLeastPerMinute = 0 } = sample;
    this.#floor = atLeastPerMinute > 0 ? new SampleFloor(Math.ceil(atLeastPerMinute / workers)) : null;
    this.#view = new RequestView(trustedProxies);
  }

  /** `replay`, or the outcome that the request ends with. */
  decide(exchange: Exchange, observer: PolicyObserver): 'replay' | PolicyOutcome {
    this.#view.show(exchange);
    this.#observer = observer;
    this.#point = -1;
    this.#takenByFloor = false;
    const { head, ambiguity, endUs } = exchange.request;
    if (ambiguity !== null) return 'blocked.ambiguous_framing';
    const method = head.method;
    if (method === 'CONNECT') return 'blocked.connect';
    if (head.indexOf(replayIdHeader) >= 0) return 'blocked.loop';
    if (this.#filter !== null) {
      const filtered = this.#filter.decide(this.#view);
      if (filtered !== null) return filtered;
    }
    if (this.#methods !== null && !this.#methods.has(method)) return 'blocked.method';
    if (head.indexOf('upgrade') >= 0 && !upgradesOnlyToHttp2(head.all('Upgrade'))) return 'blocked.upgrade';
    if (this.#floor !== null) this.#takenByFloor = this.#floor.takes(endpointOf(method, this.#view.path), endUs);
    return this.takenBy(1) ? 'replay' : 'sampled_out';
  }

  /**
   * With which probability the request that was decided on last came into the sample, whatever the decision: what it
   * stands for in estimates is one divided by this.
   */
  get probability(): number {
    return this.probabilityFor(1);
  }

  /** Where in [0, 1) the key of the request that was decided on last lies; what lies below a share is in it. */
  get point(): number {
    if (this.#point < 0) this.#point = samplePoint(this.#salt, this.#presentKey());
    return this.#point;
  }

  /**
   * Whether a target that takes `share` of the sample takes the request that was decided on last, if it is replayed.
   * What a share takes, every larger one takes.
   */
  takenBy(share: number): boolean {
    const probability = this.probabilityFor(share);
    return probability >= 1 || this.point < probability;
  }

  /** As `probability`, for coming to a target that takes `share` of the sample. */
  probabilityFor(share: number): number {
    if (this.#takenByFloor) return share > 0 ? 1 : 0;
    return this.#share * Math.min(1, share);
  }

  #presentKey(): string {
    const key = this.#key(this.#view);
    if (key !== '') return key;
    this.#observer.keyAbsent();
    return remoteAddress(this.#view);
  }
}

/** An offer of HTTP/2 may be ignored (RFC 9110 section 7.8), so such a request is replayed without it. */
function upgradesOnlyToHttp2(values: readonly string[]): boolean {
  return values.every((value) => value.split(',').every((protocol) => /^h2c?$/i.test(protocol.trim())));
}
