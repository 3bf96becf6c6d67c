import { describe, expect, test } from 'vitest';
import { RecentTexts } from './recent-texts.ts';

describe('texts that come again', () => {
  test('are known, as long as they are asked for', () => {
    const texts = new RecentTexts<number>(20, 100_000);
    texts.keep('a session', 1);
    for (let other = 0; other < 10_000; other++) {
      texts.keep(`other ${other}`, other);
      expect(texts.find('a session')).toBe(1);
    }
  });

  test('are forgotten when others took their room, within the bound', () => {
    const bytesMax = 100_000;
    const texts = new RecentTexts<number>(20, bytesMax);
    const all = Array.from({ length: 10_000 }, (_, index) => `text ${index}`);
    for (const [index, text] of all.entries()) texts.keep(text, index);
    const known = all.filter((text) => texts.find(text) !== undefined);
    expect(known.length).toBeGreaterThan(100);
    expect(known.length * 256).toBeLessThan(bytesMax);
  });

  test('are not kept when they are long', () => {
    const texts = new RecentTexts<number>(20, 100_000);
    texts.keep('x'.repeat(20), 20);
    texts.keep('x'.repeat(21), 21);
    expect([texts.find('x'.repeat(20)), texts.find('x'.repeat(21))]).toEqual([20, undefined]);
  });
});
