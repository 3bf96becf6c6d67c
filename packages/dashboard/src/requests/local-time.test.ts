import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoToLocal, localToIso } from './local-time.ts';

test('a time of the address comes back from the field to the second', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('2020-01-01'), max: new Date('2039-01-01'), noInvalidDate: true }), (date) => {
      const iso = new Date(Math.floor(date.getTime() / 1_000) * 1_000).toISOString();
      expect(localToIso(isoToLocal(iso))).toBe(iso);
    }),
  );
});

test('what is no time is none', () => {
  expect([isoToLocal(''), isoToLocal('soon'), localToIso(''), localToIso('2026-13-45T99:00')]).toEqual(['', '', '', '']);
});
