/** A mirror's line of progress in a log: what it has counted since its start, and what of that is new. */
import type { LedgerReport } from '../ledger/report.ts';
import { ended, lost as lostRequests } from '../ledger/report-counts.ts';

/**
 * Fields of the line. `recent` counts what came since the line before, so that lines of several mirrors can be added up; the
 * rest is since the start.
 */
export function progressFields(before: LedgerReport, now: LedgerReport): object {
  const { captured, outcomes, inFlight, packets, gaps, replay, comparison, recording } = now;
  const responses = Object.fromEntries(Object.entries(now.targets).map(([name, target]) => [name, target.responses]));
  const { received, kernelDrops } = packets;
  return {
    replay,
    ...(comparison === undefined ? {} : { comparison }),
    ...(recording === undefined ? {} : { recording }),
    captured,
    outcomes,
    inFlight,
    lost: lost(now),
    packets: { received, kernelDrops },
    gaps,
    responses,
    recent: {
      captured: captured - before.captured,
      replayed: replayed(now) - replayed(before),
      lost: lost(now) - lost(before),
      packets: received - before.packets.received,
      kernelDrops: kernelDrops - before.packets.kernelDrops,
    },
  };
}

export function replayed(report: LedgerReport): number {
  return ended(report, 'replayed');
}

/** Requests that should have been replayed and were not, and packets that the kernel dropped. */
export function lost(report: LedgerReport): number {
  return lostRequests(report) + report.packets.kernelDrops;
}
