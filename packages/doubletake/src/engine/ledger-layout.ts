/** The names of everything that a run counts: the places in the ledger's report and the slots in the workers' rows. */
import type { MirrorConfig } from '../config/schema.ts';
import { sourceName } from '../config/sources.ts';
import { otherProtocols } from '../http/exchange.ts';
import { fidelityNames } from '../http/fidelity.ts';
import { CounterLayout } from '../ledger/counters.ts';
import { latencyBuckets } from '../ledger/histogram.ts';
import { outcomePath, outcomes } from '../ledger/outcome.ts';
import { lagPlace, latencyPlace, productionLatencyPlace, recordingCounts, recordingPlace, statusClasses } from '../ledger/report.ts';
import { decodedResults } from '../packets/decoded.ts';
import { filterOutcomes } from '../policy/filter.ts';
import type { FilterRule } from '../policy/filter-options.ts';

const responsePaths = statusClasses.map((name) => ['responses', name]);

const sourcePaths: readonly (readonly string[])[] = [
  ['packets', 'received'],
  ['packets', 'used'],
  ...decodedResults.filter((result) => result.class !== 'used').map((result) => ['packets', result.class, result.name]),
  ['packets', 'kernelDrops'],
  ['packets', 'fragmentsGivenUp'],
  ['gaps', 'count'],
  ['gaps', 'bytes'],
  ['connections'],
  ...responsePaths.map((path) => ['production', ...path]),
  ['production', 'orphans'],
  ...otherProtocols.map((name) => ['other', name]),
  ['skippedBytes'],
  ['sampling', 'headerAbsent'],
  ['fidelity', 'whole'],
  ...fidelityNames.map((name) => ['fidelity', name]),
  ['sink', 'refused'],
  ['sink', 'timedOut'],
  ['sink', 'rejected'],
  ['files', 'malformed'],
  ['files', 'skipped'],
  ['files', 'done'],
  ['files', 'total'],
];

const targetPaths: readonly (readonly string[])[] = [
  ...responsePaths,
  ['queued'],
  ['circuit', 'opened'],
  ['circuit', 'closed'],
  ['circuit', 'openNow'],
];

/** What decides on the names in a ledger. */
export interface LedgerNames {
  sources: readonly string[];
  targets: readonly string[];
  /** Every rule by which a request can be filtered, the targets' own too. */
  filters: readonly FilterRule[];
  /** Exchanges are recorded; not, unless given. */
  records?: boolean;
}

export function ledgerNames({ sources, policy, targets, record }: MirrorConfig): LedgerNames {
  return {
    sources: sources.map(sourceName),
    targets: targets.map(({ name }) => name),
    filters: [...policy.filters, ...targets.flatMap(({ filters }) => filters)],
    records: record !== undefined,
  };
}

/** Paths of all counters: the same in every thread for the same names. */
export function ledgerPaths({ sources, targets, filters, records = false }: LedgerNames): string[][] {
  const tallyPaths = [
    ['captured'],
    ...[...outcomes, ...filterOutcomes(filters)].map((outcome) => ['outcomes', ...outcomePath(outcome)]),
    ['inFlight'],
  ];
  return [
    ...sources.flatMap((name) => [...tallyPaths, ...sourcePaths].map((path) => ['sources', name, ...path])),
    ...targets.flatMap((name) => [...tallyPaths, ...targetPaths].map((path) => ['targets', name, ...path])),
    ...targets.flatMap((name) => latencyBuckets.map((_, bucket) => [latencyPlace, name, String(bucket)])),
    ...targets.flatMap((name) => latencyBuckets.map((_, bucket) => [lagPlace, name, String(bucket)])),
    ...latencyBuckets.map((_, bucket) => [productionLatencyPlace, String(bucket)]),
    ...(records ? recordingCounts.map((count) => [recordingPlace, count]) : []),
  ];
}

/** Layout of a worker's row. */
export function ledgerLayout(names: LedgerNames): CounterLayout {
  return new CounterLayout(ledgerPaths(names));
}
