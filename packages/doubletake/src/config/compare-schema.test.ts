import { describe, expect, test } from 'vitest';
import { compareSchema } from './compare-schema.ts';

describe('compareSchema', () => {
  test('fills in what is not said', () => {
    expect(compareSchema.parse({})).toEqual({
      baseline: 'production',
      policy: { maxMismatch: 0.001, maxLatencyRatio: 1.2, maxErrorIncrease: 0.001, confidence: 0.95, minPairs: 100 },
      rules: [],
      endpoints: [],
      bodyBytesMax: 1_048_576,
      noiseShare: 0.01,
      sameRequestWithinMs: 10_000,
      mapIds: false,
      models: [],
    });
  });

  test('reads what users write', () => {
    const { policy, rules } = compareSchema.parse({
      baseline: 'production',
      policy: { maxMismatch: '0.5%', maxLatencyRatio: 2, confidence: '99%' },
      rules: [{ name: 'prices', path: '$..price', tolerance: { relative: '1%' } }],
    });
    expect(policy).toMatchObject({ maxMismatch: 0.005, maxLatencyRatio: 2, confidence: 0.99 });
    expect(rules[0]?.tolerance).toEqual({ relative: 0.01 });
  });

  test.each([
    [{ policy: { confidence: 0.95 } }, 'expected a percentage from 50 to below 100, such as 95'],
    [{ policy: { maxLatencyRatio: 0 } }, 'expected a number above 0'],
    [{ rules: [{ name: 'a', path: '$.x' }] }, 'expected exactly one of ignore, tolerance, unordered, key and format'],
    [{ rules: [{ name: 'a', path: '$.x', ignore: true, key: 'id' }] }, 'expected exactly one of ignore, tolerance, unordered, key and format'],
    [{ rules: [{ name: 'a', path: '$.x', tolerance: {} }] }, 'expected absolute or relative'],
    [{ rules: [{ name: 'a', path: '$', ignore: true }, { name: 'a', path: '$', ignore: true }] }, 'two rules have the same name'],
    [{ endpoints: ['users/{id}'] }, 'expected a path such as /users/{id}, perhaps behind a method'],
    [{ models: [{ path: '$..label', as: 'label' }] }, 'expected the place of one value, such as $.prediction.label or $.scores[0]'],
    [{ baseline: 'old', reference: 'old' }, 'expected another target than the baseline'],
  ])('refuses %j', (input, message) => {
    expect(compareSchema.safeParse(input).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});
