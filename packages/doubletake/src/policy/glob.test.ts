import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Glob } from './glob.ts';

/** The same meaning, as a backtracking regular expression that anybody can read. */
function reference(pattern: string): RegExp {
  const source = pattern
    .replace(/^\*\*\//, '\u0001')
    .replaceAll(/\/\*\*(?=\/)/g, '\u0002')
    .replace(/\/\*\*$/, '\u0003')
    .replaceAll('**', '\u0004')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\u0001', '(?:[^]*/)?')
    .replaceAll('\u0002', '(?:/[^]*)?')
    .replaceAll('\u0003', '(?:/[^]*)?')
    .replaceAll('\u0004', '[^]*');
  return new RegExp(`^${source}$`);
}

describe('Glob', () => {
  test.each([
    ['/api/**', ['/api', '/api/', '/api/x', '/api/x/y'], ['/apis', '/', '', '/x/api/y']],
    ['/api/*', ['/api/', '/api/x'], ['/api', '/api/x/y']],
    ['/a/**/b', ['/a/b', '/a/x/b', '/a/x/y/b'], ['/ab', '/a/xb', '/a/b/c']],
    ['**/b', ['b', '/b', '/a/b'], ['ab', '/ab']],
    ['/v?/x', ['/v1/x'], ['/v/x', '/v12/x', '/v//x']],
    ['/*.css', ['/a.css', '/.css'], ['/a/b.css', '/a.css2']],
    ['/**', ['/', '/a', ''], ['a']],
    ['**', ['', '/', 'a/b'], []],
    ['/plain', ['/plain'], ['/plain/', '/Plain']],
    [String.raw`/a\*b\?`, ['/a*b?'], ['/axb?', '/a*bx']],
    ['', [''], ['/']],
  ])('with the separator /, %s', (pattern, matching, others) => {
    const glob = new Glob(pattern, '/');
    expect(matching.filter((text) => !glob.matches(text))).toEqual([]);
    expect(others.filter((text) => glob.matches(text))).toEqual([]);
  });

  test('without a separator, a star is anything', () => {
    expect(new Glob('*Mozilla/?.0*', '').matches('x Mozilla/5.0 (X11; a/b)')).toBe(true);
    expect(new Glob('**', '').matches('')).toBe(true);
    expect(new Glob('a?', '').matches('a')).toBe(false);
  });

  test('means what the reference means', () => {
    const patterns = fc.array(fc.constantFrom('/', 'a', 'b', '*', '?', '**'), { maxLength: 10 }).map((parts) => parts.join(''));
    const texts = fc.array(fc.constantFrom('/', 'a', 'b'), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        patterns.filter((pattern) => !/\*{3}|\*\*\/\*\*/.test(pattern)),
        fc.array(texts, { minLength: 1, maxLength: 8 }),
        (pattern, candidates) => {
          const glob = new Glob(pattern, '/');
          const expected = reference(pattern);
          for (const text of candidates) expect([text, glob.matches(text)]).toEqual([text, expected.test(text)]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('says when it is but one text', () => {
    expect(new Glob('/health', '/').literal).toBe('/health');
    expect(new Glob(String.raw`/\*`, '/').literal).toBe('/*');
    expect(new Glob('/health/**', '/').literal).toBeNull();
  });
});
