/** How each target does: in a state, and in words; and what it gets. */
import type { z } from 'zod';
import type { MirrorConfig } from '../../config/schema.ts';
import type { ShareStanding } from '../../engine/shares.ts';
import { attempts, ended, targetErrors } from '../../ledger/report-counts.ts';
import type { LedgerReport, TargetReport } from '../../ledger/report.ts';
import type { targetHealth } from '../api/overview.ts';
import { quantilesOf, shareOf, type Span } from './reading.ts';

export type TargetHealth = z.infer<typeof targetHealth>;

/** More errors than this are a warning, and more than this are failing. */
const errorShareWarning = 0.05;
const errorShareFailing = 0.5;

export function targetHealthOf(
  span: Span,
  config: MirrorConfig | null,
  shares: Readonly<Record<string, ShareStanding>>,
): TargetHealth[] {
  const { targets, replay } = span.now.ledger;
  return Object.entries(targets).map(([name, target]) => {
    const share = shares[name] ?? { percentage: target.percentage, by: 'configuration', ramp: null };
    const errorShare = errorShareOf(span, name);
    return {
      name,
      url: config?.targets.find((known) => known.name === name)?.url ?? '',
      role: roleOf(config, name),
      percentage: share.percentage,
      percentageBy: share.by,
      ramp: share.ramp,
      requestsPerSecond: span.perSecond(({ targets: at }) => (at[name] === undefined ? 0 : attempts(at[name]))),
      errorShare,
      latencyMs: quantilesOf(span.latencies((latencies) => latencies.targets[name])),
      queued: target.queued,
      circuit: target.circuit.openNow > 0 ? 'open' : 'closed',
      ...judged(span, name, target, replay, share, errorShare),
    };
  });
}

/** The target whose answers are compared; the first one where nothing is. Null when there is no target. */
export function candidateOf(config: MirrorConfig | null, ledger: LedgerReport): string | null {
  const names = Object.keys(ledger.targets);
  return names.find((name) => roleOf(config, name) === 'candidate') ?? names[0] ?? null;
}

/** Of what a target was sent: failed or answered with 5xx. */
export function errorShareOf(span: Span, name: string): number {
  return shareOf(span.grownAt(name, targetErrors), span.grownAt(name, attempts));
}

function roleOf(config: MirrorConfig | null, name: string): TargetHealth['role'] {
  if (config?.compare === undefined) return 'other';
  const { baseline, reference } = config.compare;
  if (name === baseline) return 'baseline';
  if (name === reference) return 'reference';
  const candidate = config.targets.find((target) => target.name !== baseline && target.name !== reference);
  return candidate?.name === name ? 'candidate' : 'other';
}

function judged(
  span: Span,
  name: string,
  target: TargetReport,
  replay: LedgerReport['replay'],
  share: ShareStanding,
  errorShare: number,
): Pick<TargetHealth, 'state' | 'text'> {
  if (replay === 'stopped') return { state: 'stopped', text: 'all replay is stopped by hand' };
  if (share.percentage === 0) return { state: 'stopped', text: `it gets nothing, as ${share.by === 'hand' ? 'set by hand' : `its ${share.by} says`}` };
  if (target.circuit.openNow > 0) return { state: 'failing', text: 'the circuit breaker is open: requests are not sent until it has recovered' };
  const failed = `${(errorShare * 100).toFixed(1)} % of its requests failed or were answered with 5xx ${span.within}`;
  if (errorShare > errorShareFailing) return { state: 'failing', text: failed };
  const dropped = span.grownAt(name, (report) => ended(report, 'dropped'));
  if (dropped > 0) return { state: 'warning', text: `${dropped} requests were dropped ${span.within}, since it was too slow or its limits are too low` };
  if (errorShare > errorShareWarning) return { state: 'warning', text: failed };
  if (share.ramp?.state === 'backed_off') return { state: 'warning', text: 'its ramp fell back' };
  return { state: 'ok', text: '' };
}
