/** The ledger of a mirror that runs: the rows that its workers publish, added up and named. */
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { type CounterLayout, createSharedRow, readRow } from '../ledger/counters.ts';
import { buildReport, latencyCounts, type LedgerReport, productionLatencyCounts } from '../ledger/report.ts';
import { attempts, targetErrors } from '../ledger/report-counts.ts';
import { ledgerLayout, ledgerNames, ledgerPaths } from './ledger-layout.ts';
import type { TargetReading } from './shares.ts';

/** Answers by latency bucket (ledger/histogram.ts) since the start: production's, and each target's. */
export interface LatencyCounts {
  production: readonly number[];
  targets: Readonly<Record<string, readonly number[]>>;
}

export class LiveLedger {
  readonly #layout: CounterLayout;
  readonly #rows: SharedArrayBuffer[] = [];

  constructor(config: MirrorConfig) {
    this.#layout = ledgerLayout(ledgerNames(config));
  }

  /** Shared memory in which one more worker publishes its row. */
  addRow(): SharedArrayBuffer {
    const row = createSharedRow(this.#layout);
    this.#rows.push(row);
    return row;
  }

  /**
   * Makes room for what `config` counts. Returns the paths of all its counters; throws a `DoubletakeError`, with everything
   * as it was, when there is no place left for those that are new.
   */
  extend(config: MirrorConfig): string[][] {
    const paths = ledgerPaths(ledgerNames(config));
    if (!this.#layout.fits(paths)) {
      throw new DoubletakeError('DT_RELOAD', 'the ledger has no place left for new names of filters and targets; restart');
    }
    this.#layout.extend(paths);
    return paths;
  }

  /** As the workers last published it, at most a tenth of a second old. */
  report(): LedgerReport {
    return buildReport(this.#layout, this.#read());
  }

  latencies(targets: readonly TargetConfig[]): LatencyCounts {
    const rows = this.#read();
    return {
      production: productionLatencyCounts(this.#layout, rows),
      targets: Object.fromEntries(targets.map(({ name }) => [name, latencyCounts(this.#layout, rows, name)])),
    };
  }

  /** What a target has done since the start. */
  targetReading({ name, limits }: TargetConfig): TargetReading {
    const rows = this.#read();
    const latencies = latencyCounts(this.#layout, rows, name);
    const target = buildReport(this.#layout, rows).targets[name];
    return { requests: attempts(target), errors: targetErrors(target), latencies, queueShare: target.queued / limits.queueRequests };
  }

  #read(): Float64Array[] {
    return this.#rows.map(readRow);
  }
}
