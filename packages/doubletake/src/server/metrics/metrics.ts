/** All metrics of a mirror at one moment (docs/metrics.md). */
import { version } from '../../version.ts';
import type { LiveState } from '../api/backend.ts';
import { comparisonFamilies } from './comparison-families.ts';
import { type Exposition, expose } from './exposition.ts';
import { byName, counter, gauge, info, type MetricFamily, single } from './family.ts';
import { runFamilies, sourceFamilies, targetFamilies } from './ledger-families.ts';
import { ProcessMeter, type ProcessReading } from './process-meter.ts';

/** What metrics are made of. */
export type MetricsSource = Pick<LiveState, 'ledger' | 'comparison' | 'problem' | 'latencies' | 'shares'>;

export class Metrics {
  readonly #source: MetricsSource;
  /** Measures from the first reading on. */
  #meter: ProcessMeter | null = null;
  readonly #build = { version: version(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };

  constructor(source: MetricsSource) {
    this.#source = source;
  }

  families(): MetricFamily[] {
    this.#meter ??= new ProcessMeter();
    return metricFamilies(this.#source, this.#meter.read(), this.#build);
  }

  /** In the format that the `Accept` header of a scrape prefers. */
  expose(accept: string | undefined): Exposition {
    return expose(this.families(), accept);
  }

  /** Stops measuring the process. */
  close(): void {
    this.#meter?.close();
    this.#meter = null;
  }
}

export function metricFamilies(source: MetricsSource, process: ProcessReading, build: Readonly<Record<string, string>>): MetricFamily[] {
  const ledger = source.ledger();
  const latencies = source.latencies();
  return [
    ...sourceFamilies(ledger, latencies),
    ...targetFamilies(ledger, latencies, source.shares()),
    ...runFamilies(ledger, source.problem()),
    ...comparisonFamilies(source.comparison()),
    ...processFamilies(process),
    info('doubletake_build', 'The program that runs.', build),
  ];
}

/** Those that other programs have too are named as theirs are, so that dashboards made for any program show them. */
function processFamilies({ startedAtMs, cpuSeconds, residentBytes, eventLoopLagSeconds: { p50, p99, max } }: ProcessReading): MetricFamily[] {
  const lags = { 50: p50, 99: p99, 100: max };
  return [
    gauge('doubletake_event_loop_lag_seconds', 'How late timers of the main thread ran over the last ten seconds, by percentile; 100 is the worst.', byName('percentile', lags)),
    counter('process_cpu_seconds', 'CPU time of all threads.', single(cpuSeconds)),
    gauge('process_resident_memory_bytes', 'Memory of the process that is resident.', single(residentBytes)),
    gauge('process_start_time_seconds', 'When the process began, since the epoch.', single(startedAtMs / 1_000)),
  ];
}
