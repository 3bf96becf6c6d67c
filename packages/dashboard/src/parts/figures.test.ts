import { describe, expect, test } from 'vitest';
import { bytes, duration, rate, short } from './figures.ts';

describe('figures', () => {
  test.each([
    [bytes, 0, '0 bytes'],
    [bytes, 999, '999 bytes'],
    [bytes, 14_600, '14.6 KB'],
    [bytes, 1_234_567_890, '1.23 GB'],
    [bytes, 5e17, '500000 TB'],
    [rate, 0.037, '0.037'],
    [rate, 9.96, '10'],
    [rate, 1_204.4, '1,204'],
    [short, 9_999, '9,999'],
    [short, 12_449, '12.4k'],
    [short, 999_600, '1M'],
    [duration, 340, '340 ms'],
    [duration, 45_000, '45 s'],
    [duration, 600_000, '10 min'],
    [duration, 5_400_000, '1.5 h'],
  ])('%o of %d is %s', (write, value, text) => {
    expect(write(value)).toBe(text);
  });
});
