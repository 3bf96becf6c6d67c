import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import { JsonRewrite } from './json-rewrite.ts';
import type { JsonEdit } from './options.ts';
import { Variables } from './variables.ts';

const variables = new Variables(exchangeOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'id');

function rewrite(text: string, ...edits: JsonEdit[]): string {
  const rewritten = new JsonRewrite(edits, 1 << 20).apply(Buffer.from(text).toString('latin1'), variables);
  if (rewritten === null) throw new Error('expected JSON');
  return Buffer.from(rewritten, 'latin1').toString();
}

describe('JsonRewrite', () => {
  test.each([
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$.a', '{ "b" : 2 , "c" : 3 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$.b', '{ "a" : 1 , "c" : 3 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$.c', '{ "a" : 1 , "b" : 2 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$["a", "b"]', '{ "c" : 3 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$["a", "c"]', '{ "b" : 2 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$["c", "b"]', '{ "a" : 1 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', '$.*', '{  }'],
    ['{"a":1,"a":2,"b":3}', '$.a', '{"b":3}'],
    ['[ 1, 2 ,3 ]', '$[-1]', '[ 1, 2 ]'],
    ['[ 1, 2 ,3 ]', '$[::2]', '[ 2 ]'],
    ['[[1],[2,[3]]]', '$..*', '[]'],
    ['[[1,2],[3]]', '$[*][0]', '[[2],[]]'],
    ['[1,[1,{"a":[1]}]]', '$..[0]', '[[{"a":[]}]]'],
  ])('%s without %s is %s', (before, path, after) => {
    expect(rewrite(before, { path, remove: true })).toBe(after);
  });

  test.each([
    [' {"a" : 1.0,"b":1e400} ', '$.a', ' {"a" : "x","b":1e400} '],
    ['{"a":1,"a":2}', '$.a', '{"a":"x","a":"x"}'],
    ['[[1],[2]]', '$..*', '["x","x"]'],
    ['{"\\u0061":"\\/"}', '$.a', '{"\\u0061":"x"}'],
    ['"a"', '$', '"x"'],
    ['{"a":[1,2,3]}', '$.a[0,0]', '{"a":["x",2,3]}'],
    ['\uFEFF[1]', '$[0]', '\uFEFF["x"]'],
  ])('%s with %s set is %s', (before, path, after) => {
    expect(rewrite(before, { path, set: 'x' })).toBe(after);
  });

  const names = ['a', 'b', 'ä', ''];
  const { document } = fc.letrec<{ document: unknown }>((tie) => ({
    document: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.integer(), fc.string(), fc.constantFrom(null, true, 1e300)),
      fc.array(tie('document'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie('document'), { maxKeys: 4 }),
    ),
  }));
  /** A segment as it is written, and which children it takes. */
  const selector = fc.oneof(
    fc.constantFrom(...names).map((name) => ({ text: `[${JSON.stringify(name)}]`, takes: (key: string | number) => key === name })),
    fc.nat(3).map((index) => ({ text: `[${index}]`, takes: (key: string | number) => key === index })),
    fc.constant({ text: '[*]', takes: () => true }),
  );
  const path = fc.array(fc.record({ descendant: fc.boolean(), selector }), { minLength: 1, maxLength: 3 });
  type Path = typeof path extends fc.Arbitrary<infer Value> ? Value : never;

  /** Whether a place is one that the path names. */
  function isNamed(segments: Path, place: readonly (string | number)[]): boolean {
    const [segment, ...rest] = segments;
    if (segment === undefined) return place.length === 0;
    return place.some(
      (key, depth) => (depth === 0 || segment.descendant) && segment.selector.takes(key) && isNamed(rest, place.slice(depth + 1)),
    );
  }

  function edited(value: unknown, segments: Path, set: unknown, place: readonly (string | number)[] = []): unknown {
    const child = (key: string | number, inner: unknown): [string | number, unknown][] => {
      const below = [...place, key];
      if (!isNamed(segments, below)) return [[key, edited(inner, segments, set, below)]];
      return set === undefined ? [] : [[key, set]];
    };
    if (Array.isArray(value)) return value.flatMap((inner, index) => child(index, inner)).map(([, inner]) => inner);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => child(name, inner)));
  }

  test('does what parsing, changing and printing would', () => {
    fc.assert(
      fc.property(document, path, fc.constantFrom(undefined, 'x', 1, null, false), fc.constantFrom('', ' ', '\r\n\t'), (value, segments, set, indent) => {
        const text = indent + JSON.stringify(value, null, indent) + indent;
        const written = `$${segments.map(({ descendant, selector: { text: brackets } }) => (descendant ? '..' : '') + brackets).join('')}`;
        const edit: JsonEdit = set === undefined ? { path: written, remove: true } : { path: written, set };
        expect(JSON.parse(rewrite(text, edit))).toEqual(edited(JSON.parse(text), segments, set));
      }),
      { numRuns: 1_000 },
    );
  });
});
