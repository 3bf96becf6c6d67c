/**
 * What a dashboard hears of single requests, whatever became of them: of each outcome the first of every quarter of a
 * second, made safe. What is not taken costs a look into a table.
 */
import { withoutQuery } from '../compare/shown/shown-pair.ts';
import type { Exchange } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import type { MessageHead } from '../http/head.ts';
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
const methodCharsMax = 20;

/** How requests are made safe; without a sanitizer, what may be personal is left out unless it may be shown. */
export interface FeedSafety {
  sanitizer: Sanitizer | null;
  hidden: boolean;
}

/** What is needed of a request; its body is let go. */
interface Taken extends Pick<Exchange, 'connection' | 'client' | 'fidelity'> {
  id: string;
  head: MessageHead;
  startUs: number;
  endUs: number;
  outcome: Outcome;
  candidate: { status: number; ms: number } | null;
  production: { status: number; ms: number | null } | null;
}

export class RequestFeed {
  readonly #idPrefix: string;
  readonly #send: (entries: RequestEntry[]) => void;
  #safety: FeedSafety;
  #lastId = 0;
  #taken: Taken[] = [];
  readonly #counts = new Map<Outcome, number>();
  /** Those that production had not answered; a request that is done with is held by nobody here. */
  readonly #unanswered = new WeakMap<Exchange, Taken>();
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
    const { request, connection, client, fidelity } = exchange;
    const answer = result?.outcome === 'replayed' ? result.response : null;
    const taken: Taken = {
      connection,
      client,
      fidelity,
      id: id ?? `${this.#idPrefix}${(this.#lastId++).toString(36)}`,
      head: request.head,
      startUs: request.startUs,
      endUs: request.endUs,
      outcome,
      candidate: answer === null ? null : { status: answer.status, ms: answer.endAtMs - answer.sentAtMs },
      production: productionOf(exchange),
    };
    this.#taken.push(taken);
    if (taken.production === null) this.#unanswered.set(exchange, taken);
    this.#timer ??= setTimeout(() => this.flush(), everyMs).unref();
  }

  /** Production's answer to a request has ended, or will not come. */
  answered(exchange: Exchange): void {
    const taken = this.#unanswered.get(exchange);
    if (taken === undefined) return;
    taken.production = productionOf(exchange);
    taken.fidelity = exchange.fidelity;
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

  #entry(taken: Taken): RequestEntry {
    const { sanitizer, hidden } = this.#safety;
    const { id, head, startUs, outcome, production, candidate, fidelity } = taken;
    const whole = head.target;
    const safe = sanitizer !== null ? sanitizer.sanitizeTarget(whole) : hidden ? withoutQuery(whole) : whole;
    const target = safe.slice(0, targetCharsMax);
    const connection = sanitizer === null ? taken.connection : sanitizer.sanitizeConnection(taken);
    return {
      id,
      timeUs: Math.trunc(startUs),
      method: head.method.slice(0, methodCharsMax),
      target,
      endpoint: endpointOf(head.method, normalPath(target)),
      outcome,
      production: production?.status ?? null,
      candidate: candidate?.status ?? null,
      compared: null,
      client: sanitizer === null && hidden ? '' : connection.label(taken.client),
      productionMs: production?.ms ?? null,
      candidateMs: candidate?.ms ?? null,
      labels: fidelityLabels(fidelity),
    };
  }
}

function productionOf({ request, response }: Exchange): Taken['production'] {
  if (response === null) return null;
  const ms = response.outcome === 'complete' ? Math.max(0, response.endUs - request.endUs) / 1_000 : null;
  return { status: response.head.status, ms };
}
