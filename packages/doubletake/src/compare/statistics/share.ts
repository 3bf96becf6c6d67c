/**
 * How large a share is of which `count` of `total` are known, under continuous looking: an e-process against 'at most
 * the limit' and a confidence sequence, both from a beta mixture of likelihood ratios (Robbins 1970; Howard, Ramdas,
 * McAuliffe and Sekhon 2021, section 4.1; as a prior-posterior ratio Waudby-Smith and Ramdas 2020). See docs/statistics.md.
 */
import type { Estimate } from '../report.ts';
import { logBeta, logBetaParts, timesLog, timesLogRest } from './special-functions.ts';

/** The mixture's weights: a beta distribution with most of its mass near 0, since most shares here are 0. */
const priorCount = 0.1;
const priorRest = 1;

/**
 * Logarithm of an e-value against 'the share is at most `limit`': a gambler's capital who begins with 1 and bets on
 * larger shares at odds that are fair if it is not. Also where the share drifts, as long as its average keeps the limit.
 */
export function shareAboveLogE(count: number, total: number, limit: number): number {
  if (total === 0 || limit >= 1) return 0;
  if (limit <= 0) return count > 0 ? Infinity : 0;
  const a = priorCount + count;
  const b = priorRest + total - count;
  const prior = logBeta(priorCount, priorRest) + logBetaParts(limit, priorCount, priorRest).above;
  const posterior = logBeta(a, b) + logBetaParts(limit, a, b).above;
  return posterior - prior - logLikelihood(count, total, limit);
}

/** The share with the interval that holds it at all times together but for a probability of `alpha`. */
export function shareEstimate(count: number, total: number, alpha: number): Estimate {
  if (total === 0) return { value: 0, low: 0, high: 1 };
  const value = count / total;
  const mixture = logBeta(priorCount + count, priorRest + total - count) - logBeta(priorCount, priorRest);
  const isOut = (share: number): boolean => mixture - logLikelihood(count, total, share) >= -Math.log(alpha);
  return {
    value,
    low: count === 0 ? 0 : boundary(0, value, isOut),
    high: count === total ? 1 : boundary(1, value, isOut),
  };
}

function logLikelihood(count: number, total: number, share: number): number {
  return timesLog(count, share) + timesLogRest(total - count, share);
}

/** The point between one that is out and one that is in at which that changes, on the side that is out. */
export function boundary(out: number, into: number, isOut: (value: number) => boolean): number {
  let [outside, inside] = [out, into];
  for (let step = 0; step < 60; step++) {
    const middle = (outside + inside) / 2;
    if (middle === outside || middle === inside) break;
    if (isOut(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}
