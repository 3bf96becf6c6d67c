import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonAnswer } from '../../../test/support/answers.ts';
import type { Comparison } from '../difference.ts';
import { compareAnswers } from './compare-answers.ts';
import type { DiffOptions } from './options.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const options: DiffOptions = { differencesMax: 10_000 };

function compare(a: Json, b: Json, with_: DiffOptions = options): Comparison {
  return compareAnswers(jsonAnswer(JSON.stringify(a)), jsonAnswer(JSON.stringify(b)), with_);
}

/** Documents of few names and values, so that two of them have much in common. */
const names = fc.constantFrom('a', 'b', 'id', 'list', 'näme', 'x y', '__proto__');
const scalars = fc.oneof(fc.constantFrom<Json>(null, true, false, 0, 1, 1.5, -2, '', 'x', '1', 'long enough to be a slice'), fc.nat(3));
const { document } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('document'), { maxLength: 5 }),
    fc.dictionary(names, tie('document'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

type Change = (value: Json, random: () => number) => Json;

/** Changes something somewhere, or nothing. */
const change: Change = (value, random) => {
  const pick = random();
  if (pick < 0.15) return [null, 2, 'x', [], {}, [1], { a: 1 }][Math.floor(random() * 7)];
  if (Array.isArray(value)) {
    if (value.length === 0 || pick < 0.25) return [...value, 1];
    const at = Math.floor(random() * value.length);
    if (pick < 0.35) return value.toSpliced(at, 1);
    if (pick < 0.45) return value.toReversed();
    return value.with(at, change(value[at], random));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0 || pick < 0.25) return Object.fromEntries([...entries, ['new', 1]]);
    const at = Math.floor(random() * entries.length);
    if (pick < 0.35) return Object.fromEntries(entries.toSpliced(at, 1));
    if (pick < 0.45) return Object.fromEntries(entries.toReversed());
    return Object.fromEntries(entries.with(at, [entries[at][0], change(entries[at][1], random)]));
  }
  return value;
};

const pairs = fc.tuple(document, fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), fc.nat(3)).map(([first, numbers, times]) => {
  let second = first;
  const random = (): number => numbers.next().value ?? 0;
  for (let i = 0; i < times; i++) second = change(second, random);
  return [first, second] as const;
});

/** Equal as JSON is: the order of names means nothing. */
function isEqual(a: Json, b: Json): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return ['array', value.map(sorted)];
  if (typeof value !== 'object' || value === null) return value;
  // Pairs, since an object would put names that are numbers first; with a mark, since an array of pairs is none.
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return ['object', members.map(([name, member]) => [name, sorted(member)])];
}

/** What differs, the plain way; arrays by position, so for documents whose arrays are as long. */
function naive(a: Json, b: Json, place: string): string[] {
  if (Array.isArray(a) && Array.isArray(b)) return a.flatMap((value, index) => naive(value, b[index], `${place}[${index}]`));
  const type = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
  if (type(a) !== type(b)) return [`type ${place}`];
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? [] : [`value ${place}`];
  const [left, right] = [a as { [name: string]: Json }, b as { [name: string]: Json }];
  const step = (name: string): string => `${place}${/^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `['${name}']`}`;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((name) => {
    if (!Object.hasOwn(right, name)) return [`missing ${step(name)}`];
    if (!Object.hasOwn(left, name)) return [`extra ${step(name)}`];
    return naive(left[name], right[name], step(name));
  });
}

const withoutArrays: (value: Json) => Json = (value) => {
  if (Array.isArray(value)) return value.length === 0 ? null : withoutArrays(value[0]);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutArrays(member)]));
};

const mirrored: Readonly<Record<string, string>> = { missing: 'extra', extra: 'missing' };

describe('comparing JSON answers', () => {
  it('finds a difference exactly where there is one', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(compare(a, b).differences.length === 0).toBe(isEqual(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds what the plain comparison finds where no array is to be aligned', () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        const [a, b] = pair.map(withoutArrays);
        const found = compare(a, b).differences.map(({ kind, place }) => `${kind} ${place}`);
        expect(found.toSorted()).toEqual(naive(a, b, '$').toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds the same the other way round', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const there = compare(a, b).differences.map(({ kind, path, baseline, candidate }) => [kind, path, baseline, candidate].join('|'));
        const back = compare(b, a).differences.map(({ kind, path, baseline, candidate }) =>
          [mirrored[kind] ?? kind, path, candidate, baseline].join('|'),
        );
        expect(back.toSorted()).toEqual(there.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds nothing between two ways to write a document', () => {
    fc.assert(
      fc.property(document, (value) => {
        const shuffled = JSON.stringify(value, (_, member: Json) =>
          typeof member === 'object' && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).toReversed()) : member, 1);
        const escaped = JSON.stringify(value).replaceAll('x', String.raw`\u0078`);
        for (const other of [shuffled, escaped]) {
          expect(compareAnswers(jsonAnswer(JSON.stringify(value)), jsonAnswer(other), options).differences).toEqual([]);
        }
      }),
    );
  });

  it('calls a shuffled array a matter of order, or of nothing where it is a set', () => {
    fc.assert(
      fc.property(fc.uniqueArray(document, { minLength: 2, maxLength: 6, selector: (value) => JSON.stringify(sorted(value)) }), (values) => {
        const shuffled = values.toReversed();
        expect(compare(values, shuffled).differences.map(({ kind, path }) => [kind, path])).toEqual([['order', '$']]);
        const sets: DiffOptions = { rules: (path) => (path === '$' ? { unordered: true } : undefined) };
        const asSets = compare(values, shuffled, sets);
        expect(asSets.differences).toEqual([]);
        expect(asSets.hidden).toEqual([{ path: '$', by: 'unordered' }]);
      }),
    );
  });
});
