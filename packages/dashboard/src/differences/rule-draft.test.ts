import { describe, expect, test } from 'vitest';
import { ruleInput } from '../../../doubletake/src/server/api/rules.ts';
import { type RuleDraft, ruleOf } from './rule-draft.ts';

const draft: RuleDraft = { name: ' prices ', effect: 'ignore', endpoint: 'GET /cart', path: ' $.price ', toleranceBy: 'relative', tolerance: '1' };

describe('a rule that is being written', () => {
  test.each([
    [{}, { name: 'prices', endpoint: 'GET /cart', path: '$.price', ignore: true }],
    [{ endpoint: '' }, { name: 'prices', path: '$.price', ignore: true }],
    [{ effect: 'unordered' }, { name: 'prices', endpoint: 'GET /cart', path: '$.price', unordered: true }],
    [{ effect: 'tolerate', tolerance: '0.5' }, { name: 'prices', endpoint: 'GET /cart', path: '$.price', tolerance: { relative: '0.5%' } }],
    [{ effect: 'tolerate', tolerance: '2', toleranceBy: 'absolute' }, { name: 'prices', endpoint: 'GET /cart', path: '$.price', tolerance: { absolute: 2 } }],
  ] as const)('%o', (changes, rule) => {
    expect(ruleOf({ ...draft, ...changes })).toEqual(rule);
    expect(ruleInput.parse(rule)).toEqual(rule);
  });

  test.each([
    [{ name: ' ' }, 'name'],
    [{ name: 'x'.repeat(65) }, '64'],
    [{ path: '' }, 'where'],
    [{ effect: 'tolerate', tolerance: '' }, 'far apart'],
    [{ effect: 'tolerate', tolerance: 'a bit' }, 'far apart'],
    [{ effect: 'tolerate', tolerance: '-1' }, 'far apart'],
  ] as const)('%o is not one yet', (changes, words) => {
    expect(ruleOf({ ...draft, ...changes })).toContain(words);
  });
});
