import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlidingWindow } from './sliding-window.ts';

test('sums hold all of the last nine tenths of the window, and nothing from before it', () => {
  const addition = fc.record({ afterMs: fc.integer({ min: 0, max: 700 }), column: fc.nat(1), amount: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(addition, { maxLength: 100 }), fc.integer({ min: 0, max: 10_000 }), (additions, startMs) => {
      const window = new SlidingWindow(1_000, 2);
      let nowMs = startMs;
      const added = additions.map(({ afterMs, column, amount }) => {
        nowMs += afterMs;
        window.advance(nowMs);
        window.add(column, amount);
        return { atMs: nowMs, column, amount };
      });
      for (const column of [0, 1]) {
        const since = (ms: number): number =>
          added.filter((each) => each.column === column && each.atMs > nowMs - ms).reduce((sum, { amount }) => sum + amount, 0);
        expect(window.total(column)).toBeGreaterThanOrEqual(since(900));
        expect(window.total(column)).toBeLessThanOrEqual(since(1_000));
      }
      window.clear();
      expect([window.total(0), window.total(1)]).toEqual([0, 0]);
    }),
  );
});
