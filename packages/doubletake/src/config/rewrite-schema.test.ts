import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RewriteOptions } from '../policy/rewrite/options.ts';
import { Rewriter } from '../policy/rewrite/rewriter.ts';
import { credentialsSchema, idempotencyKeySchema, rewriteSchema } from './rewrite-schema.ts';

const everything = {
  name: 'everything',
  when: { path: '/v1/**' },
  path: { regex: '^/v1/(?P<rest>.*)$', replace: '/v2/${rest}/$1/$$/{{client}}' },
  host: '{{header:X-Tenant}}.test.internal:8080',
  query: { remove: ['utm_source'], set: { debug: '1', ü: '{{id}}' }, add: { from: '{{server}}' } },
  headers: { remove: ['X-A'], set: { 'x-b': '{{ host }}', constructor: 'c' }, add: { 'X-C': '' } },
  json: [
    { path: '$.callback.url', set: 'http://sink.test/{{client}}' },
    { path: '$.items[?@.n > 1].note', remove: true },
    { path: '$.a', set: null },
    { path: '$.b', set: 1.5 },
  ],
};

/** The first thing that is wrong, in a rule of which this is a part. */
function problem(part: object): { path: string; message: string } {
  const issue = rewriteSchema.safeParse([{ name: 'a', ...part }]).error?.issues[0];
  if (issue === undefined) throw new Error('expected a problem');
  const inner = issue.code === 'invalid_union' ? issue.errors.flat().find(({ path }) => path.length > 0) : undefined;
  return { path: [...issue.path, ...(inner?.path ?? [])].slice(1).join('.'), message: inner?.message ?? issue.message };
}

describe('rewriteSchema', () => {
  test('what passes compiles, with every kind of rule', () => {
    const rules: RewriteOptions['rules'] = rewriteSchema.parse([
      everything,
      { name: 'prefix', path: { prefix: '/v1', replace: '' }, host: { regex: '^shop', replace: 'test' } },
    ]);
    expect(new Rewriter({ rules, idempotencyKey: idempotencyKeySchema.parse(undefined), copy: 0 })).toBeInstanceOf(Rewriter);
    expect(rewriteSchema.parse(undefined)).toEqual([]);
  });

  test.each([
    [{}, '', /at least one of path, host/],
    [{ pth: {} }, '', /pth/],
    [{ when: {}, host: 'a' }, 'when', /at least one/],
    [{ path: { prefix: 'v1', replace: '/' } }, 'path.prefix', /begins with \//],
    [{ path: { prefix: '/v1', replace: '/v2?x=1' } }, 'path.replace', /`query`/],
    [{ path: { regex: '(', replace: '' } }, 'path.regex', /RE2/],
    [{ path: { regex: '(a)', replace: '$2' } }, 'path.replace', /no group 2: it has 1/],
    [{ path: { regex: '(?P<a>x)', replace: '${b}' } }, 'path.replace', /no group named b/],
    [{ path: { prefix: '/a', replace: '/{{clint}}' } }, 'path.replace', /no variable \{\{clint\}\} \(did you mean client\?\)/],
    [{ path: { prefix: '/a', replace: '/{{client' } }, 'path.replace', /has no "\}\}"/],
    [{ query: {} }, 'query', /at least one of remove/],
    [{ query: { set: { a: '{{nothing}}' } } }, 'query.set.a', /known: host/],
    [{ query: { set: { a: '1' }, remove: ['a'] } }, 'query.set.a', /removed and set/],
    [{ headers: { set: { 'Content-Length': '1' } } }, 'headers.set.Content-Length', /follows the body/],
    [{ headers: { add: { 'transfer-encoding': 'chunked' } } }, 'headers.add.transfer-encoding', /stays as it came/],
    [{ headers: { remove: ['connection'] } }, 'headers.remove.0', /between two servers/],
    [{ headers: { set: { host: 'a' } } }, 'headers.set.host', /set by `host`/],
    [{ headers: { set: { 'X-Doubletake-Id': 'a' } } }, 'headers.set.X-Doubletake-Id', /from being replayed/],
    [{ headers: { set: { 'X A': 'a' } } }, 'headers.set.X A', /name of a header/],
    [{ headers: { set: { 'X-A': 'a\r\nX-B: c' } } }, 'headers.set.X-A', /one line/],
    [{ headers: { set: { 'X-A': '\0' } } }, 'headers.set.X-A', /one line/],
    [{ json: [] }, 'json', /./],
    [{ json: [{ path: '$.a' }] }, 'json.0', /exactly one of set and remove/],
    [{ json: [{ path: '$.a', set: null, remove: true }] }, 'json.0', /exactly one/],
    [{ json: [{ path: '$', remove: true }] }, 'json.0.path', /whole document/],
    [{ json: [{ path: '$.a[', set: 1 }] }, 'json.0.path', /JSONPath \(RFC 9535\): .* at the end/],
  ])('%j is refused at %s', (part, path, message) => {
    expect(problem(part)).toEqual({ path, message: expect.stringMatching(message) });
  });

  test.each([
    { host: 'a b' },
    { host: 'http://a' },
    { host: 'a\r\nb' },
    { host: 'bücher.test' },
    { host: { regex: 'a', replace: 'b c' } },
    { headers: { set: { TE: 'trailers' } } },
    { json: [{ path: '$.a', set: 2 ** 60 }] },
    { host: '' },
    { host: '{{x}}' },
  ])('%j is refused', (part) => {
    expect(rewriteSchema.safeParse([{ name: 'a', ...part }]).success).toBe(false);
  });

  test('it has a JSON Schema', () => {
    const fields = { rewrite: rewriteSchema, credentials: credentialsSchema.optional(), idempotencyKey: idempotencyKeySchema };
    const json = z.toJSONSchema(z.strictObject(fields), { io: 'input' });
    expect(Object.keys(json.properties ?? {})).toEqual(Object.keys(fields));
  });
});

describe('credentialsSchema', () => {
  test.each([
    { bearer: 'abc' },
    { basic: { user: 'a', password: ':p ü' } },
    { header: { name: 'X-Api-Key', value: 'k' } },
    { cookie: { name: 'sid', value: 'a=b' } },
  ])('%j is taken', (credentials) => {
    const options: RewriteOptions['credentials'] = credentialsSchema.parse(credentials);
    expect(options).toEqual({ ...credentials, when: 'always' });
  });

  test.each([
    {},
    { when: 'present' },
    { bearer: 'a', cookie: { name: 'a', value: 'b' } },
    { bearer: 'a b' },
    { bearer: 'abc\n' },
    { basic: { user: 'a:b', password: '' } },
    { basic: { user: 'a', password: 'b\r\n' } },
    { header: { name: 'Host', value: 'a' } },
    { header: { name: 'X-A', value: 'a\nb' } },
    { cookie: { name: 'a', value: 'b; c=d' } },
    { cookie: { name: 'a=b', value: 'c' } },
  ])('%j is refused', (credentials) => {
    expect(credentialsSchema.safeParse(credentials).success).toBe(false);
  });
});
