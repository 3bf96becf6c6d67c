/**
 * Takes each request that ended, lets the policy decide, and sends it to every target. Here a request gets its outcome:
 * once for its source and once for each target, and each exactly once.
 */
import type { Exchange } from '../http/exchange.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { statusClasses } from '../ledger/report.ts';
import { Tally } from '../ledger/tally.ts';
import type { ReplayPolicy } from '../policy/policy.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { RequestWriter } from '../policy/request-writer.ts';
import type { ReplayTarget } from '../replay/replay-target.ts';
import type { ReplayResult } from '../replay/target.ts';

/** One target with what belongs to it. */
export interface TargetLine {
  name: string;
  target: ReplayTarget;
  writer: RequestWriter;
  keepOrder: boolean;
}

interface CountedLine extends TargetLine {
  tally: Tally;
  responseSlots: readonly number[];
}

export class Dispatcher {
  #policy: ReplayPolicy;
  /** Null leaves requests as they came. */
  #sanitizer: Sanitizer | null;
  readonly #lines: readonly CountedLine[];
  /** The target when there is but one, as usual; null when there are several. */
  readonly #only: CountedLine | null;
  readonly #row: Float64Array;
  readonly #idPrefix: string;
  #lastId = 0;
  /** Requests sent to targets and not settled by all of them. */
  #awaiting = 0;
  #settled = 0;
  #idleWaiters: (() => void)[] = [];

  /** `idPrefix` makes the request ids of this worker distinct from those of every other worker and run. */
  constructor(
    policy: ReplayPolicy,
    sanitizer: Sanitizer | null,
    lines: readonly TargetLine[],
    layout: CounterLayout,
    row: Float64Array,
    idPrefix: string,
  ) {
    this.#policy = policy;
    this.#sanitizer = sanitizer;
    this.#row = row;
    this.#idPrefix = idPrefix;
    this.#lines = lines.map((line) => ({
      ...line,
      tally: new Tally(layout, row, ['targets', line.name]),
      responseSlots: statusClasses.map((name) => layout.slot('targets', line.name, 'responses', name)),
    }));
    this.#only = this.#lines.length === 1 ? (this.#lines[0] ?? null) : null;
  }

  /** Requests that end from now on are decided on by `policy`; every outcome it comes to must be in the layout. */
  replacePolicy(policy: ReplayPolicy, sanitizer: Sanitizer | null): void {
    this.#policy = policy;
    this.#sanitizer = sanitizer;
  }

  /** A request was seen: its head is whole. */
  capture(source: RequestSource): void {
    source.tally.capture();
    for (const line of this.#lines) line.tally.capture();
  }

  /** A request ended without being replayed. */
  end(source: RequestSource, outcome: Outcome): void {
    source.tally.end(outcome);
    for (const line of this.#lines) line.tally.end(outcome);
  }

  /** A request that was captured has ended: decides what becomes of it. */
  dispatch(exchange: Exchange, source: RequestSource): void {
    const { request } = exchange;
    if (request.outcome !== 'complete') {
      this.end(source, `incomplete.${request.outcome}`);
      return;
    }
    const verdict = this.#policy.decide(exchange, source);
    if (verdict !== 'replay') {
      this.end(source, verdict);
      return;
    }
    if (request.body.wire === null && request.body.wireBytes > 0) {
      this.end(source, 'dropped.too_large');
      return;
    }
    const safe = this.#sanitizer === null ? exchange : this.#sanitizer.sanitize(exchange);
    if (safe === null) {
      this.end(source, 'blocked.unsanitizable');
      return;
    }
    const id = `${this.#idPrefix}${(this.#lastId++).toString(36)}`;
    source.awaiting++;
    this.#awaiting++;
    const only = this.#only;
    if (only !== null) {
      const outgoing = only.writer.write(safe, id, only.keepOrder ? exchange.connection : null);
      only.target.send(outgoing, (result) => this.#finish(source, this.#count(only, result)));
      return;
    }
    const pending = new PendingRequest(this.#lines.length);
    for (const line of this.#lines) {
      const outgoing = line.writer.write(safe, id, line.keepOrder ? exchange.connection : null);
      line.target.send(outgoing, (result) => {
        if (pending.settle(this.#count(line, result))) this.#finish(source, pending.best);
      });
    }
  }

  /** True while every target takes more without dropping. */
  get room(): boolean {
    return this.#lines.every((line) => line.target.room);
  }

  /** Resolves when `room` may be true again. */
  async waitForRoom(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.target.waitForRoom()));
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

  /** Writes how many requests each target holds, beside those still being received, into the row. */
  measure(receiving: number): void {
    for (const { target, tally } of this.#lines) tally.setInFlight(receiving + target.queuedRequests + target.inFlight);
  }

  /** Lets every target finish for at most `drainMs`; then what is left ends as `dropped.shutdown`. */
  async close(drainMs: number): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.target.close(drainMs)));
  }

  abort(): void {
    for (const line of this.#lines) line.target.abort();
  }

  /** Counts what came of a request at one target. */
  #count(line: CountedLine, result: ReplayResult): Outcome {
    const outcome = outcomeOf(result);
    line.tally.end(outcome);
    if (result.outcome === 'replayed') {
      const slot = line.responseSlots[Math.floor(result.response.status / 100) - 1];
      if (slot !== undefined) this.#row[slot]++;
    }
    return outcome;
  }

  /** A request has come to an outcome at every target. */
  #finish(source: RequestSource, outcome: Outcome): void {
    source.awaiting--;
    source.tally.end(outcome);
    this.#settled++;
    if (--this.#awaiting === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}

/** Where requests come from, as far as counting goes. */
export interface RequestSource {
  tally: Tally;
  /** Requests handed to targets and not settled by all of them yet. */
  awaiting: number;
  /** Counts a request that lacked what it is sampled by. */
  keyAbsent(): void;
}

/**
 * A request under way to every target. Its outcome for the source is the best that any target came to: it was replayed
 * when one target answered; the targets' own tallies tell the rest.
 */
class PendingRequest {
  #remaining: number;
  best: Outcome = 'dropped.shutdown';
  #bestRank = -1;

  constructor(targets: number) {
    this.#remaining = targets;
  }

  /** True when this was the last target. */
  settle(outcome: Outcome): boolean {
    const rank = outcome === 'replayed' ? 2 : outcome.startsWith('failed') ? 1 : 0;
    if (rank > this.#bestRank) {
      this.#bestRank = rank;
      this.best = outcome;
    }
    return --this.#remaining === 0;
  }
}

function outcomeOf(result: ReplayResult): Outcome {
  switch (result.outcome) {
    case 'replayed':
      return 'replayed';
    case 'failed':
      return `failed.${result.reason}`;
    case 'dropped':
      return `dropped.${result.reason}`;
  }
}
