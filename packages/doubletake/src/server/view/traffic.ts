/** What arrives, source by source, and what of it is used. */
import { pruned } from '../../ledger/report-counts.ts';
import type { Traffic } from '../api/traffic.ts';
import type { Span } from './reading.ts';
import { sourceHealthOf } from './source-health.ts';

export function trafficOf(span: Span): Traffic {
  const { sources, recording = null } = span.now.ledger;
  return {
    sources: sourceHealthOf(span).flatMap((health) => {
      const source = sources[health.name];
      if (source === undefined) return [];
      const { packets, connections, captured, outcomes, inFlight, gaps, skippedBytes, other, production, fidelity } = source;
      return [
        {
          ...health,
          packets: { ...packets, ignored: pruned(packets.ignored), malformed: pruned(packets.malformed) },
          connections,
          captured,
          outcomes: pruned(outcomes),
          inFlight,
          gaps,
          skippedBytes,
          other: pruned(other),
          production: { responses: pruned(production.responses), orphans: production.orphans },
          fidelity: pruned(fidelity),
        },
      ];
    }),
    recording,
  };
}
