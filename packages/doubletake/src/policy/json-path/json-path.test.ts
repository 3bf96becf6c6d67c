import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonPathSyntaxError } from '../../config/json-path-parser.ts';
import { JsonDocument, type JsonNode } from './json-document.ts';
import { JsonPath } from './json-path.ts';

function documentOf(value: unknown): JsonDocument {
  return parsed(JSON.stringify(value));
}

function parsed(text: string): JsonDocument {
  const document = JsonDocument.parse(Buffer.from(text).toString('latin1'));
  if (document === null) throw new Error('expected JSON');
  return document;
}

/** The values that a path names, read from their own bytes. */
function select(path: string, document: JsonDocument): unknown[] {
  const nodes = new JsonPath(path).select(document);
  if (nodes === null) throw new Error('expected a result');
  return nodes.map(({ start, end }) => JSON.parse(Buffer.from(document.source.slice(start, end), 'latin1').toString()));
}

/** Documents and results of RFC 9535, by section. */
const bookstore = {
  store: {
    book: [
      { category: 'reference', author: 'Nigel Rees', title: 'Sayings of the Century', price: 8.95 },
      { category: 'fiction', author: 'Evelyn Waugh', title: 'Sword of Honour', price: 12.99 },
      { category: 'fiction', author: 'Herman Melville', title: 'Moby Dick', isbn: '0-553-21311-3', price: 8.99 },
      { category: 'fiction', author: 'J. R. R. Tolkien', title: 'The Lord of the Rings', isbn: '0-395-19395-8', price: 22.99 },
    ],
    bicycle: { color: 'red', price: 399 },
  },
};
const [first, second, third, fourth] = bookstore.store.book;
const table2 = { o: { 'j j': { 'k.k': 3 } }, "'": { '@': 2 } };
const table3 = { o: { j: 1, k: 2 }, a: [5, 3] };
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const comparisons = { obj: { x: 'y' }, arr: [2, 3] };
const filtered = {
  a: [3, 5, 1, 2, 4, 6, { b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }],
  o: { p: 1, q: 2, r: 3, s: 5, t: { u: 6 } },
  e: 'f',
};
const descendants = { o: { j: 1, k: 2 }, a: [5, 3, [{ j: 4 }, { k: 6 }]] };
const nulls = { a: null, b: [null], c: [{}], null: 1 };

const tables: Readonly<Record<string, [document: unknown, cases: [path: string, result: unknown[]][]]>> = {
  '1.5': [
    bookstore,
    [
      ['$.store.book[*].author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
      ['$..author', ['Nigel Rees', 'Evelyn Waugh', 'Herman Melville', 'J. R. R. Tolkien']],
      ['$.store.*', [bookstore.store.book, bookstore.store.bicycle]],
      ['$.store..price', [8.95, 12.99, 8.99, 22.99, 399]],
      ['$..book[2]', [third]],
      ['$..book[2].author', ['Herman Melville']],
      ['$..book[2].publisher', []],
      ['$..book[-1]', [fourth]],
      ['$..book[0,1]', [first, second]],
      ['$..book[:2]', [first, second]],
      ['$..book[?@.isbn]', [third, fourth]],
      ['$..book[?@.price<10]', [first, third]],
    ],
  ],
  '2.3.1': [
    table2,
    [
      ["$.o['j j']", [{ 'k.k': 3 }]],
      ["$.o['j j']['k.k']", [3]],
      ['$.o["j j"]["k.k"]', [3]],
      ['$["\'"]["@"]', [2]],
    ],
  ],
  '2.3.2': [
    table3,
    [
      ['$[*]', [{ j: 1, k: 2 }, [5, 3]]],
      ['$.o[*]', [1, 2]],
      ['$.o[*, *]', [1, 2, 1, 2]],
      ['$.a[*]', [5, 3]],
    ],
  ],
  '2.3.3': [
    ['a', 'b'],
    [
      ['$[1]', ['b']],
      ['$[-2]', ['a']],
      ['$[2]', []],
      ['$[-3]', []],
    ],
  ],
  '2.3.4': [
    letters,
    [
      ['$[1:3]', ['b', 'c']],
      ['$[5:]', ['f', 'g']],
      ['$[1:5:2]', ['b', 'd']],
      ['$[5:1:-2]', ['f', 'd']],
      ['$[::-1]', letters.toReversed()],
      ['$[1:5:0]', []],
    ],
  ],
  '2.3.5 comparisons': [
    comparisons,
    [
      ['$.absent1 == $.absent2', true],
      ['$.absent1 <= $.absent2', true],
      ["$.absent == 'g'", false],
      ['$.absent1 != $.absent2', false],
      ["$.absent != 'g'", true],
      ['1 <= 2', true],
      ['1 > 2', false],
      ["13 == '13'", false],
      ["'a' <= 'b'", true],
      ["'a' > 'b'", false],
      ['$.obj == $.arr', false],
      ['$.obj != $.arr', true],
      ['$.obj == $.obj', true],
      ['$.obj != $.obj', false],
      ['$.arr == $.arr', true],
      ['$.arr != $.arr', false],
      ['$.obj == 17', false],
      ['$.obj != 17', true],
      ['$.obj <= $.arr', false],
      ['$.obj < $.arr', false],
      ['$.obj <= $.obj', true],
      ['$.arr <= $.arr', true],
      ['1 <= $.arr', false],
      ['1 >= $.arr', false],
      ['1 > $.arr', false],
      ['1 < $.arr', false],
      ['true <= true', true],
      ['true > true', false],
    ].map(([condition, holds]) => [`$[?${String(condition)}]`, holds === true ? [{ x: 'y' }, [2, 3]] : []]),
  ],
  '2.3.5 filters': [
    filtered,
    [
      ["$.a[?@.b == 'kilo']", [{ b: 'kilo' }]],
      ["$.a[?(@.b == 'kilo')]", [{ b: 'kilo' }]],
      ['$.a[?@>3.5]', [5, 4, 6]],
      ['$.a[?@.b]', [{ b: 'j' }, { b: 'k' }, { b: {} }, { b: 'kilo' }]],
      ['$[?@.*]', [filtered.a, filtered.o]],
      ['$[?@[?@.b]]', [filtered.a]],
      ['$.o[?@<3, ?@<3]', [1, 2, 1, 2]],
      ['$.a[?@<2 || @.b == "k"]', [1, { b: 'k' }]],
      ['$.a[?match(@.b, "[jk]")]', [{ b: 'j' }, { b: 'k' }]],
      ['$.a[?search(@.b, "[jk]")]', [{ b: 'j' }, { b: 'k' }, { b: 'kilo' }]],
      ['$.o[?@>1 && @<4]', [2, 3]],
      ['$.o[?@.u || @.x]', [{ u: 6 }]],
      ['$.a[?@.b == $.x]', [3, 5, 1, 2, 4, 6]],
      ['$.a[?@ == @]', filtered.a],
    ],
  ],
  '2.4 functions': [
    { t: ['ab', 'abc', '😀b', [1, 2], { a: 1 }, 5, null], re: 'a.*' },
    [
      ['$.t[?length(@) == 2]', ['ab', '😀b', [1, 2]]],
      ['$.t[?length(@) < 2]', [{ a: 1 }]],
      ['$.t[?count(@.*) == 1]', [{ a: 1 }]],
      ['$.t[?count(@[0, 0]) == 2]', [[1, 2]]],
      ['$.t[?value(@..a) == 1]', [{ a: 1 }]],
      ['$.t[?match(@, $.re)]', ['ab', 'abc']],
      ['$.t[?match(@, ".b")]', ['ab', '😀b']],
      ['$.t[?!search(@, "b")]', [[1, 2], { a: 1 }, 5, null]],
      ['$.t[?match(@, $.t)]', []],
      ['$.t[?length(value(@[0])) == length(@.x)]', ['ab', 'abc', '😀b', [1, 2], { a: 1 }, 5, null]],
    ],
  ],
  '2.5.1': [
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    [
      ['$[0, 3]', ['a', 'd']],
      ['$[0:2, 5]', ['a', 'b', 'f']],
      ['$[0, 0]', ['a', 'a']],
    ],
  ],
  '2.5.2': [
    descendants,
    [
      ['$..j', [1, 4]],
      ['$..[0]', [5, { j: 4 }]],
      ['$..o', [{ j: 1, k: 2 }]],
      ['$.o..[*, *]', [1, 2, 1, 2]],
      ['$.a..[0, 1]', [5, 3, { j: 4 }, { k: 6 }]],
      ['$..*', [{ j: 1, k: 2 }, [5, 3, [{ j: 4 }, { k: 6 }]], 1, 2, 5, 3, [{ j: 4 }, { k: 6 }], { j: 4 }, { k: 6 }, 4, 6]],
    ],
  ],
  '2.6': [
    nulls,
    [
      ['$.a', [null]],
      ['$.a[0]', []],
      ['$.a.d', []],
      ['$.b[0]', [null]],
      ['$.b[*]', [null]],
      ['$.b[?@]', [null]],
      ['$.b[?@==null]', [null]],
      ['$.c[?@.d==null]', []],
      ['$.null', [1]],
    ],
  ],
};

describe.each(Object.entries(tables))('RFC 9535 section %s', (_, [value, cases]) => {
  const document = documentOf(value);
  test.each(cases)('%s', (path, result) => {
    expect(select(path, document)).toEqual(result);
  });
});

describe('JsonPath', () => {
  test.each([
    ['$', [{ a: 1, 'ä b': 2, '😀': 3 }]],
    ['$ [ "a" ]', [1]],
    ['$\n.a', [1]],
    ['$["ä b"]', [2]],
    ['$["\\u00e4 b"]', [2]],
    ['$.😀', [3]],
    ["$['\\uD83D\\uDE00']", [3]],
    ['$[?@ == -0.2e1 || @ == 1E0]', [1]],
    ['$[?!(@ == 1)]', [2, 3]],
    ['$[?(@ == 1 || @ == 2) && !@.x]', [1, 2]],
  ])('%s is understood', (path, result) => {
    expect(select(path, documentOf({ a: 1, 'ä b': 2, '😀': 3 }))).toEqual(result);
  });

  test.each([
    '', 'a', ' $', '$ ', '$.', '$..', '$. a', '$.1a', '$.a-b', '$[', '$[]', '$[a]', '$[01]', '$[-0]', '$[1.0]', '$[9007199254740992]',
    '$["a]', "$['\\\"']", "$['\\x']", "$['\\uD800']", '$[1,]', '$[:::]', '$[?]', '$[?1]', '$[?true]', '$[?@.a = 1]', '$[?@.a == 01]',
    '$[?@.* == 1]', '$[?@..a == 1]', '$[?@[0:1] == 1]', '$[?!@.a == 1]', '$[?(@.a]', '$[?length(@.a)]', '$[?length(@.*) == 1]', '$[?count(1) == 1]',
    '$[?match(@.a)]', '$[?match(@.a, "a") == true]', '$[?match(@.a, "(")]', '$[?count (@.*) == 1]', '$[?upper(@.a) == "A"]', '$[?@.a && ]', '$[?@.a & @.b]',
  ])('%j is refused', (path) => {
    expect(() => new JsonPath(path)).toThrow(JsonPathSyntaxError);
  });

  test('an error says where', () => {
    expect(() => new JsonPath('$.a[?@.b == ]')).toThrow(/^expected @, .* at character 13$/);
    expect(() => new JsonPath('$.a[')).toThrow(/at the end$/);
  });

  test('any text is understood or refused, and what is understood has an end', () => {
    const parts = ['$', '@', '.', '..', '*', '[', ']', '(', ')', '?', '!', ',', ':', ' ', 'a', "'b'", '-1', '0', '==', '<', '&&', '||', 'count(', 'match('];
    const document = documentOf(bookstore);
    const path = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((tokens) => `$${tokens.join('')}`);
    const nested = ['$[?', '$[?@[?', '$..[?!'].map((start) => start + '('.repeat(900));
    fc.assert(
      fc.property(fc.oneof(path, fc.constantFrom(...nested)), (text) => {
        try {
          new JsonPath(text).select(document);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonPathSyntaxError);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(select(`$.store[?${'('.repeat(450)}@.color${')'.repeat(450)}]`, document)).toEqual([bookstore.store.bicycle]);
  });

  test('every member of a name is named, a comparison takes the last', () => {
    const document = parsed('[{"a":1,"b":0,"a":2}]');
    expect(select('$[0].a', document)).toEqual([1, 2]);
    expect(select('$[?@.a == 2].b', document)).toEqual([0]);
    expect(select('$[?@.a == 1].b', document)).toEqual([]);
  });

  test('a comparison of texts is one of characters, not of UTF-16', () => {
    expect(select('$[?@ > "\\uFFFD"]', documentOf(['a', '😀']))).toEqual(['😀']);
  });

  test('objects are equal whatever the order of their members', () => {
    const document = parsed('[{"a":{"x":[1.0,"\\u0061"],"y":null}},{"a":{"y":null,"x":[1e0,"a"]}},{"a":{"x":[1]}}]');
    expect(select('$[?@.a == $[0].a].a.x', document)).toEqual([[1, 'a'], [1, 'a']]);
  });

  const rowOfOnes = (length: number): string => `[${'1,'.repeat(length)}1]`;
  const deepRow = '['.repeat(100) + rowOfOnes(20_000) + ']'.repeat(100);

  test.each([
    ['descendants of descendants', '$..*..*..*..*', deepRow],
    ['filters in descendants', '$..[?count(@..*) > 1]', deepRow],
    ['documents compared', `$[?${'@ == $[0] && '.repeat(9)}@]`, `[${`${rowOfOnes(4_000)},`.repeat(100)}1]`],
    ['a pattern of the document', '$.t[?match(@, $.p)]', `{"p":"((a{9}){9}){9}b","t":[${`"${'a'.repeat(20_000)}",`.repeat(100)}1]}`],
    ['all of many, many times', `$[${'*,'.repeat(400)}*]`, rowOfOnes(20_000)],
  ])('what costs too much has no result: %s', (_, path, text) => {
    const isNull = new JsonPath(path).select(parsed(text)) === null;
    expect(isNull).toBe(true);
  });

  test('slices are those of a reference for any bounds', () => {
    const bound = fc.option(fc.integer({ min: -12, max: 12 }), { nil: null });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), bound, bound, bound, (length, start, end, step) => {
        const array = Array.from({ length }, (_, index) => index);
        const path = `$[${start ?? ''}:${end ?? ''}${step === null ? '' : `:${step}`}]`;
        expect(select(path, documentOf(array))).toEqual(pythonSlice(array, start, end, step ?? 1));
      }),
    );
  });
});

/** Slices are those of Python: an index from the end where it is negative, then everything that is in bounds. */
function pythonSlice(array: readonly number[], start: number | null, end: number | null, step: number): number[] {
  const { length } = array;
  const out: number[] = [];
  if (step === 0) return out;
  const absolute = (index: number): number => (index < 0 ? index + length : index);
  const from = start === null ? (step > 0 ? -Infinity : Infinity) : absolute(start);
  const to = end === null ? (step > 0 ? Infinity : -Infinity) : absolute(end);
  const firstOf = step > 0 ? Math.max(from, 0) : Math.min(from, length - 1);
  for (let index = firstOf; step > 0 ? index < to : index > to; index += step) {
    if (index < 0 || index >= length) break;
    out.push(array[index]);
  }
  return out;
}

describe('JsonDocument', () => {
  const tree = (document: JsonDocument, node: JsonNode): unknown => {
    if (node.kind === 'array') return node.children.map((child) => tree(document, child));
    if (node.kind === 'object') return Object.fromEntries(node.children.map((child) => [child.name, tree(document, child)]));
    return document.valueOf(node);
  };

  test('reads what JSON.parse reads, with any white space', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t'), (value, indent) => {
        const document = parsed(`${indent}${JSON.stringify(value, null, indent)}${indent}`);
        expect(tree(document, document.root)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('refuses what JSON.parse refuses, but for raw control characters in strings', () => {
    const soup = fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', 'a', 'u00e4', '0', '1', '-', '.', 'e', '+', ' ', 'true', 'null'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        let sound = true;
        try {
          JSON.parse(text);
        } catch {
          // Not JSON: the reader must say so too.
          sound = false;
        }
        expect(JsonDocument.parse(text) !== null).toBe(sound);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['nested deeper than 200', '['.repeat(202) + ']'.repeat(202)],
    ['nested without end', '['.repeat(1_000_000)],
    ['more than 500,000 values', `[${'1,'.repeat(500_000)}1]`],
    ['two documents', '{} {}'],
    ['nothing', ' '],
  ])('refuses what is %s', (_, text) => {
    expect(JsonDocument.parse(text)).toBeNull();
  });
});
