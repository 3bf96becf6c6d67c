/** What each endpoint came to, as rows of a table. */
import type { RunReport } from '../../compare/report.ts';
import type { EndpointList } from '../api/endpoints.ts';
import { counts } from './comparison.ts';
import { shareOf } from './reading.ts';

export function endpointsOf(report: RunReport): EndpointList {
  const clusters = new Map<string, number>();
  for (const cluster of report.clusters) {
    if (counts(cluster)) clusters.set(cluster.endpoint, (clusters.get(cluster.endpoint) ?? 0) + 1);
  }
  return {
    endpoints: report.endpoints.map(({ endpoint, pairs, mismatches, mismatch, errors, latencyRatio, latencyMs, verdict, reason, pairsNeeded }) => ({
      endpoint,
      pairs,
      share: shareOf(pairs, report.pairs),
      mismatches,
      mismatch,
      errors: { baselineOnly: errors.baselineOnly, candidateOnly: errors.candidateOnly, both: errors.both },
      latencyRatio,
      latencyMs,
      clusters: clusters.get(endpoint) ?? 0,
      verdict,
      reason,
      pairsNeeded,
    })),
  };
}
