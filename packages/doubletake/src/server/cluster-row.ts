/** A cluster of a report as the HTTP API shows it. */
import type { ClusterReport } from '../compare/report.ts';
import type { ClusterRow } from './api/clusters.ts';

/** Without values where contents are `hidden`. */
export function clusterRowOf(cluster: ClusterReport, hidden: boolean): ClusterRow {
  const { id, endpoint, path, kind, transition, count, share, risk, cause, origin, significant, accepted, firstSeen, example } = cluster;
  // Of other kinds it names statuses and types.
  const isOfValues = kind === 'value';
  return {
    id,
    endpoint,
    path,
    kind,
    transition: hidden && isOfValues ? null : transition,
    count,
    share: Math.min(1, share),
    risk,
    cause,
    origin,
    significant,
    accepted: accepted === true,
    firstSeen,
    from: hidden ? null : example.from,
    to: hidden ? null : example.to,
  };
}
