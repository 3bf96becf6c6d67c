import { describe, expect, test } from 'vitest';
import { increaseAboveLogE, increaseEstimate, isIncreaseOut, type PairedErrors } from './error-increase.ts';

function errorsOf(pairs: number, candidateOnly: number, baselineOnly: number): PairedErrors {
  return { pairs, candidateOnly, baselineOnly, both: 0 };
}

/** The probability that errors with these rates are ever `out` on the way: exactly, by following every pair of counts. */
function probabilityEver(candidate: number, baseline: number, pairs: number, out: (errors: PairedErrors) => boolean): number {
  const width = pairs + 2;
  let likely = new Float64Array(width * width);
  likely[0] = 1;
  let ever = 0;
  for (let total = 1; total <= pairs; total++) {
    const next = new Float64Array(width * width);
    for (let more = 0; more <= total; more++) {
      for (let fewer = 0; fewer + more <= total; fewer++) {
        const at = more * width + fewer;
        const fromMore = more > 0 ? (likely[at - width] ?? 0) * candidate : 0;
        const fromFewer = fewer > 0 ? (likely[at - 1] ?? 0) * baseline : 0;
        const probability = (likely[at] ?? 0) * (1 - candidate - baseline) + fromMore + fromFewer;
        if (probability < 1e-12) continue;
        if (out(errorsOf(total, more, fewer))) ever += probability;
        else next[at] = probability;
      }
    }
    likely = next;
  }
  return ever;
}

const rates: [candidate: number, baseline: number][] = [
  [0, 0],
  [0.01, 0.01],
  [0.1, 0.1],
  [0.45, 0.45],
  [0.3, 0.05],
];

describe('looked at after each of 80 pairs', () => {
  test.each(rates)('the interval hardly ever misses what errors of %d and %d come to', (candidate, baseline) => {
    const increase = candidate - baseline;
    expect(probabilityEver(candidate, baseline, 80, (errors) => isIncreaseOut(errors, increase, 0.05))).toBeLessThanOrEqual(0.05);
  });

  test.each(rates)('errors of %d and %d are hardly ever said to grow by more than they do', (candidate, baseline) => {
    const limit = Math.max(0, candidate - baseline);
    const ever = probabilityEver(candidate, baseline, 80, (errors) => increaseAboveLogE(errors, limit) >= Math.log(20));
    expect(ever).toBeLessThanOrEqual(0.05);
  });
});

describe('the increase', () => {
  test.each([
    [5000, 0, 0, -0.001, 0.001],
    [5000, 50, 0, 0.005, 0.017],
    [5000, 50, 50, -0.01, 0.01],
    [1e9, 1e6, 1e6, -0.0001, 0.0001],
    [10, 10, 0, -0.2, 1],
  ])('of %d pairs, %d with an error here alone and %d there alone', (pairs, candidateOnly, baselineOnly, low, high) => {
    const errors = errorsOf(pairs, candidateOnly, baselineOnly);
    const estimate = increaseEstimate(errors, 0.05);
    expect(estimate.value).toBe((candidateOnly - baselineOnly) / pairs);
    expect(estimate.low).toBeGreaterThanOrEqual(low);
    expect(estimate.low).toBeLessThanOrEqual(estimate.value);
    expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
    expect(estimate.high).toBeLessThanOrEqual(high);
    const mirrored = increaseEstimate(errorsOf(pairs, baselineOnly, candidateOnly), 0.05);
    expect(mirrored.low).toBeCloseTo(-estimate.high, 9);
    expect(mirrored.high).toBeCloseTo(-estimate.low, 9);
  });

  test('of nothing is unknown', () => {
    expect(increaseEstimate(errorsOf(0, 0, 0), 0.05)).toEqual({ value: 0, low: -1, high: 1 });
    expect(increaseAboveLogE(errorsOf(0, 0, 0), 0.001)).toBe(0);
  });

  test('is evidence where errors came, and none where they went', () => {
    expect(increaseAboveLogE(errorsOf(5000, 50, 0), 0.001)).toBeGreaterThan(Math.log(1000));
    expect(increaseAboveLogE(errorsOf(5000, 0, 50), 0.001)).toBeLessThan(0);
    expect(increaseAboveLogE(errorsOf(5000, 50, 50), 0.001)).toBeLessThan(0);
    expect(increaseAboveLogE(errorsOf(5000, 0, 0), 0.001)).toBeLessThan(0);
    expect(increaseAboveLogE(errorsOf(5000, 2500, 0), 1)).toBe(0);
  });
});
