/**
 * One target in one worker with all that belongs to it: its own share and filters, what it is spared (circuit breaker,
 * rate limit), the form in which it gets requests, and its counters.
 *
 * A request is asked for in two steps, so that nothing is made safe or rewritten in vain: `refuses` (filters, share),
 * then `holdsBack` (breaker, rate), then `send`, which settles exactly once.
 */
import type { TargetConfig } from '../config/schema.ts';
import type { Exchange } from '../http/exchange.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import { bucketOf, latencyBuckets } from '../ledger/histogram.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { lagPlace, latencyPlace, statusClasses } from '../ledger/report.ts';
import { Tally } from '../ledger/tally.ts';
import { RequestFilter } from '../policy/filter.ts';
import type { ReplayPolicy } from '../policy/policy.ts';
import type { RequestWriter } from '../policy/request-writer.ts';
import { RequestView } from '../policy/request-view.ts';
import { OwnCredential } from '../policy/rewrite/own-credential.ts';
import type { Rewriter } from '../policy/rewrite/rewriter.ts';
import { CircuitBreaker, isFailure } from '../replay/circuit-breaker.ts';
import type { RateLimit } from '../replay/rate-limit.ts';
import type { ReplayTarget } from '../replay/replay-target.ts';
import type { OutgoingRequest, ReplayResult } from '../replay/target.ts';
import { LateRequest } from './late-request.ts';

/** What `openTargetUnit` puts together. */
export interface TargetParts {
  config: TargetConfig;
  trustedProxies: readonly string[];
  target: ReplayTarget;
  writer: RequestWriter;
  /** By copy: null where nothing is rewritten. */
  rewriters: readonly (Rewriter | null)[];
  rateLimit: RateLimit | null;
}

/** Who compares answers. */
export interface AnswerListener {
  sent(request: OutgoingRequest): void;
  /** Gives a request its last form when it goes out; null where it has it before. */
  late: ((exchange: Exchange) => Exchange) | null;
  answered(result: ReplayResult): void;
}

/** What the user should hear of. */
export interface UnitEvents {
  warning(text: string): void;
  notice(text: string): void;
}

/** Sources look again at the latest after this, however long a target is spared: they may have been closed, or it replaced. */
const waitMsMax = 1_000;

export class TargetUnit {
  readonly name: string;
  readonly config: TargetConfig;
  /** To be hidden where requests to it are kept; null when it has none. */
  readonly ownCredential: OwnCredential | null;
  readonly target: ReplayTarget;
  readonly tally: Tally;
  /** Of the requests that the policy lets through, from 0 to 1. */
  share: number;
  readonly #filter: RequestFilter | null;
  readonly #view: RequestView;
  readonly #writer: RequestWriter;
  readonly #rewriters: readonly (Rewriter | null)[];
  readonly #rateLimit: RateLimit | null;
  readonly #breaker: CircuitBreaker | null;
  #generation = -1;
  /** When the circuit breaker opened that has not closed since; null while it is closed. */
  #awaySinceMs: number | null = null;
  #givenUpTold = false;
  /** Wake those who wait for the circuit breaker to change. */
  readonly #circuitWaiters = new Set<() => void>();
  readonly #events: UnitEvents;
  /** The user knows that this target is production. */
  #refusalTold = false;
  readonly #row: Float64Array;
  readonly #responses: readonly number[];
  readonly #latencies: number;
  readonly #queued: number;
  readonly #circuit: { opened: number; closed: number; openNow: number };
  /** Lanes of the copies beyond the first, by production connection. */
  readonly #lanes = new WeakMap<object, object[]>();

  /** Throws when a filter holds a malformed pattern. */
  constructor(parts: TargetParts, layout: CounterLayout, row: Float64Array, events: UnitEvents) {
    const { config } = parts;
    this.name = config.name;
    this.config = config;
    this.ownCredential = config.credentials === undefined ? null : new OwnCredential(config.credentials);
    this.target = parts.target;
    this.share = config.percentage / 100;
    this.#filter = config.filters.length > 0 ? new RequestFilter(config.filters) : null;
    this.#view = new RequestView(parts.trustedProxies);
    this.#writer = parts.writer;
    this.#rewriters = parts.rewriters;
    this.#rateLimit = parts.rateLimit;
    this.#row = row;
    this.#events = events;
    const slot = (...path: string[]): number => layout.slot('targets', this.name, ...path);
    this.tally = new Tally(layout, row, ['targets', this.name]);
    this.#responses = statusClasses.map((name) => slot('responses', name));
    this.#latencies = layout.slot(latencyPlace, this.name, '0');
    this.#queued = slot('queued');
    this.#circuit = { opened: slot('circuit', 'opened'), closed: slot('circuit', 'closed'), openNow: slot('circuit', 'openNow') };
    if (latencyBuckets.length !== layout.slotsUnder(latencyPlace, this.name).size) throw new Error('the latency slots are not in one row');
    this.#breaker =
      config.breaker === null
        ? null
        : new CircuitBreaker(config.breaker, ({ from, to, reason }) => {
            if (to === 'open') row[this.#circuit.opened]++;
            if (to === 'closed') row[this.#circuit.closed]++;
            row[this.#circuit.openNow] = to === 'closed' ? 0 : 1;
            if (to === 'closed') this.#awaySinceMs = null;
            else this.#awaySinceMs ??= performance.now();
            for (const wake of this.#circuitWaiters) wake();
            this.#circuitWaiters.clear();
            if (to === 'closed') events.notice(`target ${this.name}: the circuit breaker closes: ${reason}`);
            else if (from === 'closed') events.warning(`target ${this.name}: the circuit breaker opens: ${reason}`);
          });
  }

  /** How often each request is replayed. */
  get copies(): number {
    return this.#rewriters.length;
  }

  /** The outcome of a request that this target does not want; `policy` has just let it through. */
  refuses(exchange: Exchange, policy: ReplayPolicy): Outcome | null {
    if (this.#filter !== null) {
      this.#view.show(exchange);
      const filtered = this.#filter.decide(this.#view);
      if (filtered !== null) return filtered;
    }
    return this.share >= 1 || policy.takenBy(this.share) ? null : 'sampled_out';
  }

  /**
   * The outcome of a request from which this target is spared now; null lets it be sent. A source that can wait, and so
   * asks for `room`, is never limited here: where one request of it becomes several, they go together.
   */
  holdsBack(canWait: boolean): Outcome | null {
    if (this.#rateLimit === null && this.#breaker === null) return null;
    const nowMs = performance.now();
    if (this.#rateLimit !== null) {
      if (canWait) this.#rateLimit.charge();
      else if (!this.#rateLimit.take()) return 'dropped.rate_limited';
    }
    if (this.#breaker !== null) {
      this.#generation = this.#breaker.admit(nowMs);
      if (this.#generation < 0) {
        if (!canWait || this.#isGivenUp(nowMs)) return 'dropped.circuit_open';
        this.#generation = this.#breaker.generation;
      }
    }
    return null;
  }

  /**
   * Sends `safe`, which is `exchange` made safe, as copy number `copy`. `settle` is called once, later, with an outcome
   * that is counted here already and what it rests on; the outcome is returned at once where the request cannot be sent. `heard` gets what
   * goes out and the answer as it comes.
   */
  send(
    exchange: Exchange,
    safe: Exchange,
    copy: number,
    id: string,
    probability: number,
    settle: (outcome: Outcome, result: ReplayResult) => void,
    heard: AnswerListener | null = null,
  ): Outcome | null {
    const rewriter = this.#rewriters[copy] ?? null;
    const written = rewriter === null ? safe : rewriter.rewrite(safe, id, exchange);
    if (written === null) return 'blocked.unrewritable';
    const lane = this.config.ordering === 'connection' ? this.#lane(exchange.connection, copy) : null;
    const generation = this.#generation;
    const host = rewriter?.host ?? null;
    const early = this.#writer.write(written, id, lane, probability, host);
    const late = heard?.late ?? null;
    const outgoing = late === null ? early : this.#late(early, written, late, id, host);
    heard?.sent(outgoing);
    this.target.send(outgoing, (result) => {
      const outcome = this.#count(result, generation);
      heard?.answered(result);
      settle(outcome, result);
    });
    return null;
  }

  /** The request of `written` in the form that `late` gives it when it goes out. */
  #late(
    early: OutgoingRequest,
    written: Exchange,
    late: (exchange: Exchange) => Exchange,
    id: string,
    host: string | null,
  ): LateRequest {
    const { lane, probability } = early;
    return new LateRequest(early, () => {
      const form = late(written);
      return (form === written ? early : this.#writer.write(form, id, lane, probability, host)).bytes;
    });
  }

  /** False while a source that can wait should. */
  get room(): boolean {
    return this.target.room && (this.#rateLimit === null || this.#rateLimit.waitMs() === 0) && this.#circuitWaitMs() === 0;
  }

  /** Resolves when `room` may be true again. */
  async waitForRoom(): Promise<void> {
    await this.target.waitForRoom();
    const waitMs = Math.max(this.#rateLimit?.waitMs() ?? 0, this.#circuitWaitMs());
    if (waitMs > 0) await this.#circuitChangeWithin(Math.min(waitMs, waitMsMax));
  }

  /** How long sources that can wait should because of the circuit breaker. */
  #circuitWaitMs(): number {
    const breaker = this.#breaker;
    if (breaker === null || breaker.state === 'closed') return 0;
    const nowMs = performance.now();
    return this.#isGivenUp(nowMs) ? 0 : breaker.waitMs(nowMs);
  }

  /** Whether the target has been away for longer than anything waits for it. */
  #isGivenUp(nowMs: number): boolean {
    const { breaker } = this.config;
    const givenUp = breaker !== null && this.#awaySinceMs !== null && nowMs - this.#awaySinceMs >= breaker.filesWaitMs;
    if (givenUp && !this.#givenUpTold) {
      this.#events.warning(`target ${this.name} has been away for ${breaker.filesWaitMs / 1_000} s: until it is back, requests from files are dropped (breaker.filesWait)`);
    }
    this.#givenUpTold = givenUp;
    return givenUp;
  }

  /** Resolves when the circuit breaker has changed, at the latest in `waitMs`. */
  #circuitChangeWithin(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#circuitWaiters.delete(wake);
        resolve();
      }, waitMs);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#circuitWaiters.add(wake);
    });
  }

  /** Requests that the target holds. */
  get held(): number {
    return this.target.queuedRequests + this.target.inFlight;
  }

  measure(): void {
    this.#row[this.#queued] = this.target.queuedRequests;
  }

  #count(result: ReplayResult, generation: number): Outcome {
    const outcome = outcomeOf(result);
    this.tally.end(outcome);
    if (result.outcome === 'replayed') {
      const { status, sentAtMs, endAtMs } = result.response;
      const slot = this.#responses[Math.floor(status / 100) - 1];
      if (slot !== undefined) this.#row[slot]++;
      const latencyMs = endAtMs - sentAtMs;
      this.#row[this.#latencies + bucketOf(latencyMs)]++;
      this.#breaker?.record(generation, isFailure(result), latencyMs, endAtMs);
    } else if (result.outcome === 'failed' && this.#breaker !== null) {
      this.#breaker.record(generation, true, 0, performance.now());
    } else if (result.outcome === 'blocked' && result.guard === 'production' && !this.#refusalTold) {
      this.#refusalTold = true;
      this.#events.warning(
        `target ${this.name} (${this.config.url}) is a server that answers for production: nothing is sent to it (guards.production, guards.learnProduction)`,
      );
    }
    return outcome;
  }

  #lane(connection: object, copy: number): object {
    if (copy === 0) return connection;
    let lanes = this.#lanes.get(connection);
    if (lanes === undefined) this.#lanes.set(connection, (lanes = []));
    return (lanes[copy] ??= {});
  }
}

/** Counts in `row` by how much each request of a target is late. */
export function lagCounter(layout: CounterLayout, row: Float64Array, target: string): (ms: number) => void {
  const first = layout.slot(lagPlace, target, '0');
  return (ms) => {
    row[first + bucketOf(ms)]++;
  };
}

/** The outcome of a request that a target is done with. */
export function outcomeOf(result: ReplayResult): Outcome {
  switch (result.outcome) {
    case 'replayed':
      return 'replayed';
    case 'failed':
      return `failed.${result.reason}`;
    case 'dropped':
      return `dropped.${result.reason}`;
    case 'blocked':
      return `blocked.${result.guard}`;
  }
}
