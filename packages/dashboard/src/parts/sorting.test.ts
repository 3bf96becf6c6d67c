import { describe, expect, test } from 'vitest';
import { nextSort, parsedSort, sortedBy } from './sorting.ts';

describe('the order of a table', () => {
  test('stands in the address with a minus for downwards', () => {
    expect([parsedSort('pairs'), parsedSort('-pairs'), parsedSort(''), parsedSort('-')]).toEqual([{ key: 'pairs', down: false }, { key: 'pairs', down: true }, null, null]);
  });

  test('what has no value comes last either way, and equals stay as they came', () => {
    const rows = [{ id: 'a', n: 2 }, { id: 'b', n: null }, { id: 'c', n: 1 }, { id: 'd', n: 2 }];
    const ids = (down: boolean): string => sortedBy(rows, ({ n }) => n, down).map(({ id }) => id).join('');
    expect([ids(false), ids(true)]).toEqual(['cadb', 'adcb']);
  });

  test('goes on with each click: the telling way, the other, none', () => {
    const clicks = (firstDown: boolean): string[] => {
      const first = nextSort(null, 'pairs', firstDown);
      const second = nextSort(parsedSort(first), 'pairs', firstDown);
      return [first, second, nextSort(parsedSort(second), 'pairs', firstDown)];
    };
    expect([clicks(true), clicks(false)]).toEqual([['-pairs', 'pairs', ''], ['pairs', '-pairs', '']]);
    expect(nextSort(parsedSort('pairs'), 'share', true)).toBe('-share');
  });
});
