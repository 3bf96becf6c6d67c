/** The names of everything that a run counts: the places in the ledger's report and the slots in the workers' rows. */
import { otherProtocols } from '../http/exchange.ts';
import { CounterLayout } from '../ledger/counters.ts';
import { outcomes } from '../ledger/outcome.ts';
import { statusClasses } from '../ledger/report.ts';
import { decodedResults } from '../packets/decoded.ts';

const tallyPaths: readonly (readonly string[])[] = [
  ['captured'],
  ...outcomes.map((outcome) => ['outcomes', ...outcome.split('.')]),
  ['inFlight'],
];

const responsePaths = statusClasses.map((name) => ['responses', name]);

const sourcePaths: readonly (readonly string[])[] = [
  ...tallyPaths,
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
];

/** Layout of a worker's row: the same in every thread for the same names. */
export function ledgerLayout(sources: readonly string[], targets: readonly string[]): CounterLayout {
  return new CounterLayout([
    ...sources.flatMap((name) => sourcePaths.map((path) => ['sources', name, ...path])),
    ...targets.flatMap((name) => [...tallyPaths, ...responsePaths].map((path) => ['targets', name, ...path])),
  ]);
}
