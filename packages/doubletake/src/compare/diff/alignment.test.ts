import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { align, newEffort } from './alignment.ts';

/** Length of the longest common subsequence, by the table of every textbook. */
function longestCommon(a: readonly number[], b: readonly number[]): number {
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const value of a) {
    const next = [0];
    for (const [j, other] of b.entries()) next.push(value === other ? row[j] + 1 : Math.max(row[j + 1], next[j]));
    row = next;
  }
  return row[b.length];
}

const sequence = fc.array(fc.nat(4), { maxLength: 30 });

describe('aligning two sequences', () => {
  it('pairs as many equal elements as there can be, each index once and in order', () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const pairs = align(a, b, newEffort());
        expect(pairs.map(([i]) => i).filter((i) => i >= 0)).toEqual([...a.keys()]);
        expect(pairs.map(([, j]) => j).filter((j) => j >= 0)).toEqual([...b.keys()]);
        expect(pairs.filter(([i, j]) => i >= 0 && j >= 0 && a[i] === b[j]).length).toBeGreaterThanOrEqual(longestCommon(a, b));
      }),
      { numRuns: 1_000 },
    );
  });

  it('pairs the same elements whichever side is which', () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        expect(align(b, a, newEffort()).map(([i, j]) => [j, i])).toEqual(align(a, b, newEffort()));
      }),
    );
  });

  it('takes elements by position once the effort is spent', () => {
    const effort = { steps: 0 };
    expect(align([1, 2, 3], [9, 1, 2, 8], effort)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [-1, 3],
    ]);
  });

  it('spends no more than it may on sequences that are made to be hard', () => {
    let state = 1;
    const random = (): number => (state = Math.imul(state, 1_664_525) + 1_013_904_223) >>> 30;
    const [a, b] = [0, 1].map(() => Array.from({ length: 20_000 }, random));
    const effort = newEffort();
    align(a, b, effort);
    expect(effort.steps).toBeLessThan(newEffort().steps);
    expect(effort.steps).toBeGreaterThan(-20_000);
  });
});
