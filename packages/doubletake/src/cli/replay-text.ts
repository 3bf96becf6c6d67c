/** What `replay` says while it runs: how far it is, how fast, how long still, and how far behind its schedule. */
import type { LedgerReport } from '../ledger/report.ts';
import { lost, replayed } from './progress-fields.ts';
import type { ReportView } from './reporter.ts';

const barLength = 24;

/** `startMs` on the monotonic clock. */
export function replayView(startMs: number): ReportView<LedgerReport> {
  return {
    line: (before, now, seconds) => {
      const { done, lagMs, spared } = progressOf(now);
      const rate = Math.round((replayed(now) - replayed(before)) / seconds);
      const left = leftSeconds(done, (performance.now() - startMs) / 1_000);
      return [
        ...(now.replay === 'stopped' ? ['REPLAY STOPPED'] : []),
        ...(done === null ? [] : [`[${'#'.repeat(Math.round(done * barLength)).padEnd(barLength, '.')}] ${Math.floor(done * 100)} %`]),
        `${rate}/s`,
        ...(left === null ? [] : [`${clock(left)} left`]),
        `replayed ${replayed(now)}`,
        `lost ${lost(now)}`,
        ...(lagMs === null ? [] : [`lag ${Math.round(lagMs)} ms`]),
        ...(spared.length > 0 ? [`waiting for ${spared.join(', ')}: circuit open`] : []),
        ...(now.comparison === undefined ? [] : [`${now.comparison.verdict} (${now.comparison.mismatches} of ${now.comparison.pairs} differ)`]),
      ].join('  ');
    },
    fields: (_before, report) => {
      const { done, lagMs, spared } = progressOf(report);
      const leftS = leftSeconds(done, (performance.now() - startMs) / 1_000);
      const { captured, outcomes, inFlight, comparison } = report;
      return {
        ...(done === null ? {} : { percent: Math.floor(done * 100) }),
        ...(leftS === null ? {} : { leftSeconds: Math.round(leftS) }),
        captured,
        replayed: replayed(report),
        lost: lost(report),
        ...(lagMs === null ? {} : { lagP99Ms: Math.round(lagMs * 10) / 10 }),
        ...(spared.length > 0 ? { waitingFor: spared } : {}),
        inFlight,
        outcomes,
        ...(comparison === undefined ? {} : { comparison }),
      };
    },
  };
}

interface Progress {
  /** From 0 to 1; null where it is not known. */
  done: number | null;
  /** The 99th percentile, of the target that is most behind; null where no target has a pace. */
  lagMs: number | null;
  /** Names of the targets whose circuit breaker is open, on which all wait. */
  spared: string[];
}

/** What was read and waits to be sent is not done. */
function progressOf({ files, captured, inFlight, targets }: LedgerReport): Progress {
  const read = files.total > 0 ? Math.min(1, files.done / files.total) : null;
  const lags = Object.values(targets).flatMap(({ lagMs }) => (lagMs.p99 === null ? [] : [lagMs.p99]));
  return {
    done: read === null ? null : captured === 0 ? 0 : read * (1 - inFlight / captured),
    lagMs: lags.length === 0 ? null : Math.max(...lags),
    spared: Object.entries(targets).flatMap(([name, { circuit }]) => (circuit.openNow > 0 ? [name] : [])),
  };
}

function leftSeconds(done: number | null, seconds: number): number | null {
  return done === null || done <= 0 ? null : (seconds / done) * (1 - done);
}

/** `1:02:03` or `2:03`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  const rest = two(whole % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
