import { describe, expect, test } from 'vitest';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import { sanitizeSchema } from './sanitize-schema.ts';

const key = 'a key of the tests, long enough';

function withRule(rule: object): unknown {
  return { key, rules: [{ name: 'first', header: 'X-A', action: 'mask' }, { name: 'r', action: 'mask', ...rule }] };
}

/** The first thing that is wrong. */
function problem(value: unknown): { path: string; message: string } {
  const issue = sanitizeSchema.safeParse(value).error?.issues[0];
  if (issue === undefined) throw new Error('expected a problem');
  return { path: issue.path.join('.'), message: issue.message };
}

describe('sanitizeSchema', () => {
  test.each([
    [{ json: '$..ssn' }],
    [{ json: "$.items[*]['a b',0]" }],
    [{ json: '$' }],
    [{ text: '(?i)customer-[0-9]+' }],
    [{ path: '/users/{}/orders/**' }],
  ])('what passes compiles: %j', (rule) => {
    const options = sanitizeSchema.parse(withRule(rule));
    expect(new Sanitizer(options, Buffer.from(options.key))).toBeInstanceOf(Sanitizer);
  });

  test.each([
    [{ json: 'a.b' }, 'rules.1.json', /JSONPath.*begins with \$/],
    [{ json: '$.a[' }, 'rules.1.json', /JSONPath/],
    [{ json: '$.a[?@.b]' }, 'rules.1.json', /filter/],
    [{ json: '$[1:2]' }, 'rules.1.json', /slice.*\[0,1\]/],
    [{ json: '$[-1]' }, 'rules.1.json', /from the end/],
    [{ json: `$${'.a'.repeat(31)}` }, 'rules.1.json', /30 segments/],
    [{ text: '(a' }, 'rules.1.text', /regular expression/],
    [{ text: '(?=a)' }, 'rules.1.text', /regular expression/],
    [{ path: 'users/{}' }, 'rules.1.path', /begins with \//],
    [{ path: '/users/*' }, 'rules.1.path', /\{\}/],
    [{}, 'rules.1', /exactly one/],
    [{ json: '$.a', text: 'a' }, 'rules.1', /exactly one/],
  ])('%j is refused at %s', (rule, path, message) => {
    expect(problem(withRule(rule))).toEqual({ path, message: expect.stringMatching(message) });
  });

  test('a short key is refused', () => {
    expect(problem({ key: 'short' })).toEqual({ path: 'key', message: expect.stringMatching(/16/) });
  });
});
