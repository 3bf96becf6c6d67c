import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DiscordanceTest, type PairCounts } from './discordance-test.ts';

const rate = fc.double({ min: 0, max: 1, noNaN: true });

const block = fc
  .record({ candidatePairs: fc.nat(60), candidate: rate, noisePairs: fc.nat(60), noise: rate })
  .map(
    ({ candidatePairs, candidate, noisePairs, noise }): PairCounts => ({
      candidatePairs,
      candidateDiffer: Math.round(candidate * candidatePairs),
      noisePairs,
      noiseDiffer: Math.round(noise * noisePairs),
    }),
  );

/** Of so many pairs, each with its own probability of differing, how likely every count is. */
function likelihoods(rates: readonly number[]): number[] {
  let likely = [1];
  for (const share of rates) {
    const before = likely;
    likely = [...before, 0].map((value, count) => value * (1 - share) + (before[count - 1] ?? 0) * share);
  }
  return likely;
}

describe('an e-value against noise', () => {
  test('is expected not to grow where the hypothesis holds, whatever came before and however rates drift', () => {
    const rates = fc.array(rate, { minLength: 1, maxLength: 6 });
    const allowances = fc.constantFrom(0, 0.001, 0.1);
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), rates, rates, allowances, (past, candidates, noises, allowed) => {
        const before = new DiscordanceTest(allowed);
        for (const counts of past) before.push(counts);
        // The candidate's rates in the mean as high as the hypothesis permits.
        const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
        const scale = Math.min(1, (mean(noises) + allowed) / Math.max(1e-9, mean(candidates)));
        const candidateLikely = likelihoods(candidates.map((share) => share * scale));
        const noiseLikely = likelihoods(noises);
        let expected = 0;
        for (const [candidateDiffer, candidateProbability] of candidateLikely.entries()) {
          for (const [noiseDiffer, noiseProbability] of noiseLikely.entries()) {
            const tested = before.copy();
            tested.push({ candidatePairs: candidates.length, candidateDiffer, noisePairs: noises.length, noiseDiffer });
            expected += candidateProbability * noiseProbability * Math.exp(tested.logE - before.logE);
          }
        }
        expect(expected).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  test('is expected to grow no more where both pairs of a request differ together', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), rate, fc.integer({ min: 1, max: 8 }), (past, share, requests) => {
        const before = new DiscordanceTest(0);
        for (const counts of past) before.push(counts);
        let expected = 0;
        for (const [differ, probability] of likelihoods(Array.from({ length: requests }, () => share)).entries()) {
          const tested = before.copy();
          tested.push({ candidatePairs: requests, candidateDiffer: differ, noisePairs: requests, noiseDiffer: differ });
          expected += probability * Math.exp(tested.logE - before.logE);
        }
        expect(expected).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  function after(blocks: number, counts: PairCounts, allowed = 0): DiscordanceTest {
    const tested = new DiscordanceTest(allowed);
    for (let index = 0; index < blocks; index++) tested.push(counts);
    return tested;
  }

  const half = { candidatePairs: 100, noisePairs: 50 };

  test('grows when the candidate alone differs', () => {
    expect(after(50, { ...half, candidateDiffer: 1, noiseDiffer: 0 }).logE).toBeGreaterThan(Math.log(1000));
    expect(after(2, { ...half, candidateDiffer: 100, noiseDiffer: 0 }).logE).toBeGreaterThan(Math.log(1000));
  });

  test.each([
    ['both differ alike', { ...half, candidateDiffer: 20, noiseDiffer: 10 }, 0],
    ['all differ', { ...half, candidateDiffer: 100, noiseDiffer: 50 }, 0],
    ['noise differs more', { ...half, candidateDiffer: 5, noiseDiffer: 20 }, 0],
    ['the candidate differs as much more as is allowed', { ...half, candidateDiffer: 10, noiseDiffer: 0 }, 0.1],
    ['no noise pair was compared', { candidatePairs: 100, candidateDiffer: 100, noisePairs: 0, noiseDiffer: 0 }, 0],
    ['no candidate pair was compared', { candidatePairs: 0, candidateDiffer: 0, noisePairs: 10, noiseDiffer: 0 }, 0],
  ])('does not grow when %s', (_, counts, allowed) => {
    expect(after(50, counts, allowed).logE).toBeLessThanOrEqual(0);
  });

  test('keeps its value and finite numbers after a billion pairs', () => {
    const many = { candidatePairs: 1e9, candidateDiffer: 1e9, noisePairs: 1e9, noiseDiffer: 0 };
    expect(after(3, many).logE).toBeGreaterThan(1e9);
    expect(after(3, { ...many, noiseDiffer: 1e9 }).logE).toBeLessThanOrEqual(0);
  });

  test('is evidence by what is beyond the allowance', () => {
    const counts = { ...half, candidateDiffer: 10, noiseDiffer: 0 };
    expect(after(20, counts, 0.05).logE).toBeGreaterThan(Math.log(1000));
    expect(after(20, counts, 0.05).logE).toBeLessThan(after(20, counts).logE);
  });

  test('adds up what it was given', () => {
    expect(after(3, { candidatePairs: 10, candidateDiffer: 2, noisePairs: 5, noiseDiffer: 1 }).counts).toEqual({
      candidatePairs: 30,
      candidateDiffer: 6,
      noisePairs: 15,
      noiseDiffer: 3,
    });
  });
});

describe('more noise pairs', () => {
  const needed = Math.log(200);
  const wanted = (counts: PairCounts): boolean => {
    const tested = new DiscordanceTest(0);
    tested.push(counts);
    return tested.wantsNoise(needed);
  };

  test.each([
    ['nothing differs', { candidatePairs: 500, candidateDiffer: 0, noisePairs: 0, noiseDiffer: 0 }, false],
    ['the candidate differs', { candidatePairs: 500, candidateDiffer: 1, noisePairs: 0, noiseDiffer: 0 }, true],
    ['the candidate differs more', { candidatePairs: 500, candidateDiffer: 10, noisePairs: 100, noiseDiffer: 1 }, true],
    ['noise differs as much', { candidatePairs: 500, candidateDiffer: 10, noisePairs: 100, noiseDiffer: 2 }, false],
    ['many said little', { candidatePairs: 5000, candidateDiffer: 51, noisePairs: 500, noiseDiffer: 5 }, false],
    ['many said much, not enough yet', { candidatePairs: 5000, candidateDiffer: 51, noisePairs: 500, noiseDiffer: 0 }, true],
  ])('when %s', (_, counts, expected) => {
    expect(wanted(counts)).toBe(expected);
  });

  test('are not wanted when it is decided', () => {
    const tested = new DiscordanceTest(0);
    for (let index = 0; index < 5; index++) tested.push({ candidatePairs: 50, candidateDiffer: 50, noisePairs: 10, noiseDiffer: 0 });
    expect(tested.logE).toBeGreaterThan(needed);
    expect(tested.wantsNoise(needed)).toBe(false);
  });
});
