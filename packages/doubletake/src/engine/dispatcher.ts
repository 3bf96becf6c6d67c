/**
 * Takes each request that ended, lets the policy decide, and sends it to every target that wants it. Here a request gets
 * its outcome: once for its source and once for each target, and each exactly once.
 */
import type { Exchange } from '../http/exchange.ts';
import { type Outcome, outcomeRank } from '../ledger/outcome.ts';
import type { Tally } from '../ledger/tally.ts';
import type { ReplayPolicy } from '../policy/policy.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { ReplayResult } from '../replay/target.ts';
import type { ExchangeRecorder } from './exchange-recorder.ts';
import type { Draft, Pairing } from './pairing.ts';
import type { RequestFeed } from './request-feed.ts';
import type { AnswerListener, TargetUnit } from './target-unit.ts';

/** Hears of an outcome, and of what it rests on where a target was asked. */
type Settle = (outcome: Outcome, result: ReplayResult | null) => void;

/** One request to one target: a target that multiplies has several lines. */
interface Line {
  unit: TargetUnit;
  copy: number;
  /** Why the target does not get the request that is being dispatched. */
  refusal: Outcome | null;
}

export class Dispatcher {
  #policy: ReplayPolicy;
  /** By copy; null leaves requests as they came. */
  #sanitizers: readonly Sanitizer[] | null;
  #units: readonly TargetUnit[] = [];
  #lines: readonly Line[] = [];
  /** The line when there is but one, as usual; null when there are several. */
  #only: Line | null = null;
  /** Targets that are no longer in the configuration and still have requests under way. */
  readonly #leaving = new Set<TargetUnit>();
  readonly #idPrefix: string;
  /** Null when nothing is compared. */
  readonly #pairing: Pairing | null;
  /** Null when nothing is recorded. */
  readonly #recorder: ExchangeRecorder | null;
  /** Null without a dashboard. */
  readonly #feed: RequestFeed | null;
  #lastId = 0;
  #halted = false;
  /** Requests sent to targets and not settled by all of them. */
  #awaiting = 0;
  #settled = 0;
  #idleWaiters: (() => void)[] = [];

  /** `idPrefix` makes the request ids of this worker distinct from those of every other worker and run. */
  constructor(
    policy: ReplayPolicy,
    sanitizers: readonly Sanitizer[] | null,
    units: readonly TargetUnit[],
    idPrefix: string,
    pairing: Pairing | null = null,
    recorder: ExchangeRecorder | null = null,
    feed: RequestFeed | null = null,
  ) {
    this.#policy = policy;
    this.#sanitizers = sanitizers;
    this.#idPrefix = idPrefix;
    this.#pairing = pairing;
    this.#recorder = recorder;
    this.#feed = feed;
    this.#setUnits(units);
  }

  /** Requests that end from now on are decided on by `policy`; every outcome it comes to must be in the layout. */
  replacePolicy(policy: ReplayPolicy, sanitizers: readonly Sanitizer[] | null): void {
    this.#policy = policy;
    this.#sanitizers = sanitizers;
  }

  get units(): readonly TargetUnit[] {
    return this.#units;
  }

  /** Sends to `units` from now on; those that are left finish what they have for at most `drainMs`. */
  replaceUnits(units: readonly TargetUnit[], drainMs: number): void {
    for (const unit of this.#units) {
      if (units.includes(unit)) continue;
      this.#leaving.add(unit);
      void unit.target.close(drainMs).then(() => {
        // The last look at what it held.
        this.measure();
        this.#leaving.delete(unit);
      });
    }
    this.#setUnits(units);
  }

  /** A request ended without being replayed. */
  end(source: RequestSource, outcome: Outcome): void {
    source.tally.end(outcome);
    for (const { unit } of this.#lines) {
      unit.tally.capture();
      unit.tally.end(outcome);
    }
  }

  /** A request that was captured has ended: decides what becomes of it. */
  dispatch(exchange: Exchange, source: RequestSource): void {
    const { request } = exchange;
    if (request.outcome !== 'complete') {
      this.#leaveOut(exchange, source, `incomplete.${request.outcome}`);
      return;
    }
    const policy = this.#policy;
    const verdict = policy.decide(exchange, source);
    if (verdict !== 'blocked.loop') source.answeredBy(exchange);
    if (verdict !== 'replay') {
      this.#leaveOut(exchange, source, verdict);
      return;
    }
    if (this.#halted) {
      this.#leaveOut(exchange, source, 'blocked.kill_switch');
      return;
    }
    if (request.body.wire === null && request.body.wireBytes > 0) {
      this.#leaveOut(exchange, source, 'dropped.too_large');
      return;
    }
    source.awaiting++;
    this.#awaiting++;
    const id = `${this.#idPrefix}${(this.#lastId++).toString(36)}`;
    const only = this.#only;
    if (only !== null && this.#pairing === null && this.#recorder === null) {
      const { unit } = only;
      unit.tally.capture();
      const safe = this.#sanitizers === null ? exchange : null;
      const finish = this.#finisher(exchange, source, id);
      const refusal = unit.refuses(exchange, policy) ?? this.#offer(only, exchange, safe, id, source, finish);
      if (refusal !== null) {
        unit.tally.end(refusal);
        finish(refusal, null);
      }
      return;
    }
    this.#dispatchToAll(exchange, source, id);
  }

  /** Production's answer to a request has ended, or will not come. */
  answered(exchange: Exchange): void {
    this.#pairing?.answered(exchange);
    this.#recorder?.answered(exchange);
    this.#feed?.answered(exchange);
  }

  /** Whether anybody looks at production's answers. */
  get asksForAnswers(): boolean {
    return this.#pairing !== null || this.#recorder !== null;
  }

  /** True while every target takes more without dropping. */
  get room(): boolean {
    return this.#halted || (this.#units.every((unit) => unit.room) && this.#recorder?.room !== false);
  }

  /** Resolves when `room` may be true again. */
  async waitForRoom(): Promise<void> {
    await Promise.all([...this.#units.map((unit) => unit.waitForRoom()), this.#recorder?.waitForRoom()]);
  }

  /** Resolves when every request sent so far has its outcome. */
  waitForIdle(): Promise<void> {
    if (this.#awaiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Requests that came to an outcome at every target. */
  get settled(): number {
    return this.#settled;
  }

  /** Requests that targets hold and should get done: those that wait for their time are not. */
  get pressing(): number {
    return this.#units.reduce((sum, { held, target }) => sum + held - target.pacedRequests, 0);
  }

  /** Writes how many requests each target holds into the row. */
  measure(): void {
    for (const unit of this.#units) {
      let held = unit.held;
      for (const leaving of this.#leaving) if (leaving.name === unit.name) held += leaving.held;
      unit.tally.setInFlight(held);
      unit.measure();
    }
    for (const leaving of this.#leaving) {
      if (!this.#units.some(({ name }) => name === leaving.name)) leaving.tally.setInFlight(leaving.held);
    }
  }

  /**
   * Stops all replay at once: when this returns, nothing more leaves for any target, and what waited or was under way
   * has ended as `blocked.kill_switch`. The capture goes on, and what it brings ends the same way.
   */
  halt(): void {
    this.#halted = true;
    for (const { target } of [...this.#units, ...this.#leaving]) target.halt({ outcome: 'blocked', guard: 'kill_switch' });
  }

  /** Replays again what is captured from now on. */
  resume(): void {
    this.#halted = false;
    for (const { target } of this.#units) target.resume();
  }

  /** Closes connections to what has come to be known as production. */
  recheck(): void {
    for (const { target } of this.#units) target.recheck();
  }

  /** Lets every target finish for at most `drainMs`; then what is left ends as `dropped.shutdown`. */
  async close(drainMs: number): Promise<void> {
    await Promise.all([...this.#units, ...this.#leaving].map((unit) => unit.target.close(drainMs)));
  }

  abort(): void {
    for (const unit of [...this.#units, ...this.#leaving]) unit.target.abort();
  }

  #setUnits(units: readonly TargetUnit[]): void {
    this.#units = units;
    if (this.#halted) for (const { target } of units) target.halt({ outcome: 'blocked', guard: 'kill_switch' });
    this.#lines = units.flatMap((unit) => Array.from({ length: unit.copies }, (_, copy) => ({ unit, copy, refusal: null })));
    this.#only = this.#lines.length === 1 ? (this.#lines[0] ?? null) : null;
  }

  #dispatchToAll(exchange: Exchange, source: RequestSource, id: string): void {
    const pending = new PendingRequest(this.#lines.length);
    const finish = this.#finisher(exchange, source, id);
    const settle: Settle = (outcome, result) => {
      if (pending.settle(outcome, result)) finish(pending.best, pending.result);
    };
    // Targets make and settle nothing within a call, so this row is not used twice at once.
    for (const line of this.#lines) {
      line.unit.tally.capture();
      line.refusal = line.unit.refuses(exchange, this.#policy);
    }
    const safe: (Exchange | null | undefined)[] = [];
    if (this.#recorder !== null) {
      safe[0] = this.#sanitizers === null ? exchange : this.#sanitizers[0].sanitize(exchange);
      this.#record(this.#recorder, exchange, safe[0], source, finish);
    }
    let draft: Draft | null = null;
    for (const line of this.#lines) {
      const { unit, copy } = line;
      if (line.refusal === null) {
        // The same copy is the same session at every target.
        if (this.#sanitizers === null) safe[copy] = exchange;
        else if (safe[copy] === undefined) safe[copy] = this.#sanitizers[copy].sanitize(exchange);
        const made = safe[copy] ?? null;
        if (made === null) line.refusal = 'blocked.unsanitizable';
        else {
          if (copy === 0) draft ??= this.#pairing?.begin(exchange, made, id, source.probability * this.#policy.probabilityFor(unit.share)) ?? null;
          const heard = draft === null || copy > 0 ? null : listener(draft, unit);
          line.refusal = this.#offer(line, exchange, made, copy === 0 ? id : `${id}.${copy + 1}`, source, settle, heard);
          if (line.refusal === null && draft?.twice === true && copy === 0 && this.#pairing?.candidate === unit.name) {
            this.#sendAgain(unit, exchange, made, `${id}.again`, draft);
          }
        }
      }
      if (line.refusal !== null) {
        unit.tally.end(line.refusal);
        settle(line.refusal, null);
      }
    }
    if (draft !== null) for (const { unit, copy, refusal } of this.#lines) if (copy === 0 && refusal !== null) draft.ended(unit.name, null);
  }

  /** Without a target, the recording decides on the outcome of a request. */
  #record(recorder: ExchangeRecorder, exchange: Exchange, safe: Exchange | null, { probability }: RequestSource, ended: Settle): void {
    const finish = this.#lines.length > 0 ? null : (outcome: Outcome) => ended(outcome, null);
    if (safe === null) finish?.('blocked.unsanitizable');
    else recorder.begin(exchange, safe, this.#sanitizers?.[0] ?? null, probability * this.#policy.probability, finish);
  }

  /** The candidate gets the same request once more: what its two answers differ in is noise. */
  #sendAgain(unit: TargetUnit, exchange: Exchange, safe: Exchange, id: string, draft: Draft): void {
    unit.tally.capture();
    const heard = { ...listener(draft, unit), sent: () => {}, answered: (result: ReplayResult) => draft.again(result) };
    const refusal = unit.send(exchange, safe, 0, id, 1, () => {}, heard);
    if (refusal === null) return;
    unit.tally.end(refusal);
    draft.again({ outcome: 'dropped', reason: 'queue_full' });
  }

  /** Sends a request that its target wants, made safe if it is not yet; returns why not when it is not sent. */
  #offer(
    { unit, copy }: Line,
    exchange: Exchange,
    safe: Exchange | null,
    id: string,
    source: RequestSource,
    settle: Settle,
    heard: AnswerListener | null = null,
  ): Outcome | null {
    const made = safe ?? this.#sanitizers?.[copy]?.sanitize(exchange) ?? null;
    if (made === null) return 'blocked.unsanitizable';
    return (
      unit.holdsBack(source.canWait) ??
      unit.send(exchange, made, copy, id, source.probability * this.#policy.probabilityFor(unit.share), settle, heard)
    );
  }

  /** A request whose content is known ended without being replayed. */
  #leaveOut(exchange: Exchange, source: RequestSource, outcome: Outcome): void {
    this.#feed?.ended(exchange, null, outcome, null);
    this.end(source, outcome);
  }

  #finisher(exchange: Exchange, source: RequestSource, id: string): Settle {
    const feed = this.#feed;
    if (feed === null) return (outcome) => this.#finish(source, outcome);
    return (outcome, result) => {
      feed.ended(exchange, id, outcome, result);
      this.#finish(source, outcome);
    };
  }

  /** A request has come to an outcome at every target. */
  #finish(source: RequestSource, outcome: Outcome): void {
    source.awaiting--;
    source.tally.end(outcome);
    this.#settled++;
    if (--this.#awaiting === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

function listener(draft: Draft, { name: target, ownCredential }: TargetUnit): AnswerListener {
  const { ids } = draft;
  return {
    sent: (request) => draft.sent(target, request, ownCredential),
    late: ids === null ? null : (exchange) => ids.toTarget(target, exchange),
    answered: (result) => draft.ended(target, result),
  };
}

/** Where requests come from, as far as counting goes. */
export interface RequestSource {
  tally: Tally;
  /** Requests handed to targets and not settled by all of them yet. */
  awaiting: number;
  /** It waits for `room`, as files do; other sources cannot. */
  canWait: boolean;
  /** With which probability the request that is being dispatched came into what the source has: below 1 where that is a sample already. */
  probability: number;
  /** Counts a request that lacked what it is sampled by. */
  keyAbsent(): void;
  /** The server of this request is one of production's: it is no replayed request that came round. */
  answeredBy(exchange: Exchange): void;
}

/**
 * A request under way to every target. Its outcome for the source is the best that any target came to: it was replayed
 * when one target answered; the targets' own tallies tell the rest.
 */
class PendingRequest {
  #remaining: number;
  best: Outcome = 'dropped.shutdown';
  /** What the best outcome rests on. */
  result: ReplayResult | null = null;
  #bestRank = -1;

  constructor(targets: number) {
    this.#remaining = targets;
  }

  /** True when this was the last target. */
  settle(outcome: Outcome, result: ReplayResult | null): boolean {
    const rank = outcomeRank(outcome);
    if (rank > this.#bestRank) {
      this.#bestRank = rank;
      this.best = outcome;
      this.result = result;
    }
    return --this.#remaining === 0;
  }
}
