/** Differences by their cause, as rows of a table: the weightiest first, of those that are asked for. */
import type { ClusterReport, RunReport } from '../../compare/report.ts';
import type { ClusterList, ClusterQuery, ClusterRow } from '../api/clusters.ts';

const clustersMax = 10_000;

/** `hidden`: why values are not shown; null when they are. */
export function clustersOf(report: RunReport, { endpoint, risk, q }: ClusterQuery, hidden: string | null): ClusterList {
  const text = q?.toLowerCase();
  const clusters: ClusterRow[] = [];
  for (const cluster of report.clusters) {
    if (clusters.length === clustersMax) break;
    if (endpoint !== undefined && cluster.endpoint !== endpoint) continue;
    if (risk !== undefined && cluster.risk !== risk) continue;
    const row = clusterRowOf(cluster, hidden !== null);
    if (text !== undefined && !searched(row).includes(text)) continue;
    clusters.push(row);
  }
  return { hidden, clusters };
}

export function clusterRowOf(cluster: ClusterReport, hidden: boolean): ClusterRow {
  const { id, endpoint, path, kind, count, share, risk, cause, origin, significant, accepted = false, firstSeen, example } = cluster;
  const [from, to] = hidden ? [null, null] : [example.from, example.to];
  // Of other kinds it names statuses and types.
  const transition = hidden && kind === 'value' ? null : cluster.transition;
  return { id, endpoint, path, kind, transition, count, share, risk, cause, origin, significant, accepted, firstSeen, from, to };
}

function searched({ endpoint, path, kind, transition, cause, from, to }: ClusterRow): string {
  return [endpoint, path, kind, transition, cause, from, to].join('\n').toLowerCase();
}
