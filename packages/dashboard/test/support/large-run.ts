/** A run of many endpoints and differences, as plain data. */
import type { RunReport, Verdict } from '../../../doubletake/src/compare/report.ts';
import { clusterReport, endpointReport, estimate, regressionReport } from '../../../doubletake/test/support/run-reports.ts';

const verdicts: readonly Verdict[] = ['SAFE', 'SAFE', 'REGRESSION', 'INSUFFICIENT'];
const risks = ['high', 'medium', 'low'] as const;
const kinds = ['missing', 'type', 'status', 'value', 'extra', 'order'] as const;

/** Endpoints `GET /things-0/{id}` …; differences `c0` …, the riskiest first. */
export function largeReport(endpoints: number, clusters: number): RunReport {
  return {
    ...regressionReport(),
    pairs: 1_000_000,
    mismatches: 12_345,
    endpoints: Array.from({ length: endpoints }, (_, index) => {
      const verdict = verdicts[index % verdicts.length];
      const pairs = 2_000 - index;
      return endpointReport(`GET /things-${index}/{id}`, pairs, verdict, verdict === 'REGRESSION' ? { mismatches: pairs, mismatch: estimate(0.5, 0.45, 0.55), reason: '50 % differ' } : {});
    }),
    clusters: Array.from({ length: clusters }, (_, index) =>
      clusterReport({
        id: `c${index}`,
        endpoint: `GET /things-${index % endpoints}/{id}`,
        path: `$.items[*].field${index}`,
        kind: kinds[index % kinds.length],
        risk: risks[Math.floor((index * risks.length) / clusters)],
        count: clusters - index,
        share: (clusters - index) / (10 * clusters),
      }),
    ),
  };
}
