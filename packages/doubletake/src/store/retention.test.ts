import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Retention } from './retention.ts';

const limits = { equalPairs: 1_000, pairsPerCluster: 100, clustersMax: 50 };

/** Weights of what is kept of `count` pairs alike. */
function kept(retention: Retention, count: number, mismatch: boolean, clusters: readonly string[], name = 'pair'): number[] {
  return Array.from({ length: count }, (_, index) => retention.weigh(`${name}-${index}`, mismatch, clusters)).filter((weight) => weight !== null);
}

const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0);

describe('retention', () => {
  test('keeps all pairs up to the bound', () => {
    const retention = new Retention(limits);
    expect(kept(retention, 1_000, false, [])).toEqual(Array.from({ length: 1_000 }, () => 1));
    expect(kept(retention, 100, true, ['a'])).toEqual(Array.from({ length: 100 }, () => 1));
  });

  test('grows with the logarithm, and the weights add up to what was seen', () => {
    const weights = kept(new Retention(limits), 1_000_000, false, []);
    // 1,000 at each of the shares 1, 1/2, 1/4, …: ten of them come to a million.
    expect(weights.length).toBeGreaterThan(8_500);
    expect(weights.length).toBeLessThan(11_000);
    expect(sum(weights)).toBeGreaterThan(930_000);
    expect(sum(weights)).toBeLessThan(1_070_000);
  });

  test('a new cluster is kept whole, however common the others are', () => {
    const retention = new Retention(limits);
    kept(retention, 50_000, true, ['common']);
    expect(kept(retention, 100, true, ['common', 'rare'], 'other')).toHaveLength(100);
  });

  test('clusters beyond the bound share one sort', () => {
    const retention = new Retention(limits);
    const weights = Array.from({ length: 20_000 }, (_, index) => retention.weigh(`p${index}`, true, [`c${index}`])).filter((weight) => weight !== null);
    expect(weights.length).toBeLessThan(1_500);
  });

  test('the same ids are kept again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.boolean(), fc.constantFrom('a', 'b'))), (pairs) => {
        const run = (): unknown[] => {
          const retention = new Retention({ equalPairs: 3, pairsPerCluster: 2, clustersMax: 1 });
          return pairs.map(([id, mismatch, cluster]) => retention.weigh(id, mismatch, [cluster]));
        };
        expect(run()).toEqual(run());
      }),
    );
  });
});
