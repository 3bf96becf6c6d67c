import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketsOf } from '../../../test/support/ledgers.ts';
import { type HistorySpan, HistoryRing } from './history.ts';

function spanAt(second: number, more: Partial<HistorySpan> = {}): HistorySpan {
  const answers = { answers: 0, errors: 0, latencies: [] };
  return { endMs: second * 1_000, ms: 1_000, captured: 0, replayed: 0, lost: 0, pairs: 0, mismatches: 0, production: answers, candidate: answers, ...more };
}

function filled(seconds: number, capturedAt: (second: number) => number = () => 1): HistoryRing {
  const ring = new HistoryRing(1_000);
  for (let second = 1; second <= seconds; second++) ring.add(spanAt(second, { captured: capturedAt(second) }));
  return ring;
}

describe('what is drawn over time', () => {
  test('is empty at first', () => {
    expect(new HistoryRing(1_000).points(900)).toEqual({ everyMs: 1_000, points: [] });
  });

  test.each([
    [60, 1_000, 60],
    [900, 1_000, 900],
    [901, 10_000, 91],
    [9_000, 10_000, 900],
    [86_400, 100_000, 864],
  ])('%i s are told each %i ms, in %i points', (seconds, everyMs, count) => {
    const { everyMs: told, points } = filled(100_000).points(seconds);
    expect([told, points.length]).toEqual([everyMs, count]);
    expect(points.at(-1)?.t).toBe(100_000);
    expect(points.every(({ captured }) => captured === 1)).toBe(true);
  });

  test('never in more than a thousand points, in order, and nothing of it is counted twice or left out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12_000 }), fc.integer({ min: 1, max: 86_400 }), (length, seconds) => {
        const { everyMs, points } = filled(length, (second) => second % 7).points(seconds);
        expect(points.length).toBeLessThanOrEqual(1_000);
        const times = points.map(({ t }) => t);
        expect(times).toEqual([...times].toSorted((one, other) => one - other));
        expect(times.at(-1)).toBe(length);
        // Only the last point may stand for less time than the others.
        const every = everyMs / 1_000;
        const first = (times[0] ?? 0) - (points.length === 1 ? length % every || every : every);
        let sum = 0;
        for (let second = first + 1; second <= length; second++) sum += second % 7;
        const drawn = points.reduce((whole, { captured, t }, index) => whole + captured * (t - (times[index - 1] ?? first)), 0);
        expect(drawn).toBeCloseTo(sum, 6);
      }),
      { numRuns: 30 },
    );
  });

  test('shares are of what was counted together, and null of nothing', () => {
    const ring = new HistoryRing(1_000);
    for (let second = 1; second <= 10; second++) {
      const busy = second === 3;
      ring.add(
        spanAt(second, {
          pairs: busy ? 4 : 0,
          mismatches: busy ? 1 : 0,
          candidate: { answers: busy ? 10 : 0, errors: busy ? 5 : 0, latencies: bucketsOf(...(busy ? [10, 10, 200] : [])) },
        }),
      );
    }
    const fine = ring.points(10).points;
    expect(fine.map(({ match }) => match)).toEqual([null, null, 0.75, null, null, null, null, null, null, null]);
    const [coarse] = ring.points(1_000).points;
    expect(coarse).toMatchObject({ match: 0.75, candidateErrors: 0.5, productionErrors: null, captured: 0 });
    expect(coarse?.candidate.p50).toBeCloseTo(10, -1);
    expect(coarse?.candidate.p99).toBeGreaterThan(180);
    expect(coarse?.production).toEqual({ p50: null, p90: null, p99: null });
  });
});
