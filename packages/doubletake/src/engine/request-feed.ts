/**
 * What a dashboard hears of single requests, whatever became of them: of each outcome the first of every quarter of a
 * second, made safe. What is not taken costs a look into a table.
 */
import { withoutQuery } from '../compare/shown/shown-pair.ts';
import type { Exchange } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { endpointOf } from '../policy/endpoint.ts';
import { normalPath } from '../policy/path-form.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { ReplayResult } from '../replay/target.ts';
import type { RequestEntry } from '../store/request-filter.ts';

const everyMs = 250;
/** In that time, of each outcome and in all. */
const perOutcomeMax = 25;
const inAllMax = 250;
const targetCharsMax = 2_048;

/** How requests are made safe; without a sanitizer, what may be personal is left out unless it may be shown. */
export interface FeedSafety {
  sanitizer: Sanitizer | null;
  hidden: boolean;
}

interface Taken {
  exchange: Exchange;
  id: string;
  outcome: Outcome;
  result: ReplayResult | null;
}

export class RequestFeed {
  readonly #idPrefix: string;
  readonly #send: (entries: RequestEntry[]) => void;
  #safety: FeedSafety;
  #lastId = 0;
  #taken: Taken[] = [];
  readonly #counts = new Map<Outcome, number>();
  #timer: NodeJS.Timeout | null = null;

  /** `idPrefix` begins the ids of requests that got none, since they were not replayed. */
  constructor(idPrefix: string, safety: FeedSafety, send: (entries: RequestEntry[]) => void) {
    this.#idPrefix = idPrefix;
    this.#safety = safety;
    this.#send = send;
  }

  /** From now on requests are made safe so. */
  use(safety: FeedSafety): void {
    this.flush();
    this.#safety = safety;
  }

  /** A request came to an outcome; `id` is null where it got none, `result` where no target has an answer. */
  ended(exchange: Exchange, id: string | null, outcome: Outcome, result: ReplayResult | null): void {
    const count = this.#counts.get(outcome) ?? 0;
    if (count >= perOutcomeMax || this.#taken.length >= inAllMax) return;
    this.#counts.set(outcome, count + 1);
    this.#taken.push({ exchange, id: id ?? `${this.#idPrefix}${(this.#lastId++).toString(36)}`, outcome, result });
    this.#timer ??= setTimeout(() => this.flush(), everyMs).unref();
  }

  /** Sends what was taken. By then production has mostly answered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#taken.length === 0) return;
    const entries = this.#taken.map((taken) => this.#entry(taken));
    this.#taken = [];
    this.#counts.clear();
    this.#send(entries);
  }

  #entry({ exchange, id, outcome, result }: Taken): RequestEntry {
    const { sanitizer, hidden } = this.#safety;
    const { request, response, connection, client } = exchange;
    const { method } = request.head;
    const whole = request.head.target;
    const safe = sanitizer !== null ? sanitizer.sanitizeTarget(whole) : hidden ? withoutQuery(whole) : whole;
    const target = safe.slice(0, targetCharsMax);
    const peers = sanitizer === null ? connection : sanitizer.sanitizeConnection(exchange);
    const answer = result?.outcome === 'replayed' ? result.response : null;
    return {
      id,
      timeUs: Math.trunc(request.startUs),
      method: method.slice(0, methodCharsMax),
      target,
      endpoint: endpointOf(method, normalPath(target)),
      outcome,
      production: response?.head.status ?? null,
      candidate: answer?.status ?? null,
      compared: null,
      client: sanitizer === null && hidden ? '' : peers.label(client),
      productionMs: response === null || response.outcome !== 'complete' ? null : Math.max(0, response.endUs - request.endUs) / 1_000,
      candidateMs: answer === null ? null : answer.endAtMs - answer.sentAtMs,
      labels: fidelityLabels(exchange.fidelity),
    };
  }
}

const methodCharsMax = 20;
