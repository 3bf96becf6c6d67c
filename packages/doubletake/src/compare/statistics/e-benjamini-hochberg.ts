/**
 * The e-BH procedure (Wang and Ramdas 2022): which of many hypotheses are rejected so that, in the mean, at most a share
 * `alpha` of the rejected ones hold. It needs e-values, and nothing else: they may depend on each other in any way, and
 * may have been looked at and stopped at any time.
 */

/** The e-value from which on hypotheses are rejected; Infinity where none is. */
export function rejectionThreshold(eValues: readonly number[], alpha: number): number {
  const sorted = eValues.toSorted((a, b) => b - a);
  for (let rank = sorted.length; rank > 0; rank--) {
    const needed = sorted.length / (alpha * rank);
    if ((sorted[rank - 1] ?? 0) >= needed) return needed;
  }
  return Infinity;
}

/** Whether each is rejected. */
export function eBenjaminiHochberg(eValues: readonly number[], alpha: number): boolean[] {
  const threshold = rejectionThreshold(eValues, alpha);
  return eValues.map((value) => value >= threshold);
}
