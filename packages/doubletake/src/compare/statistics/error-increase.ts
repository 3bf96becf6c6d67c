/**
 * By how much errors became more frequent, from pairs: some had an error with the candidate alone, some with the
 * baseline alone, the others say nothing about the difference (as in McNemar's test).
 *
 * The e-value of an increase is the likelihood of what came under a Dirichlet mixture, through the largest likelihood
 * under any rates with that increase (universal inference: Wasserman, Ramdas and Balakrishnan 2020, section 8).
 */
import type { Estimate } from '../report.ts';
import { boundary } from './share.ts';
import { logBeta, timesLog } from './special-functions.ts';

export interface PairedErrors {
  /** All pairs; the next three are some of them. */
  pairs: number;
  baselineOnly: number;
  candidateOnly: number;
  both: number;
}

/** The mixture's weights of an error on one side and of none: most pairs have none. */
const priorError = 0.1;
const priorRest = 1;

/** Logarithm of an e-value against 'the share of errors grew by at most `limit`', `limit` from 0. */
export function increaseAboveLogE(errors: Readonly<PairedErrors>, limit: number): number {
  if (errors.pairs === 0 || limit >= 1) return 0;
  const value = (errors.candidateOnly - errors.baselineOnly) / errors.pairs;
  return logMixture(errors) - logLikelihoodMax(errors, Math.min(value, limit));
}

/** The increase with the interval that holds it at all times together but for a probability of `alpha`. */
export function increaseEstimate(errors: Readonly<PairedErrors>, alpha: number): Estimate {
  const { pairs, baselineOnly, candidateOnly } = errors;
  if (pairs === 0) return { value: 0, low: -1, high: 1 };
  const value = (candidateOnly - baselineOnly) / pairs;
  const isOut = (increase: number): boolean => isIncreaseOut(errors, increase, alpha);
  return {
    value,
    low: baselineOnly === pairs ? -1 : boundary(-1, value, isOut),
    high: candidateOnly === pairs ? 1 : boundary(1, value, isOut),
  };
}

/** Whether an increase lies outside the interval of `increaseEstimate`. */
export function isIncreaseOut(errors: Readonly<PairedErrors>, increase: number, alpha: number): boolean {
  return logMixture(errors) - logLikelihoodMax(errors, increase) >= -Math.log(alpha);
}

function logMixture({ pairs, baselineOnly, candidateOnly }: Readonly<PairedErrors>): number {
  const rest = priorRest + pairs - baselineOnly - candidateOnly;
  const candidate = logBeta(priorError + candidateOnly, priorError + baselineOnly + rest) - logBeta(priorError, priorError + priorRest);
  return candidate + logBeta(priorError + baselineOnly, rest) - logBeta(priorError, priorRest);
}

/** Largest log likelihood with a share of `rate + increase` on the candidate's side and `rate` on the other. */
function logLikelihoodMax(errors: Readonly<PairedErrors>, increase: number): number {
  const { pairs } = errors;
  const d = Math.abs(increase);
  const [more, fewer] = increase < 0 ? [errors.baselineOnly, errors.candidateOnly] : [errors.candidateOnly, errors.baselineOnly];
  const rest = pairs - more - fewer;
  // Where the derivative vanishes: 2 pairs rate^2 - b rate - c = 0, whose larger root is the rate.
  const b = (more + fewer) * (1 - d) - 2 * d * (fewer + rest);
  const c = fewer * d * (1 - d);
  const root = Math.sqrt(b * b + 8 * pairs * c);
  const rate = b > 0 ? (b + root) / (4 * pairs) : c === 0 ? 0 : (2 * c) / (root - b);
  return timesLog(more, rate + d) + timesLog(fewer, rate) + timesLog(rest, Math.max(0, 1 - d - 2 * rate));
}
