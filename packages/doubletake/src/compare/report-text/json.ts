/** The contract of `doubletake report RUN --format json`. */
import type { RunReport } from '../report.ts';

/** The whole report as one JSON object, with a line end at the end. */
export function jsonReport(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
