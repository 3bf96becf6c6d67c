/** What happened between two readings, as the history keeps it. */
import type { MirrorConfig } from '../../config/schema.ts';
import type { RunReport } from '../../compare/report.ts';
import { attempts, ended, lost, productionAnswers, productionErrors, targetErrors } from '../../ledger/report-counts.ts';
import type { HistorySpan } from './history.ts';
import type { Span } from './reading.ts';
import { candidateOf } from './target-health.ts';

/** Pairs compared so far, and those that differ. */
export type Compared = Pick<RunReport, 'pairs' | 'mismatches'>;

export function historySpanOf(
  span: Span,
  endMs: number,
  config: MirrorConfig | null,
  compared: { before: Compared; now: Compared },
): HistorySpan {
  const name = candidateOf(config, span.now.ledger);
  const grown = (count: (of: Compared) => number): number => Math.max(0, count(compared.now) - count(compared.before));
  return {
    endMs,
    ms: span.ms,
    captured: span.grown(({ captured }) => captured),
    replayed: span.grown((ledger) => ended(ledger, 'replayed')),
    lost: span.grown(lost),
    pairs: grown(({ pairs }) => pairs),
    mismatches: grown(({ mismatches }) => mismatches),
    production: {
      answers: span.grown(productionAnswers),
      errors: span.grown(productionErrors),
      latencies: Uint32Array.from(span.latencies(({ production }) => production)),
    },
    candidate: {
      answers: span.grownAt(name, attempts),
      errors: span.grownAt(name, targetErrors),
      latencies: Uint32Array.from(span.latencies(({ targets }) => (name === null ? undefined : targets[name]))),
    },
  };
}
