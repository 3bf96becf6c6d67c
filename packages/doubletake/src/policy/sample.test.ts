import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { samplePoint } from './sample.ts';

describe('samplePoint', () => {
  test.each([0.1, 1, 10, 50])('%s percent of 1,000,000 keys is within five standard deviations', (percentage) => {
    const keys = 1_000_000;
    let taken = 0;
    for (let user = 0; user < keys; user++) {
      if (samplePoint('2026-11', `user-${user}`) * 100 < percentage) taken++;
    }
    const share = percentage / 100;
    expect(Math.abs(taken - keys * share)).toBeLessThan(5 * Math.sqrt(keys * share * (1 - share)));
  });

  test('is a point in [0, 1) that depends on salt and key alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        const point = samplePoint(salt, key);
        expect(point).toBeGreaterThanOrEqual(0);
        expect(point).toBeLessThan(1);
        expect(samplePoint(salt, key)).toBe(point);
      }),
    );
  });

  test('another salt picks other users', () => {
    const users = Array.from({ length: 2000 }, (_, index) => `user-${index}`);
    const both = users.filter((user) => samplePoint('a', user) < 0.5 && samplePoint('b', user) < 0.5).length;
    expect(both).toBeGreaterThan(400);
    expect(both).toBeLessThan(600);
  });

  test('keys that differ in one bit of one character are independent', () => {
    const pairs = Array.from({ length: 2000 }, (_, index) => [`k${index}a`, `k${index}c`] as const);
    const same = pairs.filter(([one, other]) => samplePoint('', one) < 0.5 === samplePoint('', other) < 0.5).length;
    expect(same).toBeGreaterThan(900);
    expect(same).toBeLessThan(1100);
  });

  test('pinned values: a change would move every user in every fleet', () => {
    expect(samplePoint('doubletake', 'alice')).toMatchInlineSnapshot(`0.6592053495726294`);
    expect(samplePoint('', '')).toMatchInlineSnapshot(`0.12162867664851795`);
  });
});
