/** The ledger for people: what was seen, what became of it, what each target answered, and that the sums add up. */
import { type CountTree, imbalances, type LedgerReport, total } from '../ledger/report.ts';

/** Text of several lines, with a line end at the end. Zero counts are left out, apart from the sums. */
export function ledgerText(report: LedgerReport): string {
  const { production, other } = report;
  const lines = [
    ...filesRows(report),
    ...packetRows(report),
    'Requests',
    row(1, 'captured', report.captured),
    ...branches(2, report.outcomes),
    row(2, 'in flight', report.inFlight),
    ...(report.sampling.headerAbsent > 0 ? [row(1, 'sampled by address for want of the key', report.sampling.headerAbsent)] : []),
    ...section('Production', [
      ...branches(1, { answered: production.responses }),
      ...(production.orphans > 0 ? [row(1, 'answers to requests not seen', production.orphans)] : []),
      ...branches(1, { 'other protocols': other }),
      ...proxyRows(report),
      ...fidelityRows(report.fidelity),
    ]),
  ];
  for (const [name, target] of Object.entries(report.targets)) {
    lines.push(
      ...section(`Target ${name}`, [
        ...branches(1, target.outcomes),
        ...branches(1, { answered: target.responses }),
        ...latencyRows('latency', target.latencyMs),
        ...latencyRows('lag behind the schedule', target.lagMs),
        ...(target.circuit.opened > 0 ? [row(1, 'circuit breaker opened', target.circuit.opened)] : []),
        ...(target.percentage < 100 ? [row(1, 'percentage in the end', target.percentage)] : []),
      ]),
    );
  }
  lines.push(...recordingRows(report));
  if (report.replay === 'stopped') lines.push('Replay is stopped by hand.');
  const problems = imbalances(report);
  lines.push(problems.length === 0 ? 'Every request has exactly one outcome; the sums add up.' : 'THE SUMS DO NOT ADD UP:', ...problems);
  return `${lines.join('\n')}\n`;
}

/** Recorded traffic: what of the files gave no request. */
function filesRows({ files }: LedgerReport): string[] {
  const { malformed, skipped } = files;
  return malformed + skipped === 0 ? [] : ['Files', ...branches(1, { 'malformed entries': malformed, 'entries left out': skipped })];
}

/** Nothing where all that was read are files of requests. */
function packetRows({ packets, gaps, files, sink }: LedgerReport): string[] {
  if (packets.received === 0 && files.done > 0) return [];
  return [
    'Packets',
    row(1, 'received', packets.received),
    row(2, 'used', packets.used),
    ...branches(2, { ignored: packets.ignored, malformed: packets.malformed }),
    row(1, 'dropped by the kernel', packets.kernelDrops),
    ...(packets.fragmentsGivenUp > 0 ? [row(1, 'fragments of packets that never became whole', packets.fragmentsGivenUp)] : []),
    row(1, `gaps in streams (${gaps.bytes} bytes)`, gaps.count),
    ...branches(1, { 'connections of the mirror sink cut off': { ...sink } }),
  ];
}

/** A title with what stands under it, or that there is nothing. */
function section(title: string, rows: string[]): string[] {
  return rows.length === 0 ? [`${title}: nothing`] : [title, ...rows];
}

/** What went wrong between clients and production, for all proxies together. */
function proxyRows({ sources }: LedgerReport): string[] {
  const sum = (name: 'refused' | 'unreachable'): number => Object.values(sources).reduce((all, { proxy }) => all + (proxy?.[name] ?? 0), 0);
  const rows: [string, number][] = [
    ['clients refused by the proxy', sum('refused')],
    ['clients for whom it was not reachable', sum('unreachable')],
  ];
  return rows.flatMap(([label, count]) => (count > 0 ? [row(1, label, count)] : []));
}

/** Nothing where nothing is recorded. */
function recordingRows({ recording }: LedgerReport): string[] {
  if (recording === undefined) return [];
  const { exchanges, bytes, dropped, failed } = recording;
  return [
    'Recording',
    row(1, `exchanges (${bytes} bytes)`, exchanges),
    ...(dropped > 0 ? [row(1, 'dropped: the disk fell behind', dropped)] : []),
    ...(failed > 0 ? [row(1, 'failed: they could not be written', failed)] : []),
  ];
}

/** One exchange can have several labels, so these have no sum. */
function fidelityRows(labels: CountTree): string[] {
  return Object.entries(labels).flatMap(([name, count]) =>
    name === 'whole' || total(count) === 0 ? [] : [row(1, `exchanges labelled ${name.replaceAll('_', ' ')}`, total(count))],
  );
}

function branches(depth: number, tree: CountTree): string[] {
  return Object.entries(tree).flatMap(([name, branch]) => {
    if (total(branch) === 0) return [];
    const label = name.replaceAll('_', ' ');
    return typeof branch === 'number'
      ? [row(depth, label, branch)]
      : [row(depth, label, total(branch)), ...branches(depth + 1, branch)];
  });
}

/** A line of such a text: what is counted, and the count. */
export function row(depth: number, label: string, count: number): string {
  return `${'  '.repeat(depth)}${label}`.padEnd(46) + String(count).padStart(12);
}

function latencyRows(what: string, quantiles: Readonly<Record<string, number | null>>): string[] {
  return Object.entries(quantiles).flatMap(([name, ms]) => (ms === null ? [] : [row(1, `${name} of the ${what}, ms`, Math.round(ms * 10) / 10)]));
}
