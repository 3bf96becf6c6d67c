/** What the comparison has come to (docs/comparing.md) as metrics; none where nothing is compared. */
import type { Risk, RunReport, Verdict } from '../../compare/report.ts';
import { byName, counter, gauge, type MetricFamily, type Sample, single, states } from './family.ts';

const verdicts: readonly Verdict[] = ['SAFE', 'REGRESSION', 'INSUFFICIENT'];
const risks: readonly Risk[] = ['high', 'medium', 'low'];

export function comparisonFamilies(report: RunReport | null): MetricFamily[] {
  return [
    gauge('doubletake_verdict', 'The verdict on the candidate: 1 for the one that holds.', states('verdict', verdicts, report?.verdict ?? null)),
    counter('doubletake_pairs_compared', 'Requests whose two answers were compared.', single(report?.pairs ?? null)),
    gauge('doubletake_pairs_mismatched', 'Compared requests whose answers differ beyond noise and rules. It falls when a difference turns out to be noise.', single(report?.mismatches ?? null)),
    gauge('doubletake_pairs_needed', 'About how many more pairs a verdict takes; absent when there is one, or it cannot be told.', single(report?.pairsNeeded ?? null)),
    counter('doubletake_pairs_excluded', 'Requests left out of the comparison, by reason.', byName('reason', report?.excluded ?? {})),
    gauge('doubletake_endpoints', 'Endpoints that were compared, by their verdict.', report === null ? [] : verdicts.map((verdict) => ({ labels: { verdict }, value: report.endpoints.filter((endpoint) => endpoint.verdict === verdict).length }))),
    gauge('doubletake_difference_clusters', 'Differences with one cause, by risk and by whether they are shown to be beyond noise.', report === null ? [] : clusterSamples(report)),
  ];
}

function clusterSamples({ clusters }: RunReport): Sample[] {
  return risks.flatMap((risk) =>
    [true, false].map((significant) => ({
      labels: { risk, significant: String(significant) },
      value: clusters.filter((cluster) => cluster.risk === risk && cluster.significant === significant).length,
    })),
  );
}
