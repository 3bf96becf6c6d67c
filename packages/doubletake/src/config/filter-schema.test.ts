import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RequestFilter } from '../policy/filter.ts';
import type { FilterRule } from '../policy/filter-options.ts';
import { ReplayPolicy } from '../policy/policy.ts';
import { filterSchema, trustedProxiesSchema } from './filter-schema.ts';
import { sampleSchema } from './sample-schema.ts';

const everything = {
  all: [{ method: 'GET' }, { any: [{ path: '/a/**' }, { not: { path: { regex: '^/b' } } }] }],
  not: { preset: ['bots', 'health-checks'] },
  method: ['GET', 'HEAD'],
  path: [{ prefix: '/x' }, '/y'],
  host: '*.example.com',
  header: { name: 'X-A', value: ['a', { regex: '(?i)b' }] },
  cookie: { name: 'c' },
  query: { name: 'q', value: 'v*' },
  client: ['10.0.0.0/8', '2001:db8::1', '::ffff:10.0.0.0/104'],
  bodyBytes: { min: 0, max: '1MiB' },
  contentType: 'application/*',
  preset: 'static-assets',
};

/** The first thing that is wrong. */
function problem(filters: unknown): { path: string; message: string } {
  const issue = filterSchema.safeParse(filters).error?.issues[0];
  if (issue === undefined) throw new Error('expected a problem');
  return { path: issue.path.join('.'), message: issue.message };
}

describe('filterSchema', () => {
  test('what passes compiles, with every kind of condition', () => {
    const rules: FilterRule[] = filterSchema.parse([
      { name: 'no health checks, kein Büro (1/2)', exclude: { preset: 'health-checks' } },
      { name: 'v1.0', include: everything },
    ]);
    expect(rules[1]?.include?.bodyBytes).toEqual({ min: 0, max: 1_048_576 });
    expect(new RequestFilter(rules)).toBeInstanceOf(RequestFilter);
    expect(filterSchema.parse(undefined)).toEqual([]);
    expect(trustedProxiesSchema.parse(['10.0.0.0/8', '2001:db8::1'])).toHaveLength(2);
  });

  test.each([
    [[{ name: '__proto__', exclude: { method: 'GET' } }], '0.name', /a letter/],
    [[{ name: 'a\nb', exclude: { method: 'GET' } }], '0.name', /a letter/],
    [[{ name: 'no_include_matched', exclude: { method: 'GET' } }], '0.name', /no rule includes/],
    [[{ name: 'a', exclude: { method: 'GET' } }, { name: 'a', include: { method: 'GET' } }], '1.name', /same name/],
    [[{ name: 'a' }], '0', /exactly one/],
    [[{ name: 'a', include: { method: 'GET' }, exclude: { method: 'GET' } }], '0', /exactly one/],
    [[{ name: 'a', exclude: {} }], '0.exclude', /at least one/],
    [[{ name: 'a', exclude: { any: [] } }], '0.exclude.any', /./],
    [[{ name: 'a', exclude: { pth: '/a' } }], '0.exclude', /pth/],
    [[{ name: 'a', exclude: { not: { all: [{ pth: '/a' }] } } }], '0.exclude.not.all.0', /pth/],
  ])('%j is refused at %s', (filters, path, message) => {
    expect(problem(filters)).toEqual({ path, message: expect.stringMatching(message) });
  });

  test.each([
    { path: { regex: '(a' } },
    { path: { regex: '(?=a)' } },
    { path: { regex: '((a{100}){100}){100}' } },
    { path: { regex: 'a', prefix: 'b' } },
    { path: 'x'.repeat(1_001) },
    { client: '10.0.0.0/33' },
    { client: ['10.0.0.1', 'example.com'] },
    { client: '010.0.0.1' },
    { client: 'fe80::1%eth0' },
    { bodyBytes: { min: -1 } },
    { preset: 'crawlers' },
    { header: { value: 'x' } },
  ])('%j is refused', (exclude) => {
    expect(filterSchema.safeParse([{ name: 'a', exclude }]).success).toBe(false);
  });

  test('the JSON Schema refers to conditions within conditions', () => {
    const json = z.toJSONSchema(z.strictObject({ filters: filterSchema }), { io: 'input' });
    expect(json.$defs).toHaveProperty('Condition');
  });
});

describe('sampleSchema', () => {
  test.each([
    {},
    { percentage: '0.001%' },
    { by: 'connection' },
    { by: 'header', header: 'X-User' },
    { by: 'cookie', cookie: 'sid' },
    { by: 'query', query: 'user' },
    { by: 'path-segment', segment: 2 },
    { by: 'jwt-claim', claim: 'sub' },
  ])('%j samples', (sample) => {
    expect(new ReplayPolicy({ methods: 'safe', sample: sampleSchema.parse(sample) })).toBeInstanceOf(ReplayPolicy);
  });

  test.each([
    [{ by: 'header' }, 'header'],
    [{ by: 'cookie', header: 'X-User' }, 'header'],
    [{ header: 'X-User' }, 'header'],
    [{ by: 'path-segment' }, 'segment'],
    [{ by: 'path-segment', segment: 0 }, 'segment'],
    [{ by: 'jwt-claim' }, 'claim'],
    [{ by: 'everything' }, 'by'],
  ])('%j is refused at %s', (sample, path) => {
    expect(sampleSchema.safeParse(sample).error?.issues[0]?.path).toEqual([path]);
  });
});
