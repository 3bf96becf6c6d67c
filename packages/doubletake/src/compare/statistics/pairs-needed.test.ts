import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairsNeeded } from './pairs-needed.ts';

test('is what is missing, at most a few percent more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 1.01, max: 1000, noNaN: true }), (pairs, growth) => {
      const missing = pairs * (growth - 1);
      const needed = pairsNeeded(pairs, (factor) => factor >= growth) ?? 0;
      expect(needed).toBeGreaterThanOrEqual(missing - 1e-6);
      expect(needed).toBeLessThanOrEqual(missing * 1.11 + pairs * 0.01 + 1);
    }),
  );
});

test.each([
  ['no pairs yet', 0, () => true, null],
  ['enough of them', 100, () => true, 0],
  ['never', 100, () => false, null],
])('%s', (_, pairs, isMade, expected) => {
  expect(pairsNeeded(pairs, isMade)).toBe(expected);
});
