import type { Verdict } from '../compare/report.ts';
import { ExitCode } from './exit-code.ts';

/** The exit code that stands for a verdict. */
export const verdictCodes: Readonly<Record<Verdict, number>> = {
  SAFE: ExitCode.ok,
  REGRESSION: ExitCode.regression,
  INSUFFICIENT: ExitCode.insufficient,
};
