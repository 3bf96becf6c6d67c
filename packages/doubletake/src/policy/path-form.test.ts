import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalPath, normalPathPattern } from './path-form.ts';

describe('normalPath', () => {
  test.each([
    ['/a/b?c=/../d#e', '/a/b'],
    ['/a#b?c', '/a'],
    ['/%61%2Db%7e', '/a-b~'],
    ['/a%2fb%3f', '/a%2Fb%3F'],
    ['/100%', '/100%25'],
    ['/%zz%4', '/%25zz%254'],
    ['/caf\xc3\xa9', '/caf%C3%A9'],
    ['/a/./b/../c', '/a/c'],
    ['/a/%2e%2E/b', '/b'],
    ['/../../a', '/a'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['//a///b//', '/a/b/'],
    ['/...', '/...'],
    ['/.well-known/x', '/.well-known/x'],
    ['*', '*'],
    ['', ''],
  ])('%s is %s', (target, path) => {
    expect(normalPath(target)).toBe(path);
  });

  test('is a normal form, of visible ASCII alone', () => {
    const parts = fc.constantFrom('/', '.', '%2e', '%2F', 'a', '%', '%41', '\xff', ' ', '?', '%25');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (target) => {
        const path = normalPath(`/${target.join('')}`);
        expect(normalPath(path)).toBe(path);
        expect(path).toMatch(/^\/[!-~]*$/);
      }),
    );
  });

  test('patterns take the same form and keep their wildcards', () => {
    expect(normalPathPattern('/café/%61/*/**?')).toBe('/caf%C3%A9/a/*/**?');
  });
});
