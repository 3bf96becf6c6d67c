/**
 * What is drawn over time: counts by spans of a second for the last quarter of an hour, of ten seconds for two and a half
 * hours, of a hundred for a day. Ten spans of one level make one of the next, so that every level says the same.
 */
import type { History, HistoryPoint } from '../api/overview.ts';
import { quantilesOf } from './reading.ts';

/** What happened in a span. */
export interface HistorySpan {
  /** Its end, milliseconds since the epoch, and its length. */
  endMs: number;
  ms: number;
  captured: number;
  replayed: number;
  lost: number;
  pairs: number;
  mismatches: number;
  production: SpanAnswers;
  candidate: SpanAnswers;
}

export interface SpanAnswers {
  answers: number;
  /** Of these. */
  errors: number;
  /** By latency bucket (ledger/histogram.ts). */
  latencies: ArrayLike<number>;
}

/** Spans of each level, and how many of a level make one of the next. */
const spansMax = 900;
const spansJoined = 10;
const levels = 3;

interface Level {
  spans: HistorySpan[];
  /** Of the level below, not joined yet. */
  loose: HistorySpan[];
}

export class HistoryRing {
  readonly #everyMs: number;
  readonly #levels: Level[] = Array.from({ length: levels }, () => ({ spans: [], loose: [] }));

  /** `everyMs`: how often a span will be added, about. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  add(span: HistorySpan): void {
    let next: HistorySpan | null = span;
    for (const [level, { spans }] of this.#levels.entries()) {
      if (next === null) return;
      spans.push(next);
      if (spans.length > spansMax) spans.shift();
      const above = this.#levels[level + 1];
      if (above === undefined) return;
      above.loose.push(next);
      next = null;
      if (above.loose.length === spansJoined) next = joined(above.loose.splice(0));
    }
  }

  /** The last `seconds`, from the finest level that has so many; the last point may stand for less time. */
  points(seconds: number): History {
    const wantedMs = seconds * 1_000;
    const enough = this.#levels.findIndex((_, level) => this.#spanMs(level) * spansMax >= wantedMs);
    const index = enough < 0 ? levels - 1 : enough;
    const everyMs = this.#spanMs(index);
    const count = Math.max(1, Math.ceil(wantedMs / everyMs));
    const tail = this.#levels.slice(1, index + 1).toReversed().flatMap(({ loose }) => loose);
    const spans = [...(this.#levels[index]?.spans ?? []), ...(tail.length > 0 ? [joined(tail)] : [])];
    return { everyMs, points: spans.slice(-count).map(historyPointOf) };
  }

  #spanMs(level: number): number {
    return this.#everyMs * spansJoined ** level;
  }
}

export function historyPointOf({ endMs, ms, captured, replayed, lost, pairs, mismatches, production, candidate }: HistorySpan): HistoryPoint {
  const perSecond = (count: number): number => (ms <= 0 ? 0 : (count * 1_000) / ms);
  const errors = (of: SpanAnswers): number | null => (of.answers <= 0 ? null : Math.min(1, of.errors / of.answers));
  return {
    t: endMs / 1_000,
    captured: perSecond(captured),
    replayed: perSecond(replayed),
    lost: perSecond(lost),
    match: pairs <= 0 ? null : 1 - Math.min(1, mismatches / pairs),
    productionErrors: errors(production),
    candidateErrors: errors(candidate),
    production: quantilesOf(production.latencies),
    candidate: quantilesOf(candidate.latencies),
  };
}

function joined(spans: readonly HistorySpan[]): HistorySpan {
  const sum = (count: (span: HistorySpan) => number): number => spans.reduce((whole, span) => whole + count(span), 0);
  const answers = (of: (span: HistorySpan) => SpanAnswers): SpanAnswers => ({
    answers: sum((span) => of(span).answers),
    errors: sum((span) => of(span).errors),
    latencies: summed(spans.map((span) => of(span).latencies)),
  });
  return {
    endMs: spans.at(-1)?.endMs ?? 0,
    ms: sum(({ ms }) => ms),
    captured: sum(({ captured }) => captured),
    replayed: sum(({ replayed }) => replayed),
    lost: sum(({ lost }) => lost),
    pairs: sum(({ pairs }) => pairs),
    mismatches: sum(({ mismatches }) => mismatches),
    production: answers(({ production }) => production),
    candidate: answers(({ candidate }) => candidate),
  };
}

function summed(counts: readonly ArrayLike<number>[]): Uint32Array {
  const sums = new Uint32Array(counts[0]?.length ?? 0);
  for (const each of counts) for (let bucket = 0; bucket < sums.length; bucket++) sums[bucket] = (sums[bucket] ?? 0) + (each[bucket] ?? 0);
  return sums;
}
