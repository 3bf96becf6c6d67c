/** The ledger as a way from packets to outcomes: stages whose parts add up to what came in. */
import type { z } from 'zod';
import { pruned } from '../../ledger/report-counts.ts';
import { type LedgerReport, type TallyReport, total } from '../../ledger/report.ts';
import type { flowStage } from '../api/overview.ts';

export type FlowStage = z.infer<typeof flowStage>;
type Part = FlowStage['parts'][number];

/** Outcomes by another name than the ledger's. */
const names: Readonly<Record<string, string>> = { sampled_out: 'sampled out' };

/** Packets where sources have them, then requests, then each target. */
export function flowOf(ledger: LedgerReport): FlowStage[] {
  const { received, used, ignored, malformed } = ledger.packets;
  const packets = stage('packets', received, [
    { name: 'used', count: used, detail: null },
    { name: 'ignored', count: total(ignored), detail: pruned(ignored) },
    { name: 'malformed', count: total(malformed), detail: pruned(malformed) },
  ]);
  return [
    ...(received > 0 ? [packets] : []),
    requests('requests', ledger),
    ...Object.entries(ledger.targets).map(([name, target]) => requests(`target ${name}`, target)),
  ];
}

function requests(name: string, { captured, outcomes, inFlight }: TallyReport): FlowStage {
  const ended = Object.entries(outcomes).map(([outcome, counts]): Part => ({
    name: names[outcome] ?? outcome,
    count: total(counts),
    detail: typeof counts === 'number' ? null : pruned(counts),
  }));
  return stage(name, captured, [...ended, { name: 'in flight', count: inFlight, detail: null }]);
}

/** Parts of which there are none are left out, but for the first. */
function stage(name: string, whole: number, parts: readonly Part[]): FlowStage {
  const sum = parts.reduce((counted, { count }) => counted + count, 0);
  return { name, total: whole, parts: parts.filter(({ count }, index) => index === 0 || count > 0), adds: sum === whole };
}
