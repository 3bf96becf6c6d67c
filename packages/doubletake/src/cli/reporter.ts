/**
 * What a long run says while it runs, on standard error: on a terminal one line that is rewritten every second, in a
 * pipe structured logs, one JSON object a line.
 */
import { pino } from 'pino';
import { type LedgerReport, type RecordingCounts, total } from '../ledger/report.ts';
import { lost, progressFields, replayed } from './progress-fields.ts';

/** How a report is shown while it grows. */
export interface ReportView<Report> {
  /** On a terminal: one line, with what has changed in so many seconds. */
  line(before: Report, now: Report, seconds: number): string;
  /** In a log, with what has come since the line before. */
  fields(before: Report, now: Report): object;
}

export interface Reporter<Report = LedgerReport> {
  /** Begins to show `read()`, every second on a terminal and every ten seconds in a log. */
  start(read: () => Report): void;
  stop(): void;
  /** Something that happened and is no trouble; not told when quiet. */
  notice(text: string): void;
  warning(text: string): void;
  error(text: string): void;
}

const liveEveryMs = 1_000;
const logEveryMs = 10_000;

/** A reporter of a mirror's ledger. */
export function createReporter(quiet: boolean): Reporter {
  return createReporterOf(quiet, { line: liveLine, fields: progressFields });
}

/** A reporter of anything that has a view. */
export function createReporterOf<Report>(quiet: boolean, view: ReportView<Report>): Reporter<Report> {
  return process.stderr.isTTY ? new LiveReporter(quiet, view) : new LogReporter(quiet, view);
}

class LiveReporter<Report> implements Reporter<Report> {
  readonly #quiet: boolean;
  readonly #view: ReportView<Report>;
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  constructor(quiet: boolean, view: ReportView<Report>) {
    this.#quiet = quiet;
    this.#view = view;
  }

  start(read: () => Report): void {
    if (this.#quiet) return;
    let before = read();
    let beforeMs = performance.now();
    this.#timer = setInterval(() => {
      const now = read();
      const nowMs = performance.now();
      const line = this.#view.line(before, now, (nowMs - beforeMs) / 1_000);
      [before, beforeMs] = [now, nowMs];
      process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns ?? 100) - 1)}`);
      this.#shown = true;
    }, liveEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#clear('\n');
  }

  notice(text: string): void {
    if (this.#quiet) return;
    this.#clear('\r\x1b[2K');
    process.stderr.write(`doubletake: ${text}\n`);
  }

  warning(text: string): void {
    this.#clear('\r\x1b[2K');
    process.stderr.write(`doubletake: warning: ${text}\n`);
  }

  error(text: string): void {
    this.#clear('\r\x1b[2K');
    process.stderr.write(`doubletake: ${text}\n`);
  }

  #clear(how: string): void {
    if (this.#shown) process.stderr.write(how);
    this.#shown = false;
  }
}

class LogReporter<Report> implements Reporter<Report> {
  readonly #quiet: boolean;
  readonly #view: ReportView<Report>;
  readonly #log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
  #timer: NodeJS.Timeout | undefined;

  constructor(quiet: boolean, view: ReportView<Report>) {
    this.#quiet = quiet;
    this.#view = view;
  }

  start(read: () => Report): void {
    if (this.#quiet) return;
    let before = read();
    this.#timer = setInterval(() => {
      const now = read();
      this.#log.info(this.#view.fields(before, now), 'progress');
      before = now;
    }, logEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  notice(text: string): void {
    if (!this.#quiet) this.#log.info(text);
  }

  warning(text: string): void {
    this.#log.warn(text);
  }

  error(text: string): void {
    this.#log.error(text);
  }
}

/** Requests in, replayed, lost, the targets' answers and what waits, as rates where a rate says more. */
function liveLine(before: LedgerReport, now: LedgerReport, seconds: number): string {
  const rate = (count: number, earlier: number): string => `${Math.round((count - earlier) / seconds)}/s`;
  const { captured, inFlight, comparison, recording } = now;
  const answers = answersByClass(now);
  const open = Object.entries(now.targets).flatMap(([name, { circuit }]) => (circuit.openNow > 0 ? [name] : []));
  return [
    ...(now.replay === 'stopped' ? ['REPLAY STOPPED'] : []),
    `in ${rate(captured, before.captured)} (${captured})`,
    `replayed ${rate(replayed(now), replayed(before))} (${replayed(now)})`,
    `lost ${lost(now)}`,
    `answers ${answers === '' ? 'none' : answers}`,
    `queue ${inFlight}`,
    ...(recording === undefined ? [] : [`recorded ${recording.exchanges}${unrecorded(recording)}`]),
    ...(comparison === undefined ? [] : [`${comparison.verdict} (${comparison.mismatches} of ${comparison.pairs} differ)`]),
    ...(open.length > 0 ? [`circuit open: ${open.join(', ')}`] : []),
  ].join('  ');
}

function unrecorded({ dropped, failed }: RecordingCounts): string {
  return dropped + failed === 0 ? '' : ` (${dropped + failed} not)`;
}

function answersByClass(report: LedgerReport): string {
  const sums = new Map<string, number>();
  for (const target of Object.values(report.targets)) {
    for (const [name, count] of Object.entries(target.responses)) {
      if (total(count) > 0) sums.set(name, (sums.get(name) ?? 0) + total(count));
    }
  }
  return [...sums].map(([name, count]) => `${name} ${count}`).join(' ');
}
