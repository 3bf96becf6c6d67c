/**
 * The ledger: what was seen and what became of it, as one plain object. Every counter of a source and of a target is a
 * slot in the workers' rows; the totals are the sums over the sources.
 *
 * Invariants, checked by `imbalances`: captured = sum of outcomes + in flight, for every source and every target, and
 * packets received = used + ignored + malformed, for every source.
 */
import type { CounterLayout } from './counters.ts';
import { latencyBuckets, quantile } from './histogram.ts';

/** A tree of sums: `{ blocked: { loop: 2 }, replayed: 10 }`. */
export interface CountTree {
  [name: string]: number | CountTree;
}

/** Requests: seen, ended by outcome, and not ended yet. */
export interface TallyReport {
  captured: number;
  outcomes: CountTree;
  inFlight: number;
}

export interface PacketCounts {
  received: number;
  used: number;
  ignored: CountTree;
  malformed: CountTree;
  /** Dropped by the kernel before we could read them. */
  kernelDrops: number;
  /** Of those used: fragments whose packet never became whole. */
  fragmentsGivenUp: number;
}

/** Bytes that were sent on a connection and never seen. */
export interface GapCounts {
  count: number;
  bytes: number;
}

/** Connections of clients: taken, not taken, and those for which there was none to production. */
export interface ProxyCounts {
  connections: number;
  refused: number;
  unreachable: number;
}

/** Exchanges that were to be recorded, by what became of them, and the bytes that they take on the disk. */
export interface RecordingCounts {
  exchanges: number;
  bytes: number;
  /** The recording had fallen too far behind. */
  dropped: number;
  /** They could not be written: the disk is full, the folder is gone. */
  failed: number;
}

export interface SourceReport extends TallyReport {
  packets: PacketCounts;
  gaps: GapCounts;
  /** TCP connections that carried payload. */
  connections: number;
  /** Production's final answers by status class, and those whose request was not seen. */
  production: { responses: CountTree; orphans: number };
  /** Connections recognised as something else than HTTP/1, by protocol. */
  other: CountTree;
  /** Payload bytes that belong to no message. */
  skippedBytes: number;
  sampling: { headerAbsent: number };
  /** Exchanges that are whole, and those that are not what production saw and answered, by label. */
  fidelity: CountTree;
  /** Connections of a mirror sink: refused for their number, cut off for their slowness, ended for what they sent. */
  sink: { refused: number; timedOut: number; rejected: number };
  /** Of recorded traffic: entries of files that gave no request, and how far the files were read, of how much. */
  files: { malformed: number; skipped: number; done: number; total: number };
  /** Of a proxy alone. */
  proxy?: ProxyCounts;
}

export interface TargetReport extends TallyReport {
  /** The target's answers by status class. */
  responses: CountTree;
  /** Requests that wait to be sent. */
  queued: number;
  /** How often the circuit breaker opened and closed, and in how many workers it is open. */
  circuit: { opened: number; closed: number; openNow: number };
  /** From the request sent to the answer read, in milliseconds; null while there is no answer. */
  latencyMs: { p50: number | null; p90: number | null; p99: number | null };
  /**
   * Where the target has a speed or a rate: how far behind its time each request went out, in milliseconds; null while
   * none has.
   */
  lagMs: { p50: number | null; p99: number | null; max: number | null };
  /** Of the requests that the policy lets through, what it gets now. */
  percentage: number;
}

/** The contract of `--ledger FILE.json`. */
export interface LedgerReport extends SourceReport {
  /** What a comparison has come to; absent where there is none. */
  comparison?: { verdict: string; pairs: number; mismatches: number };
  /** Absent where nothing is recorded. */
  recording?: RecordingCounts;
  /** Stopped by the kill switch, or not. */
  replay: 'running' | 'stopped';
  sources: { [name: string]: SourceReport };
  targets: { [name: string]: TargetReport };
}

/** Below it the slots for latencies, by target and bucket. */
export const latencyPlace = 'latency';

/** The same for how far behind its schedule each request went out. */
export const lagPlace = 'lag';

export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Below it the slots for how long production took to answer, by bucket, of all sources. */
export const productionLatencyPlace = 'productionLatency';

/** Below it the slots for what is recorded. */
export const recordingPlace = 'recording';

/** What lies below these is summed up in quantiles, or not told here. */
const histogramPlaces: ReadonlySet<string> = new Set([latencyPlace, lagPlace, productionLatencyPlace]);

export const recordingCounts = ['exchanges', 'bytes', 'dropped', 'failed'] as const satisfies (keyof RecordingCounts)[];

/** Adds up the workers' rows and names the sums. */
export function buildReport(layout: CounterLayout, rows: readonly Float64Array[]): LedgerReport {
  const tree: CountTree = { sources: {}, targets: {} };
  layout.paths.forEach((path, slot) => {
    if (histogramPlaces.has(path[0] ?? '')) return;
    const count = sumAt(rows, slot);
    addAt(tree, path, count);
    if (path[0] === 'sources') addAt(tree, path.slice(2), count);
  });
  // The layout's paths are those of the interface above, which its own test checks.
  const report = tree as unknown as LedgerReport;
  report.replay = 'running';
  for (const [name, target] of Object.entries(report.targets)) {
    const counts = latencyCounts(layout, rows, name);
    target.percentage = 100;
    const lags = latencyCounts(layout, rows, name, lagPlace);
    target.lagMs = { p50: quantile(lags, 0.5), p99: quantile(lags, 0.99), max: quantile(lags, 1) };
    target.latencyMs = { p50: quantile(counts, 0.5), p90: quantile(counts, 0.9), p99: quantile(counts, 0.99) };
  }
  return report;
}

/** A target's answers by latency bucket (histogram.ts), which the report sums up in quantiles; or its requests by lag. */
export function latencyCounts(layout: CounterLayout, rows: readonly Float64Array[], target: string, place = latencyPlace): number[] {
  return latencyBuckets.map((_, bucket) => sumAt(rows, layout.slot(place, target, String(bucket))));
}

/** Production's answers by latency bucket: from the end of the request to the end of the answer. */
export function productionLatencyCounts(layout: CounterLayout, rows: readonly Float64Array[]): number[] {
  return latencyBuckets.map((_, bucket) => sumAt(rows, layout.slot(productionLatencyPlace, String(bucket))));
}

function sumAt(rows: readonly Float64Array[], slot: number): number {
  return rows.reduce((sum, row) => sum + (row[slot] ?? 0), 0);
}

/** Every sum in the report that does not add up, in words; empty when all do. */
export function imbalances(report: LedgerReport): string[] {
  const problems: string[] = [];
  const tally = (name: string, { captured, outcomes: ended, inFlight }: TallyReport): void => {
    const sum = total(ended) + inFlight;
    if (captured !== sum) problems.push(`${name}: ${captured} requests captured, but ${sum} ended or in flight`);
  };
  for (const [name, source] of Object.entries(report.sources)) {
    tally(`source ${name}`, source);
    const { received, used, ignored, malformed } = source.packets;
    const sum = used + total(ignored) + total(malformed);
    if (received !== sum) problems.push(`source ${name}: ${received} packets received, but ${sum} accounted for`);
  }
  for (const [name, target] of Object.entries(report.targets)) tally(`target ${name}`, target);
  return problems;
}

/** Sum of all numbers in a tree. */
export function total(tree: CountTree | number): number {
  if (typeof tree === 'number') return tree;
  return Object.values(tree).reduce<number>((sum, branch) => sum + total(branch), 0);
}

function addAt(tree: CountTree, path: readonly string[], count: number): void {
  let branch = tree;
  for (const name of path.slice(0, -1)) {
    const next = own(branch, name) ?? (branch[name] = {});
    if (typeof next === 'number') throw new Error(`counter ${path.join('.')} lies under another counter`);
    branch = next;
  }
  const leaf = path[path.length - 1];
  if (leaf === undefined) throw new Error('a counter without a name');
  const before = own(branch, leaf) ?? 0;
  if (typeof before !== 'number') throw new Error(`counter ${path.join('.')} lies above another counter`);
  branch[leaf] = before + count;
}

/** Users name sources, targets and rules, and may call one `constructor`. */
function own(branch: CountTree, name: string): number | CountTree | undefined {
  return Object.hasOwn(branch, name) ? branch[name] : undefined;
}
