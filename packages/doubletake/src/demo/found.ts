/** What the comparison says of the differences that the demo knows: which of the faults it found, and what it found besides. */
import type { ClusterReport, RunReport } from '../compare/report.ts';
import { type Known, planted } from './shop-answers.ts';

export interface Found {
  /** Of each fault, in the order of `planted`, the difference that shows it; null while none is shown to be beyond noise. */
  planted: { known: Known; cluster: ClusterReport | null }[];
  /** Other differences that are said to be beyond noise. */
  others: ClusterReport[];
}

export function foundIn(report: RunReport | null): Found {
  const significant = (report?.clusters ?? []).filter((cluster) => cluster.significant);
  const shows = ({ endpoint, path }: Known, cluster: ClusterReport): boolean => cluster.endpoint === endpoint && cluster.path === path;
  return {
    planted: planted.map((known) => ({ known, cluster: significant.find((cluster) => shows(known, cluster)) ?? null })),
    others: significant.filter((cluster) => !planted.some((known) => shows(known, cluster))),
  };
}
