/** Ledgers with the counts that a test needs, and all others 0. */
import { ledgerLayout } from '../../src/engine/ledger-layout.ts';
import { bucketOf, latencyBuckets } from '../../src/ledger/histogram.ts';
import { buildReport, type LedgerReport } from '../../src/ledger/report.ts';

export interface LedgerCounts {
  sources?: readonly string[];
  targets?: readonly string[];
  /** By path in the layout: `sources vxlan:a packets received`, with spaces between its parts. */
  counts?: Readonly<Record<string, number>>;
}

export function ledgerOf({ sources = ['vxlan:0.0.0.0:4789'], targets = ['candidate'], counts = {} }: LedgerCounts = {}): LedgerReport {
  const layout = ledgerLayout({ sources, targets, filters: [], records: true });
  const row = layout.createRow();
  for (const [path, count] of Object.entries(counts)) row[layout.slot(...path.split(' '))] = count;
  return buildReport(layout, [row]);
}

/** Answers by latency bucket. */
export function bucketsOf(...latenciesMs: number[]): number[] {
  const counts = latencyBuckets.map(() => 0);
  for (const ms of latenciesMs) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
  return counts;
}
