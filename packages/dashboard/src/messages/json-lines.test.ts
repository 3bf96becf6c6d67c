import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memberStep } from '../../../doubletake/src/compare/diff/path-tree.ts';
import { JsonLines } from './json-lines.ts';

const cart = JSON.stringify({ items: [{ id: 17, price: 5, tags: [] }, { id: 'a]b', price: 6 }], 'a name': { "it's": null }, total: 11 }, null, 2);

function textAt(text: string, place: string): string | null {
  const json = new JsonLines(text);
  const found = json.at(place);
  return found === null ? null : json.lines.slice(found.first, found.last + 1).map((line) => line.trim()).join(' ');
}

describe('lines of a place in JSON', () => {
  test.each([
    ['$.total', '"total": 11'],
    ['$.items[0].price', '"price": 5,'],
    ['$.items[id=17].price', '"price": 5,'],
    ['$.items[id=a]b].price', '"price": 6'],
    ['$.items[1]', '{ "id": "a]b", "price": 6 }'],
    ["$['a name']['it\\'s']", '"it\'s": null'],
    ['$.items[0].tags', '"tags": []'],
    ['$.items[7].price', null],
    ['$.items[id=99]', null],
    ['$.to…', null],
    ['header:etag', null],
  ])('%s', (place, expected) => {
    expect(textAt(cart, place)).toBe(expected);
  });

  test('a document that is one value', () => {
    expect(textAt('"whole"', '$')).toBe('"whole"');
  });

  test('a document that was cut: what is there is found, and what is open goes on to the end', () => {
    const cut = cart.slice(0, cart.indexOf('"price": 6'));
    expect(textAt(cut, '$.items[0].price')).toBe('"price": 5,');
    expect(textAt(cut, '$.items[1]')).toBe('{ "id": "a]b", ');
  });

  test('every value of any document is found at its place', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => {
        const value: unknown = JSON.parse(json);
        const text = JSON.stringify(value, null, 2);
        for (const [place, inner] of placesOf(value, '$')) {
          const found = textAt(text, place) ?? '';
          expect(found.replace(/^"(?:[^"\\]|\\.)*": /, '').replace(/,$/, '')).toBe(oneLine(inner));
        }
      }),
    );
  });
});

function oneLine(value: unknown): string {
  return JSON.stringify(value, null, 2).split('\n').map((line) => line.trim()).join(' ');
}

function placesOf(value: unknown, place: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[place, value]];
  const below = Array.isArray(value)
    ? value.map((inner, index) => [`${place}[${index}]`, inner] as const)
    : Object.entries(value).map(([name, inner]) => [place + memberStep(name), inner] as const);
  return [[place, value], ...below.flatMap(([at, inner]) => placesOf(inner, at))];
}
