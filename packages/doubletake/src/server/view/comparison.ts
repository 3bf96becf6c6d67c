/** What the comparison has come to, at a glance. */
import type { z } from 'zod';
import type { ClusterReport, RunReport } from '../../compare/report.ts';
import { shareEstimate } from '../../compare/statistics/share.ts';
import type { comparisonSummary } from '../api/overview.ts';

export type ComparisonSummary = z.infer<typeof comparisonSummary>;

export function comparisonSummaryOf(report: RunReport): ComparisonSummary {
  const { verdict, reasons, pairs, mismatches, pairsNeeded, from, to, excluded, warnings, policy } = report;
  const clusters = { high: 0, medium: 0, low: 0 };
  for (const cluster of report.clusters) if (counts(cluster)) clusters[cluster.risk]++;
  const mismatch = pairs === 0 ? null : shareEstimate(mismatches, pairs, 1 - policy.confidence);
  return { verdict, policy, reasons, pairs, mismatches, mismatch, pairsNeeded, from, to, clusters, excluded, warnings };
}

/** Whether a difference speaks against the candidate: not where the data differ, or it was accepted. */
export function counts({ origin, accepted }: ClusterReport): boolean {
  return origin === 'code' && accepted !== true;
}
