import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { laidOutJson } from './laid-out-json.ts';

describe('JSON laid out', () => {
  test('is what JSON.stringify makes of it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const plain: unknown = JSON.parse(text);
        const compact = JSON.stringify(plain);
        expect(laidOutJson(compact, 1_000_000)).toEqual({ text: JSON.stringify(plain, null, 2), cut: false });
      }),
    );
  });

  test('keeps numbers as they are written, and white space in strings', () => {
    const { text } = laidOutJson('{ "a" : 1.0 ,"b":12345678901234567890,"c":"x  \\" y","d":[ ],"e":{ } }', 1_000);
    expect(text).toBe('{\n  "a": 1.0,\n  "b": 12345678901234567890,\n  "c": "x  \\" y",\n  "d": [],\n  "e": {}\n}');
  });

  test.each([
    ['what is cut off', '{"a":[1,"b', '{\n  "a": [\n    1,\n    "b'],
    ['too many ends', '}}1', '\n}\n}1'],
    ['nothing', '', ''],
  ])('%s does no harm', (_, text, expected) => {
    expect(laidOutJson(text, 1_000).text).toBe(expected);
  });

  test('deep nesting makes no more of it than is asked for', () => {
    const { text, cut } = laidOutJson('['.repeat(500_000), 10_000);
    expect([text.length, cut]).toEqual([10_000, true]);
    expect(laidOutJson(`"${'\\"'.repeat(500_000)}`, 10_000).cut).toBe(true);
  });
});
