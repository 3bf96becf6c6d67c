import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels, Numbers } from './model-values.ts';

describe('Labels', () => {
  test('count agreement, beyond chance too, and what was taken for what', () => {
    const labels = new Labels();
    // The textbook case: 20 and 15 agree, of 50.
    for (const [baseline, candidate, times] of [['yes', 'yes', 20], ['yes', 'no', 5], ['no', 'yes', 10], ['no', 'no', 15]] as const) {
      for (let time = 0; time < times; time++) labels.push(baseline, candidate);
    }
    const { agreement, kappa, confusion } = labels.report();
    expect(agreement).toBe(0.7);
    expect(kappa).toBeCloseTo(0.4, 10);
    expect(confusion).toEqual([
      { baseline: 'yes', candidate: 'yes', pairs: 20 },
      { baseline: 'no', candidate: 'no', pairs: 15 },
      { baseline: 'no', candidate: 'yes', pairs: 10 },
      { baseline: 'yes', candidate: 'no', pairs: 5 },
    ]);
  });

  test('are bounded', () => {
    const labels = new Labels();
    for (let index = 0; index < 5_000; index++) labels.push(`label ${index}`, 'x'.repeat(10_000));
    const { confusion, agreement } = labels.report();
    expect(agreement).toBe(0);
    expect(confusion).toHaveLength(100);
    expect(confusion[0]).toEqual({ baseline: '(other)', candidate: 'x'.repeat(100), pairs: 4_801 });
  });
});

describe('Numbers', () => {
  test('say what a plain reading of all of them says', () => {
    const number = fc.double({ min: -1_000, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { minLength: 2, maxLength: 50 }), (pairs) => {
        const numbers = new Numbers();
        for (const [baseline, candidate] of pairs) numbers.push(baseline, candidate);
        const report = numbers.report();
        const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
        const differences = pairs.map(([baseline, candidate]) => candidate - baseline);
        expect(report.meanDifference).toBeCloseTo(mean(differences), 6);
        expect(report.differences.p50).toBe(differences.toSorted((a, b) => a - b)[Math.ceil(pairs.length / 2) - 1]);
        const [a, b] = [mean(pairs.map(([x]) => x)), mean(pairs.map(([, y]) => y))];
        const spread = Math.sqrt(mean(pairs.map(([x]) => (x - a) ** 2)) * mean(pairs.map(([, y]) => (y - b) ** 2)));
        if (spread > 1e-3) expect(report.correlation).toBeCloseTo(mean(pairs.map(([x, y]) => (x - a) * (y - b))) / spread, 5);
      }),
    );
  });

  test('see drift of the distribution, also in very many', () => {
    const drift = (shift: number): number => {
      const numbers = new Numbers();
      for (let index = 0; index < 50_000; index++) numbers.push((index * 7_919) % 1_000, ((index * 7_919 + 13) % 1_000) + shift);
      return numbers.report().psi ?? -1;
    };
    expect(drift(0)).toBeLessThan(0.01);
    expect(drift(30)).toBeGreaterThan(0.005);
    expect(drift(300)).toBeGreaterThan(0.25);
  });

  test('have no correlation where nothing varies, and no drift where there are few', () => {
    const numbers = new Numbers();
    numbers.push(1, 1);
    expect(numbers.report()).toMatchObject({ correlation: null, psi: null, meanDifference: 0 });
    expect(new Numbers().report().differences.p50).toBeNull();
  });
});
