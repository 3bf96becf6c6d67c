/** The names of everything that a run counts: the places in the ledger's report and the slots in the workers' rows. */
import { otherProtocols } from '../http/exchange.ts';
import { fidelityNames } from '../http/fidelity.ts';
import { CounterLayout } from '../ledger/counters.ts';
import { outcomePath, outcomes } from '../ledger/outcome.ts';
import { statusClasses } from '../ledger/report.ts';
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
];

/** Layout of a worker's row: the same in every thread for the same names and rules. */
export function ledgerLayout(
  sources: readonly string[],
  targets: readonly string[],
  filters: readonly FilterRule[],
): CounterLayout {
  const tallyPaths = [
    ['captured'],
    ...[...outcomes, ...filterOutcomes(filters)].map((outcome) => ['outcomes', ...outcomePath(outcome)]),
    ['inFlight'],
  ];
  return new CounterLayout([
    ...sources.flatMap((name) => [...tallyPaths, ...sourcePaths].map((path) => ['sources', name, ...path])),
    ...targets.flatMap((name) => [...tallyPaths, ...responsePaths].map((path) => ['targets', name, ...path])),
  ]);
}
