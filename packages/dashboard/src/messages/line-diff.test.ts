import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LinePair, pairedLines } from './line-diff.ts';

const whole = (line: string): string => line;
const rows = (left: string[], right: string[], labelOf = (): string => ''): string[] =>
  pairedLines(left, right, whole, labelOf).map(({ left: i, right: j, same }) => `${i === null ? '-' : left[i]}${same ? '=' : '|'}${j === null ? '-' : right[j]}`);

describe('lines side by side', () => {
  test.each([
    ['equal texts', 'abc', 'abc', ['a=a', 'b=b', 'c=c']],
    ['a line more', 'ac', 'abc', ['a=a', '-|b', 'c=c']],
    ['a line less', 'abc', 'ac', ['a=a', 'b|-', 'c=c']],
    ['a changed line', 'abc', 'axc', ['a=a', 'b|x', 'c=c']],
    ['nothing in common', 'ab', 'x', ['a|x', 'b|-']],
    ['an empty text', '', 'ab', ['-|a', '-|b']],
    ['a line that moved', 'abcd', 'bcda', ['a|-', 'b=b', 'c=c', 'd=d', '-|a']],
  ])('%s', (_, left, right, expected) => {
    expect(rows(left.split(''), right.split(''))).toEqual(expected);
  });

  test('changed lines stand beside the line of the same name', () => {
    expect(rows(['a1', 'b1', 'c1'], ['b2', 'c2', 'd2'], ([name = '']: string = '') => name)).toEqual(['a1|-', 'b1|b2', 'c1|c2', '-|d2']);
  });

  test('every line of both sides stands once and in order, and as many are the same as can be', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 24 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const pairs = pairedLines(left, right, whole, whole);
        expect(sideOf(pairs, 'left')).toEqual([...left.keys()]);
        expect(sideOf(pairs, 'right')).toEqual([...right.keys()]);
        const same = pairs.filter((pair) => pair.same);
        for (const { left: i, right: j } of same) expect(left[i ?? -1]).toBe(right[j ?? -1]);
        expect(same.length).toBe(longestCommon(left, right));
      }),
    );
  });

  test('texts with nothing in common are not looked through for ever', () => {
    const [left, right] = ['a', 'b'].map((name) => Array.from({ length: 20_000 }, (_, index) => `${name}${index}`)) as [string[], string[]];
    expect(pairedLines(left, right, whole, () => '')).toHaveLength(20_000);
  });
});

function sideOf(pairs: readonly LinePair[], side: 'left' | 'right'): number[] {
  return pairs.flatMap(({ [side]: index }) => (index === null ? [] : [index]));
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const x of a) {
    const next = [0];
    b.forEach((y, j) => next.push(x === y ? (row[j] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
