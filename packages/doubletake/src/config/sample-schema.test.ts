import { expect, test } from 'vitest';
import { sampleSchema } from './sample-schema.ts';

test('at least so many a minute is a whole number, or is not asked for', () => {
  const read = (atLeastPerMinute: unknown): unknown => sampleSchema.safeParse({ atLeastPerMinute }).data?.atLeastPerMinute;
  expect(sampleSchema.parse({})).not.toHaveProperty('atLeastPerMinute');
  expect([1, 20, 1_000_000].map(read)).toEqual([1, 20, 1_000_000]);
  expect([0, -1, 1.5, 1_000_001, '5', null].map(read)).toEqual(Array.from({ length: 6 }));
});
