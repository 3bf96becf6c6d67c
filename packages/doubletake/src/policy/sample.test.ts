import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { samplePoint } from './sample.ts';

/** How many standard deviations chi-square is from its mean for counts that should be equal. */
function chiSquareDeviations(counts: Float64Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (chiSquare - freedom) / Math.sqrt(2 * freedom);
}

function bitsOf(point: number): bigint {
  return BigInt(point * 2 ** 53);
}

describe('samplePoint', () => {
  const keyCount = 1_000_000;
  const percentages = [0.001, 0.01, 0.1, 1, 10, 50];

  test.each<[string, (index: number) => string]>([
    ['names', (index) => `user-${index}`],
    ['sequential numbers', String],
    ['numbers in steps', (index) => String(1_000_000_007 + index * 65_536)],
    ['IPv4 addresses', (index) => `10.${index >>> 16}.${(index >>> 8) & 255}.${index & 255}`],
    ['e-mail addresses', (index) => `${index.toString(36)}@shop.example`],
    ['connections', (index) => `10.0.2.${index & 255}:${10_000 + (index >>> 8)}>10.0.1.2:80`],
  ])('of 1,000,000 %s every share is within five standard deviations, and all parts are as full', (_, keyOf) => {
    const buckets = new Float64Array(1_000);
    const taken = percentages.map(() => 0);
    for (let index = 0; index < keyCount; index++) {
      const point = samplePoint('2026-11', keyOf(index));
      buckets[Math.floor(point * buckets.length)]++;
      percentages.forEach((percentage, position) => {
        if (point * 100 < percentage) taken[position]++;
      });
    }
    for (const [position, percentage] of percentages.entries()) {
      const share = percentage / 100;
      const deviation = Math.sqrt(keyCount * share * (1 - share));
      expect(Math.abs(taken[position] - keyCount * share), `${percentage} %`).toBeLessThan(5 * deviation);
    }
    expect(Math.abs(chiSquareDeviations(buckets))).toBeLessThan(5);
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

  test.each([
    ['a', 'b'],
    ['', 'doubletake'],
    ['2026-11', '2026-12'],
    ['salt', 'salt '],
  ])('the samples by the salts %j and %j are independent', (one, other) => {
    const side = 20;
    const buckets = new Float64Array(side * side);
    for (let index = 0; index < 200_000; index++) {
      const row = Math.floor(samplePoint(one, `user-${index}`) * side);
      buckets[row * side + Math.floor(samplePoint(other, `user-${index}`) * side)]++;
    }
    expect(Math.abs(chiSquareDeviations(buckets))).toBeLessThan(5);
  });

  test('every bit of every character turns each bit of the point in half of the keys', () => {
    const keys = 4_000;
    const length = 8;
    for (const position of [0, 3, length - 1]) {
      for (let bit = 0; bit < 7; bit++) {
        const turned = new Float64Array(53);
        for (let index = 0; index < keys; index++) {
          const key = (index * 7_919).toString(36).padStart(length, '0');
          const changed = String.fromCharCode(key.charCodeAt(position) ^ (1 << bit));
          const other = key.slice(0, position) + changed + key.slice(position + 1);
          const difference = bitsOf(samplePoint('s', key)) ^ bitsOf(samplePoint('s', other));
          turned.forEach((_, place) => (turned[place] += Number((difference >> BigInt(place)) & 1n)));
        }
        // Of more than a thousand counts one is four deviations away now and then, none is six.
        const worst = Math.max(...turned.map((count) => Math.abs(count - keys / 2)));
        expect(worst, `character ${position}, bit ${bit}`).toBeLessThan(6 * Math.sqrt(keys / 4));
      }
    }
  });

  test('pinned values: a change would move every user in every fleet', () => {
    expect(samplePoint('doubletake', 'alice')).toMatchInlineSnapshot(`0.6592053495726294`);
    expect(samplePoint('', '')).toMatchInlineSnapshot(`0.12162867664851795`);
  });
});
