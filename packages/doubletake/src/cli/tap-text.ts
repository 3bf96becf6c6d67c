/** The counts of a tap for people: at its end, and while it runs. */
import type { TapReport } from '../engine/tap.ts';
import { row } from './ledger-text.ts';
import type { ReportView } from './reporter.ts';

/** Text of several lines, with a line end at the end. */
export function tapText(report: TapReport): string {
  const { captured, added, sent, failed, truncated, skipped, kernelDrops, cpuMs, elapsedMs } = report;
  return [
    'Packets',
    row(1, 'captured', captured),
    row(2, 'left out for --cpu', skipped.cpu),
    row(2, 'left out for --rate', skipped.rate),
    row(1, 'truncated', truncated),
    row(1, 'dropped by the kernel', kernelDrops),
    'Datagrams',
    row(1, 'sent', sent),
    row(2, 'more than packets, since some were cut', added),
    row(1, 'not taken by the network', failed),
    `Used ${percentage(cpuMs, elapsedMs)} of a processor in ${Math.round(elapsedMs / 1_000)} s.`,
    '',
  ].join('\n');
}

export const tapView: ReportView<TapReport> = {
  line(before, now, seconds) {
    const rate = (count: number, earlier: number): string => `${Math.round((count - earlier) / seconds)}/s`;
    return [
      `in ${rate(now.captured, before.captured)} (${now.captured})`,
      `sent ${rate(now.sent, before.sent)} (${now.sent})`,
      `left out ${now.skipped.cpu + now.skipped.rate}`,
      `lost ${now.kernelDrops + now.failed}`,
      `cpu ${percentage(now.cpuMs - before.cpuMs, now.elapsedMs - before.elapsedMs)}`,
    ].join('  ');
  },
  fields: (_before, now) => now,
};

function percentage(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
