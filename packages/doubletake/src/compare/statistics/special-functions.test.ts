import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logBeta, logBetaParts, logGamma } from './special-functions.ts';

/** All expected values to 15 digits, by mpmath with 60 (the last of `logBetaParts` by SciPy's boost). */

function expectClose(actual: number, expected: number, relative = 1e-13): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(expected)));
}

test.each([
  [0.001, 6.907178885383853],
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247001],
  [1, 0],
  [3.7, 1.4280723266653879],
  [10, 12.80182748008147],
  [171.5, 709.1431630309282],
  [1e5, 1051287.7089736569],
  [1e9, 19723265827.503716],
])('log gamma(%d)', (x, expected) => {
  expectClose(logGamma(x), expected);
});

describe('log beta', () => {
  test.each([
    [0.1, 1, 2.302585092994046],
    [0.5, 0.5, 1.1447298858494002],
    [3, 9.5, -6.351866910579232],
    [0.1, 1e9, 0.18038606808456484],
    [5.5, 1e6, -72.02750647616416],
    [10, 10, -13.736229227036555],
    [12, 3000, -78.59607490847267],
    [1e6, 1e9, -7908261.100715666],
    [5e8, 5e8, -693147189.3094925],
  ])('of %d and %d', (a, b, expected) => {
    expectClose(logBeta(a, b), expected);
    expectClose(logBeta(b, a), expected);
  });

  test('B(a, b) = B(a + 1, b) + B(a, b + 1)', () => {
    const argument = fc.double({ min: 0.01, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(argument, argument, (a, b) => {
        const whole = logBeta(a, b);
        expect(Math.exp(logBeta(a + 1, b) - whole) + Math.exp(logBeta(a, b + 1) - whole)).toBeCloseTo(1, 10);
      }),
    );
  });
});

describe('parts of a beta distribution', () => {
  test.each([
    [0.5, 0.5, 0.5, -0.693147180559945, -0.693147180559945],
    [0.1, 2, 3, -2.95075890791126, -0.0537172825059879],
    [0.001, 0.1, 1, -0.690775527898214, -0.695524471332314],
    [0.001, 5.1, 5000, -0.612157541972066, -0.781278814997755],
    [0.001, 50.1, 5000, -72.8907131334724, -2.20782935888816e-32],
    [0.9, 30, 2, -1.7745211086149, -0.185805177280996],
    [0.02, 5, 2000, -3.35668173399512e-13, -28.7226533020934],
    [0.5, 1000, 1000, -0.693147180559945, -0.693147180559945],
  ])('at %d of %d and %d', (x, a, b, below, above) => {
    const parts = logBetaParts(x, a, b);
    expectClose(parts.below, below, 1e-12);
    expectClose(parts.above, above, 1e-12);
    if (above > -1e-6) expectClose(parts.above / above, 1, 1e-9);
  });

  test('also after a billion pairs', () => {
    const { below, above } = logBetaParts(0.001, 1.0002e6, 1e9 - 1.0002e6);
    expectClose(below, -0.8655170464, 1e-6);
    expectClose(above, -0.5461659784, 1e-6);
  });

  test('at the ends', () => {
    expect(logBetaParts(0, 2, 3)).toEqual({ below: -Infinity, above: 0 });
    expect(logBetaParts(1, 2, 3)).toEqual({ below: 0, above: -Infinity });
  });
});
