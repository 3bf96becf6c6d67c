/** What the comparison has come to, at a glance. */
import type { z } from 'zod';
import type { RunReport } from '../../compare/report.ts';
import { shareEstimate } from '../../compare/statistics/share.ts';
import type { comparisonSummary } from '../api/overview.ts';

export type ComparisonSummary = z.infer<typeof comparisonSummary>;

export function comparisonSummaryOf(report: RunReport): ComparisonSummary {
  const { verdict, reasons, pairs, mismatches, pairsNeeded, from, to, excluded, warnings, policy } = report;
  const clusters = { high: 0, medium: 0, low: 0 };
  for (const { risk, origin } of report.clusters) if (origin === 'code') clusters[risk]++;
  const mismatch = pairs === 0 ? null : shareEstimate(mismatches, pairs, 1 - policy.confidence);
  return { verdict, reasons, pairs, mismatches, mismatch, pairsNeeded, from, to, clusters, excluded, warnings };
}
