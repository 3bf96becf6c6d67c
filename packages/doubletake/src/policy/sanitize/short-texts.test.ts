import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SHORT_TEXT_MAX, ShortTexts } from './short-texts.ts';

test('what is remembered is what would be made', () => {
  // Few enough to come again, more than there are places.
  const text = fc.integer({ min: 1, max: 20_000 }).map((number) => `${number}`);
  const texts = new ShortTexts();
  fc.assert(
    fc.property(fc.array(fc.oneof(text, fc.string({ minLength: 1, maxLength: SHORT_TEXT_MAX })), { maxLength: 500 }), (all) => {
      for (const each of all) expect(texts.get(each, (made) => `<${made}>`)).toBe(`<${each}>`);
    }),
  );
});

test('a text is made twice and then remembered, though others come by once', () => {
  const texts = new ShortTexts();
  const made: string[] = [];
  const make = (text: string): string => {
    made.push(text);
    return text;
  };
  for (let round = 0; round < 3; round++) texts.get('Berlin', make);
  for (let other = 0; other < 100_000; other++) texts.get(`o${other}`, (text) => text);
  texts.get('Berlin', make);
  expect(made).toEqual(['Berlin', 'Berlin']);
});
