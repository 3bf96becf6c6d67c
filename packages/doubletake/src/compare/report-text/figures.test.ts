import { expect, test } from 'vitest';
import { visible, visibleLines } from '../../visible.ts';
import { increase, milliseconds, percent, percentEstimate, plural, ratio } from './figures.ts';
import { shortened } from './shortened.ts';

test.each([
  [0, '0 %'],
  [0.000001, '<0.001 %'],
  [0.00123, '0.12 %'],
  [0.05, '5 %'],
  [0.1234, '12.3 %'],
  [0.9999, '>99.9 %'],
  [1, '100 %'],
  [-0.002, '-0.2 %'],
  [-0.000001, '-<0.001 %'],
])('a share of %d is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

test('other figures', () => {
  expect([increase(0.003), increase(0), increase(-0.003)]).toEqual(['+0.3 %', '0 %', '-0.3 %']);
  expect([ratio(1.249), ratio(12.34)]).toEqual(['1.25×', '12.3×']);
  expect([0.4213, 4.25, 123.4, 1_234, 12_345, null].map(milliseconds)).toEqual(['0.42 ms', '4.3 ms', '123 ms', '1,230 ms', '12.3 s', '–']);
  expect([plural(1, 'pair'), plural(12_345, 'pair')]).toEqual(['1 pair', '12,345 pairs']);
  expect(percentEstimate({ value: 0.01, low: 0, high: Number.POSITIVE_INFINITY })).toBe('1 % (0 % to ∞)');
});

test('what could steer is spelt out', () => {
  expect(visible('a\u001b[31m\n\u202e\ud800😀\u2028\uffff')).toBe('a\\x1b[31m\\x0a\\u{202e}\\u{d800}😀\\u{2028}\\u{ffff}');
  expect(visibleLines('a\r\nb\tc\rd')).toBe('a\nb\tc\\x0dd');
});

test('what is too long ends in an ellipsis, and no character is halved', () => {
  expect([shortened('abc', 3), shortened('abcd', 3), shortened('a😀b', 3), shortened('ab', 0)]).toEqual(['abc', 'ab…', 'a…', '…']);
});
