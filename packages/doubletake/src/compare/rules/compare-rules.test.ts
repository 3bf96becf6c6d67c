import { describe, expect, test } from 'vitest';
import { compareSchema } from '../../config/compare-schema.ts';
import type { Comparison, Difference, HiddenDifference } from '../difference.ts';
import { CompareRules } from './compare-rules.ts';

function rulesOf(...rules: Record<string, unknown>[]): CompareRules {
  return new CompareRules(compareSchema.parse({ rules }).rules, { bodyBytesMax: 7 });
}

function comparison(differences: Partial<Difference>[], hidden: HiddenDifference[] = []): Comparison {
  return {
    differences: differences.map((difference) => ({
      kind: 'value',
      path: '$.x',
      place: '$.x',
      baseline: null,
      candidate: null,
      baselineType: 'string',
      candidateType: 'string',
      ...difference,
    })),
    hidden,
    truncated: false,
    limited: null,
    compared: [],
  };
}

describe('CompareRules', () => {
  test('tell the differ what holds at a path', () => {
    const rules = rulesOf(
      { name: 'times', path: ['$..updatedAt', 'header:x-*'], ignore: true },
      { name: 'prices', path: '$.items[*].price', tolerance: { relative: '1%' } },
      { name: 'all prices', path: '$..price', tolerance: { absolute: 5 } },
      { name: 'tags', path: '$.tags', unordered: true },
      { name: 'items', path: '$.items', key: 'sku' },
    );
    const { options } = rules.of('GET /a');
    expect(options.bodyBytesMax).toBe(7);
    const found = (path: string): unknown => options.rules?.(path);
    expect(['$.updatedAt', '$.a.b[*].updatedAt', 'header:x-id'].map(found)).toEqual([{ ignore: true }, { ignore: true }, { ignore: true }]);
    expect(['$.notupdatedAt', '$.updatedAt2', 'header:y-id', '$'].map(found)).toEqual(Array.from({ length: 4 }));
    expect(found('$.items[*].price')).toEqual({ absoluteTolerance: 0, relativeTolerance: 0.01 });
    expect(found('$.price')).toEqual({ absoluteTolerance: 5, relativeTolerance: 0 });
    expect(found('$.tags')).toEqual({ unordered: true });
    expect(found('$.items')).toEqual({ key: 'sku' });
  });

  test('hold for their endpoints, which share what is the same', () => {
    const rules = rulesOf(
      { name: 'users', endpoint: ['GET /users/*', '* /people/**'], path: '$.a', ignore: true },
      { name: 'rpc', endpoint: 'POST /rpc#*', path: '$.b', ignore: true },
    );
    const ignored = (endpoint: string): string[] =>
      ['$.a', '$.b'].filter((path) => rules.of(endpoint).options.rules?.(path)?.ignore === true);
    expect(ignored('GET /users/{id}')).toEqual(['$.a']);
    expect(ignored('POST /people/{id}/x')).toEqual(['$.a']);
    expect(ignored('POST /rpc#cart.add')).toEqual(['$.b']);
    expect(ignored('GET /users/{id}/x')).toEqual([]);
    expect(rules.of('GET /users/{id}')).toBe(rules.of('GET /users/{slug}'));
  });

  test('count what they hid, of how many pairs', () => {
    const rules = rulesOf(
      { name: 'times', path: '$.at', ignore: true },
      { name: 'ids', path: '$.id', format: 'uuid' },
    );
    const endpoint = rules.of('GET /a');
    const ids = { baseline: '0f8fad5b-d9cb-469f-a165-70867728950e', candidate: '1f8fad5b-d9cb-469f-a165-70867728950e' };
    const hidden: HiddenDifference[] = [{ path: '$.at', by: 'ignore' }];
    expect(endpoint.apply(comparison([{ path: '$.id', ...ids }, { path: '$.y' }], [...hidden, ...hidden]), true)).toMatchObject([{ path: '$.y' }]);
    expect(endpoint.apply(comparison([{ path: '$.id', ...ids, candidate: '17' }], hidden), true)).toHaveLength(1);
    expect(endpoint.apply(comparison([{ path: '$.id', ...ids, kind: 'missing' }]), true)).toHaveLength(1);
    // Noise is looked at through the same rules, and not counted.
    expect(endpoint.apply(comparison([{ path: '$.id', ...ids }], hidden), false)).toEqual([]);
    expect(rules.reports()).toEqual([
      { name: 'times', hidden: 3, pairs: 2 },
      { name: 'ids', hidden: 1, pairs: 1 },
    ]);
  });

  test('warn when they hide nothing, or more than they were meant to', () => {
    const rules = rulesOf(
      { name: 'idle', path: '$.no', ignore: true },
      { name: 'wide', path: '**', ignore: true },
      { name: 'whole', path: '$', ignore: true },
      { name: 'key', path: '$.items', key: 'id' },
      { name: 'used', path: '$.x', unordered: true },
    );
    const endpoint = rules.of('GET /a');
    const places = Array.from({ length: 21 }, (_, index): HiddenDifference => ({ path: `$.p${index}`, by: 'ignore' }));
    endpoint.apply(comparison([], [...places, { path: '$.x', by: 'unordered' }]), true);
    const [idle, wide, whole, key] = rules.warnings(100);
    expect([idle, wide, whole, key]).toEqual([
      'the rule idle has hidden nothing in 100 pairs: is its path right?',
      'the rule wide hides differences at more than 20 places: is its path too wide?',
      'the rule whole has hidden nothing in 100 pairs: is its path right?',
      'the rule key has hidden nothing in 100 pairs: is its path right?',
    ]);
    endpoint.options.rules?.('$.items');
    expect(rules.warnings(99)).toHaveLength(1);
    expect(rules.warnings(100)).toHaveLength(3);
    const whole2 = rulesOf({ name: 'whole', path: '$', ignore: true });
    whole2.of('x').apply(comparison([], [{ path: '$', by: 'ignore' }]), true);
    expect(whole2.warnings(1)).toEqual(['the rule whole hides whole answers']);
  });
});
