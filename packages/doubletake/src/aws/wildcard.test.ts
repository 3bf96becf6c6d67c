import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsWildcard } from './wildcard.ts';

test('as a regular expression would have it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (value, pattern) => {
      const expression = new RegExp(`^${pattern.split('*').map((piece) => piece.replaceAll('.', '\\.')).join('.*')}$`);
      expect(fitsWildcard(value, pattern)).toBe(expression.test(value));
    }),
    { numRuns: 2_000 },
  );
});
