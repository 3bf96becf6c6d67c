/** A report's endpoints and clusters as rows, for those who would rather query than parse. */
import type { DuckDBTimestampValue } from '@duckdb/node-api';
import type { ClusterReport, EndpointReport } from '../compare/report.ts';
import { whole } from './rows.ts';

type Cell = string | number | bigint | boolean | DuckDBTimestampValue | null;

export function endpointRow(report: EndpointReport): Cell[] {
  const { endpoint, verdict, reason, pairs, mismatches, mismatch, latencyRatio, latencyMs, errors, pairsNeeded } = report;
  return [
    endpoint,
    verdict,
    reason,
    whole(pairs),
    whole(mismatches),
    ...(mismatch === null ? [null, null, null] : [mismatch.value, mismatch.low, mismatch.high]),
    ...[latencyRatio.p50, latencyRatio.p90, latencyRatio.p99].map((ratio) => ratio?.value ?? null),
    ...[latencyMs.baseline, latencyMs.candidate].flatMap(({ p50, p90, p99 }) => [p50, p90, p99]),
    whole(errors.baselineOnly),
    whole(errors.candidateOnly),
    whole(errors.both),
    pairsNeeded === null ? null : whole(pairsNeeded),
  ];
}

export function clusterRow(report: ClusterReport, firstSeen: DuckDBTimestampValue): Cell[] {
  const { id, endpoint, path, kind, transition, count, share, risk, cause, origin, significant, example } = report;
  return [id, endpoint, path, kind, transition, whole(count), share, risk, cause, origin, significant, firstSeen, example.id, example.curl];
}
