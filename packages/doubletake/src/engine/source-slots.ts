import { type OtherProtocol, otherProtocols } from '../http/exchange.ts';
import { fidelityNames } from '../http/fidelity.ts';
import { decodedResults } from '../packets/decoded.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import { productionLatencyPlace, statusClasses } from '../ledger/report.ts';

/** Slots of what one source counts apart from its requests, looked up once so that counting is one array access. */
export class SourceSlots {
  readonly received: number;
  /** By the result of decoding. */
  readonly decoded: readonly number[];
  readonly kernelDrops: number;
  readonly fragmentsGivenUp: number;
  readonly gapCount: number;
  readonly gapBytes: number;
  readonly connections: number;
  /** Production's answers by status class, 1xx first. */
  readonly responses: readonly number[];
  readonly orphans: number;
  /** Of all sources: how long production took to answer, the first bucket; the others follow. */
  readonly productionLatency: number;
  readonly other: Readonly<Record<OtherProtocol, number>>;
  readonly skippedBytes: number;
  readonly headerAbsent: number;
  /** Exchanges without any label, and by label in the order of their bits. */
  readonly fidelityWhole: number;
  readonly fidelity: readonly number[];
  readonly sinkRefused: number;
  readonly sinkTimedOut: number;
  readonly sinkRejected: number;
  readonly filesMalformed: number;
  readonly filesSkipped: number;
  readonly filesDone: number;
  readonly filesTotal: number;

  constructor(layout: CounterLayout, source: string) {
    const slot = (...path: string[]): number => layout.slot('sources', source, ...path);
    this.received = slot('packets', 'received');
    this.decoded = decodedResults.map((result) =>
      result.class === 'used' ? slot('packets', 'used') : slot('packets', result.class, result.name),
    );
    this.kernelDrops = slot('packets', 'kernelDrops');
    this.fragmentsGivenUp = slot('packets', 'fragmentsGivenUp');
    this.gapCount = slot('gaps', 'count');
    this.gapBytes = slot('gaps', 'bytes');
    this.connections = slot('connections');
    this.responses = statusClasses.map((name) => slot('production', 'responses', name));
    this.productionLatency = layout.slot(productionLatencyPlace, '0');
    this.orphans = slot('production', 'orphans');
    this.other = Object.fromEntries(otherProtocols.map((name) => [name, slot('other', name)])) as Record<
      OtherProtocol,
      number
    >;
    this.skippedBytes = slot('skippedBytes');
    this.headerAbsent = slot('sampling', 'headerAbsent');
    this.fidelityWhole = slot('fidelity', 'whole');
    this.fidelity = fidelityNames.map((name) => slot('fidelity', name));
    this.sinkRefused = slot('sink', 'refused');
    this.sinkTimedOut = slot('sink', 'timedOut');
    this.sinkRejected = slot('sink', 'rejected');
    this.filesMalformed = slot('files', 'malformed');
    this.filesSkipped = slot('files', 'skipped');
    this.filesDone = slot('files', 'done');
    this.filesTotal = slot('files', 'total');
  }
}
