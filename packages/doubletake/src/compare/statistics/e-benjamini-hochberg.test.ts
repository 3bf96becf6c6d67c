import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eBenjaminiHochberg, rejectionThreshold } from './e-benjamini-hochberg.ts';

describe('e-BH', () => {
  test('rejects the largest number k of hypotheses of which each has an e-value of at least m / (alpha k)', () => {
    const eValue = fc.oneof(fc.double({ min: 0, max: 500, noNaN: true }), fc.constantFrom(0, 1, 20, 40, 60, Infinity));
    fc.assert(
      fc.property(fc.array(eValue, { maxLength: 12 }), fc.constantFrom(0.01, 0.05, 0.2), (eValues, alpha) => {
        const m = eValues.length;
        let rejected = 0;
        for (let k = 1; k <= m; k++) if (eValues.filter((value) => value >= m / (alpha * k)).length >= k) rejected = k;
        const decisions = eBenjaminiHochberg(eValues, alpha);
        expect(decisions.filter(Boolean)).toHaveLength(rejected);
        const least = Math.min(...eValues.filter((_, index) => decisions[index]));
        expect(eValues.every((value, index) => decisions[index] === value >= least)).toBe(true);
      }),
    );
  });

  test.each([
    [[], 0.05, []],
    [[19.9], 0.05, [false]],
    [[20], 0.05, [true]],
    [[39, 1], 0.05, [false, false]],
    [[40, 1], 0.05, [true, false]],
    [[20, 20], 0.05, [true, true]],
    [[59, 30, 1], 0.05, [true, true, false]],
    [[Infinity, 0], 0.05, [true, false]],
  ])('%j at %d', (eValues, alpha, expected) => {
    expect(eBenjaminiHochberg(eValues, alpha)).toEqual(expected);
  });

  test('has no threshold where nothing is rejected', () => {
    expect(rejectionThreshold([1, 2, 3], 0.05)).toBe(Infinity);
    expect(rejectionThreshold([1, 2, 60], 0.05)).toBe(60);
  });
});
