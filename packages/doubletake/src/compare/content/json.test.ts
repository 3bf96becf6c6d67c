import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, parseJsonLines } from './json.ts';
import { ExactNumber } from './json-number.ts';
import { DEPTH_MAX, type JsonDocument, JsonObject, type JsonValue, Unread } from './json-values.ts';

/** As JSON.parse gives it, as far as doubles go. */
function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof JsonObject) return Object.fromEntries(value.names.map((name, index) => [name, plain(value.values[index])]));
  if (value instanceof ExactNumber) return Number(value.text);
  return value instanceof Unread ? JSON.parse(value.text) : value;
}

function read(text: string, earlier: JsonDocument | null = null): JsonDocument {
  const document = parseJson(text, earlier);
  if ('at' in document) throw new Error(`not JSON at ${document.at}: ${text}`);
  return document;
}

function reference(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const mutation = fc.record({ at: fc.nat(), length: fc.nat(3), insert: fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '.', 'u', ' ') });

function mutate(text: string, { at, length, insert }: { at: number; length: number; insert: string }): string {
  const start = at % (text.length + 1);
  return text.slice(0, start) + insert + text.slice(start + length);
}

describe('JSON', () => {
  it('is accepted and read as JSON.parse does, also when it was broken somewhere', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), fc.constantFrom(undefined, 1), fc.option(mutation), (json, indent, change) => {
        const written = JSON.stringify(JSON.parse(json), null, indent);
        const text = change === null ? written : mutate(written, change);
        const expected = reference(text);
        const document = parseJson(text, null);
        if ('at' in document) {
          expect(expected).toBeUndefined();
          expect(document.at).toBeLessThanOrEqual(text.length);
        } else {
          // -0 and 0 are one number in JSON.
          expect(JSON.stringify(plain(document.value))).toBe(JSON.stringify(expected));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is read the same after an earlier document, whatever that was', () => {
    fc.assert(
      fc.property(fc.json(), mutation, fc.boolean(), (json, change, swap) => {
        const other = mutate(json, change);
        const [first, second] = swap ? [other, json] : [json, other];
        const earlier = parseJson(first, null);
        const alone = parseJson(second, null);
        const after = parseJson(second, 'at' in earlier ? null : earlier);
        if ('at' in alone || 'at' in after) expect(after).toEqual(alone);
        else expect([plain(after.value), after.flaws]).toEqual([plain(alone.value), alone.flaws]);
      }),
      { numRuns: 500 },
    );
  });

  it('takes over objects with the same text, and only those', () => {
    const earlier = read('[{"a":1},{"b":[2]},{"c":3}]');
    const elements = (document: JsonDocument): unknown[] => document.value as unknown[];
    const [first, second, third] = elements(earlier);
    expect(elements(read('[{"b":[2]},{"new":0},{"c":3}]', earlier)).map((each) => [first, second, third].indexOf(each))).toEqual([1, -1, 2]);
    expect(elements(read('[{"new":0},{"a":1},{"b":[2]},{"c":4}]', earlier)).map((each) => [first, second, third].indexOf(each))).toEqual([-1, 0, 1, -1]);
  });

  it.each([
    ['1', '1.0'],
    ['1', '10e-1'],
    ['0', '-0'],
    ['0.5', '5E-1'],
    ['1e21', '1000000000000000000000'],
    ['12345678901234567890', '1234567890123456789e1'],
    ['0.10000000000000000000001', '10000000000000000000001e-23'],
    ['1e00000000000000000001', '10'],
    ['1e999999999999999999999', '10e999999999999999999998'],
  ])('%s and %s are one number', (a, b) => {
    expect(read(a).value).toEqual(read(b).value);
  });

  it.each([
    ['12345678901234567890', '12345678901234567891'],
    ['0.1', '0.10000000000000000001'],
    ['1e400', '1e401'],
    ['9007199254740992', '9007199254740993'],
    ['1e-400', '0'],
    ['-1', '1'],
  ])('%s and %s are two', (a, b) => {
    expect(read(a).value).not.toEqual(read(b).value);
  });

  it.each<[string, string, unknown]>([
    ['{"a":1,"b":2,"a":3}', 'duplicate_names', { a: 3, b: 2 }],
    [String.raw`{"a":1,"\u0061":3}`, 'duplicate_names', { a: 3 }],
    [String.raw`["\ud800"]`, 'lone_surrogate', ['\ud800']],
    ['[NaN]', 'not_a_number', [Number.NaN]],
    ['[-Infinity,Infinity]', 'not_a_number', [-Infinity, Infinity]],
    [`${'['.repeat(DEPTH_MAX + 2)}${']'.repeat(DEPTH_MAX + 2)}`, 'too_deep', reference('['.repeat(DEPTH_MAX + 2) + ']'.repeat(DEPTH_MAX + 2))],
  ])('%s is read, and the flaw told: %s', (text, flaw, value) => {
    const document = read(text);
    expect(document.flaws).toEqual([flaw]);
    expect(plain(document.value)).toEqual(value);
  });

  it('finds a name given twice among many', () => {
    const members = Array.from({ length: 40 }, (_, index) => `"n${index}":${index}`);
    expect(read(`{${members.join()}}`).flaws).toEqual([]);
    expect(read(`{${[...members, '"n30":-1'].join()}}`).flaws).toEqual(['duplicate_names']);
  });

  it('is read line by line, or behind record separators', () => {
    for (const text of ['{"a":1}\n[2]\r\n\n"x"\n', '\u001e{"a":1}\n\u001e[2]\n\u001e"x"\n']) {
      const document = parseJsonLines(text, null);
      if ('at' in document) throw new Error(`not JSON at ${document.at}`);
      expect(plain(document.value)).toEqual([{ a: 1 }, [2], 'x']);
    }
    expect(parseJsonLines('{"a":1}\n{"a"\n', null)).toEqual({ at: 13 });
  });
});
