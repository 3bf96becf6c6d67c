/** A mirror that has everything of which there are metrics: what docs/metrics.md and the tests of dashboards and alerts know. */
import { ledgerLayout } from '../../src/engine/ledger-layout.ts';
import { bucketOf, latencyBuckets } from '../../src/ledger/histogram.ts';
import { buildReport, type LedgerReport } from '../../src/ledger/report.ts';
import { Tally } from '../../src/ledger/tally.ts';
import { metricFamilies, type MetricsSource } from '../../src/server/metrics/metrics.ts';
import type { MetricFamily } from '../../src/server/metrics/family.ts';
import { regressionReport } from './run-reports.ts';

export const exampleSource = 'vxlan:0.0.0.0:4789';

/** `more` requests are replayed to the target `candidate`, in the milliseconds given. */
export function exampleMetricsSource(latenciesMs: readonly number[] = [3, 4, 250]): MetricsSource {
  const rule = 'no "health" checks\\';
  const layout = ledgerLayout({ sources: [exampleSource], targets: ['candidate'], filters: [{ name: rule, exclude: { path: '/healthz' } }], records: true });
  const row = layout.createRow();
  const counts = latencyBuckets.map(() => 0);
  for (const place of [['sources', exampleSource], ['targets', 'candidate']]) {
    const tally = new Tally(layout, row, place);
    for (const outcome of [...latenciesMs.map(() => 'replayed' as const), `filtered.${rule}` as const, 'blocked.method' as const]) {
      tally.capture();
      tally.end(outcome);
    }
    tally.capture();
    tally.setInFlight(1);
  }
  for (const ms of latenciesMs) counts[bucketOf(ms)]++;
  const ledger: LedgerReport = buildReport(layout, [row]);
  const proxy = { connections: 4, refused: 1, unreachable: 0 };
  Object.assign(ledger.sources[exampleSource] ?? {}, { proxy });
  const target = ledger.targets['candidate'];
  if (target !== undefined) target.percentage = 25;
  const steps = [{ percentage: 25, forMs: 60_000 }, { percentage: 100, forMs: null }];
  return {
    ledger: () => ledger,
    comparison: () => ({ ...regressionReport(), pairsNeeded: 100, excluded: { no_baseline: 3 } }),
    problem: () => null,
    latencies: () => ({ production: counts, targets: { candidate: counts } }),
    shares: () => ({ candidate: { percentage: 25, by: 'ramp', ramp: { step: 0, steps, state: 'rising' } } }),
  };
}

export function exampleFamilies(source = exampleMetricsSource()): MetricFamily[] {
  const process = { startedAtMs: 1_700_000_000_000, cpuSeconds: 12.5, residentBytes: 1e8, eventLoopLagSeconds: { p50: 0, p99: 0.002, max: 0.01 } };
  return metricFamilies(source, process, { version: '1.2.3', node: '24.0.0', platform: 'linux-x64' });
}
