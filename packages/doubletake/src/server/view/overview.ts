/** Everything that is seen at a glance. */
import type { MirrorConfig } from '../../config/schema.ts';
import type { ShareStanding } from '../../engine/shares.ts';
import { ended, productionAnswers, productionErrors } from '../../ledger/report-counts.ts';
import type { DashboardBackend } from '../api/backend.ts';
import type { Overview } from '../api/overview.ts';
import type { ComparisonSummary } from './comparison.ts';
import { flowOf } from './flow.ts';
import { quantilesOf, shareOf, type Span } from './reading.ts';
import { sourceHealthOf } from './source-health.ts';
import { targetHealthOf } from './target-health.ts';

export interface Glance {
  mode: DashboardBackend['mode'];
  startedAtMs: number;
  /** Since the epoch. */
  nowMs: number;
  span: Span;
  comparison: ComparisonSummary | null;
  problem: string | null;
  config: MirrorConfig | null;
  shares: Readonly<Record<string, ShareStanding>>;
}

export function overviewOf({ mode, startedAtMs, nowMs, span, comparison, problem, config, shares }: Glance): Overview {
  const { ledger } = span.now;
  return {
    time: new Date(nowMs).toISOString(),
    startedAt: new Date(startedAtMs).toISOString(),
    mode,
    problem,
    replay: ledger.replay,
    comparison,
    rates: {
      captured: span.perSecond(({ captured }) => captured),
      replayed: span.perSecond((report) => ended(report, 'replayed')),
      packets: span.perSecond(({ packets }) => packets.received),
    },
    production: {
      errorShare: shareOf(span.grown(productionErrors), span.grown(productionAnswers)),
      latencyMs: quantilesOf(span.latencies(({ production }) => production)),
    },
    flow: flowOf(ledger),
    sources: sourceHealthOf(span),
    targets: targetHealthOf(span, config, shares),
  };
}
