/**
 * Is a time that of the answer, or reckoned from it, such as when something ends? Two versions never answer at the same
 * moment, and a replay comes later than a request that is sent twice does the second time, so such times differ more
 * often between the versions than by themselves. They are held against when each answer was given, by its own Date field
 * (RFC 9110 section 6.6.1), and so each by its own clock.
 */
import type { Difference } from '../difference.ts';
import type { Answer, Pair } from '../pair.ts';
import { shapeOf } from './value-shape.ts';

/** What whole seconds on both sides, and the time that it takes to answer, make of the same moment. */
const toleranceMs = 2_000;

/** Whether two values are times that lie equally long after their answers; false when an answer does not say its time. */
export function isTimeOfAnswer({ kind, baseline, candidate, baselineType, candidateType }: Difference, pair: Pair): boolean {
  if (kind !== 'value') return false;
  const before = shapeOf(baseline, baselineType);
  if (before.timeMs === null || !before.fresh) return false;
  const after = shapeOf(candidate, candidateType);
  if (after.timeMs === null || after.name !== before.name) return false;
  const [left, right] = [before.timeMs - dateMs(pair.baseline), after.timeMs - dateMs(pair.candidate)];
  // What lies in the past happened to the thing.
  return left >= -toleranceMs && Math.abs(left - right) <= toleranceMs;
}

/** NaN, with which nothing compares, where there is none. */
function dateMs({ headers }: Answer): number {
  return Date.parse(headers.find(([name]) => name.length === 4 && name.toLowerCase() === 'date')?.[1] ?? '');
}
