import { describe, expect, test } from 'vitest';
import type { ShownMessage } from '../../../doubletake/src/server/api/clusters.ts';
import { commonEnds, comparisonRows, grouped, limited, type ShownDifference } from './comparison-rows.ts';
import { headerRows } from './header-rows.tsx';

function body(value: unknown): ShownMessage['body'] {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return { text, language: typeof value === 'string' ? 'text' : 'json', bytes: text.length, cut: false };
}

function at(path: string, place = path): ShownDifference {
  return { kind: 'value', path, place, cluster: null, from: null, to: null };
}

function marked(...parameters: Parameters<typeof comparisonRows>): string[] {
  return comparisonRows(...parameters).flatMap(({ left, right, meaning }) => (meaning === 'same' ? [] : [`${meaning}: ${left?.trim() ?? '-'} | ${right?.trim() ?? '-'}`]));
}

describe('two bodies side by side', () => {
  test('what counts is marked where it stands, what is noise otherwise', () => {
    const left = { items: [{ id: 1, price: 5 }, { id: 2, price: 6 }], trace: 'a' };
    const right = { items: [{ id: 2, price: 7 }, { id: 1, price: 5 }], trace: 'b' };
    expect(marked(body({ ...left, items: [left.items[1]] }), body({ ...right, items: [right.items[0]] }), [at('$.items[*].price', '$.items[id=2].price')])).toEqual([
      'counts: "price": 6 | "price": 7',
      'other: "trace": "a" | "trace": "b"',
    ]);
  });

  test('a member that is gone, and all that was in it', () => {
    expect(marked(body({ a: 1, b: { c: 2 } }), body({ a: 1 }), [at('$.b')])).toEqual(['counts: "b": { | -', 'counts: "c": 2 | -', 'counts: } | -']);
  });

  test('a comma more is no difference, in a text every character is one', () => {
    expect(marked(body({ a: 1 }), body({ a: 1, b: 2 }), [])).toEqual(['other: - | "b": 2']);
    expect(marked(body('a\nb'), body('a\nb,'), [at('text')])).toEqual(['counts: b | b,']);
  });

  test('where only the headers differ, nothing in the body counts', () => {
    expect(marked(body('a'), body('b'), [at('header:etag'), at('status')])).toEqual(['other: a | b']);
  });

  test('long stretches of equal lines are put away, and a long body is shown in parts', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const rows = comparisonRows(body(lines.join('\n')), body(lines.with(50, 'other').join('\n')), [at('text')]);
    const groups = grouped(rows);
    expect(groups.map((group) => ('rows' in group ? group.rows.length : -group.hidden.length))).toEqual([-47, 7, -46]);
    expect(limited(groups, 5)).toMatchObject({ total: 7, shown: [{ hidden: {} }, { rows: { length: 5 } }] });
    expect(grouped(rows.filter(({ meaning }) => meaning === 'same')).length).toBe(2);
  });

  test.each([
    ['"price": 4.5', '"price": "4.5"', { head: 9, tail: 0 }],
    ['aa', 'aaa', { head: 2, tail: 0 }],
    ['xay', 'xby', { head: 1, tail: 1 }],
  ])('%s and %s have their ends in common', (a, b, expected) => {
    expect(commonEnds(a, b)).toEqual(expected);
  });
});

test('headers stand beside those of the same name, cookies beside the same cookie', () => {
  const rows = headerRows(
    [['ETag', '"a"'], ['Set-Cookie', 'sid=1; Path=/'], ['Set-Cookie', 'theme=dark'], ['Vary', '*']],
    [['set-cookie', 'theme=light'], ['set-cookie', 'sid=2; Path=/'], ['etag', '"b"'], ['X-New', '1']],
    [at('cookie:sid'), at('header:vary'), at('header:x-new')],
  );
  expect(rows).toEqual([
    { name: 'etag', left: '"a"', right: '"b"', meaning: 'other' },
    { name: 'set-cookie', left: 'sid=1; Path=/', right: 'sid=2; Path=/', meaning: 'counts' },
    { name: 'set-cookie', left: 'theme=dark', right: 'theme=light', meaning: 'other' },
    { name: 'vary', left: '*', right: null, meaning: 'counts' },
    { name: 'x-new', left: null, right: '1', meaning: 'counts' },
  ]);
});
