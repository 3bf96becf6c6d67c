import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { policySchema } from '../src/config/policy-schema.ts';
import { ReplayPolicy } from '../src/policy/policy.ts';

test('the example in docs/filters.md is a policy', () => {
  const text = readFileSync(new URL('../../../docs/filters.md', import.meta.url), 'utf8');
  const example = /```yaml\n([^]*?)```/.exec(text)?.[1] ?? '';
  const { policy } = z.strictObject({ policy: policySchema }).parse(parse(example));
  expect(policy.filters).toHaveLength(4);
  expect(new ReplayPolicy(policy)).toBeInstanceOf(ReplayPolicy);
});
