import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer, jsonAnswer, typedAnswer } from '../../../test/support/answers.ts';
import type { Answer } from '../pair.ts';
import { compareAnswers } from './compare-answers.ts';

const MIB = 1024 * 1024;
const gzip = [['Content-Encoding', 'gzip']] as const;
const xml = (body: string): Answer => typedAnswer('text/xml', body);
const html = (body: string): Answer => typedAnswer('text/html', body);
const utf8 = (...bytes: number[]): Answer => jsonAnswer(Buffer.from([0x22, ...bytes, 0x22]));
const repeat = (times: number, part: (index: number) => string, separator = ''): string => Array.from({ length: times }, (_, index) => part(index)).join(separator);
const nested = (depth: number, inner: string): string => '['.repeat(depth) + inner + ']'.repeat(depth);
/** Nothing that repeats, so that aligning finds it hard. */
function scattered(count: number, seed: number): string {
  let state = seed;
  return repeat(count, () => String((state = Math.imul(state, 1_664_525) + 1_013_904_223) >>> 30), ',');
}

describe('hostile answers', () => {
  it.each<[what: string, a: Answer, b: Answer, limited: string | null, first: string | null]>([
    ['nested arrays', jsonAnswer(nested(500_000, '1')), jsonAnswer(nested(500_000, '2')), 'too_deep', 'value'],
    ['nested arrays that are never closed', jsonAnswer('['.repeat(MIB)), jsonAnswer('['.repeat(MIB - 1)), 'malformed', 'value'],
    ['nested objects on one side', jsonAnswer(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`), jsonAnswer('{"a":1}'), 'too_deep', 'malformed'],
    ['a long array at each of many levels', jsonAnswer(`${'[1,2,3,[4],'.repeat(190)}${scattered(100_000, 1)}${']'.repeat(190)}`), jsonAnswer(`${'[1,2,3,[4],'.repeat(190)}${scattered(100_000, 2)}${']'.repeat(190)}`), null, 'value'],
    ['many arrays that are hard to align', jsonAnswer(`[${repeat(250, (i) => `[${scattered(2_000, i + 1)}]`, ',')}]`), jsonAnswer(`[${repeat(250, (i) => `[${scattered(1_990, i + 1_000)}]`, ',')}]`), null, 'value'],
    ['a long array that is reversed', jsonAnswer(JSON.stringify(Array.from({ length: 50_000 }, (_, i) => i))), jsonAnswer(JSON.stringify(Array.from({ length: 50_000 }, (_, i) => 50_000 - 1 - i))), null, 'order'],
    ['names without number', jsonAnswer(`{${repeat(60_000, (i) => `"a${i}x":1`, ',')}}`), jsonAnswer(`{${repeat(60_000, (i) => `"b${i}x":1`, ',')}}`), null, 'missing'],
    ['a name of a megabyte', jsonAnswer(`{"${'n'.repeat(MIB - 20)}":1}`), jsonAnswer(`{"${'n'.repeat(MIB - 20)}":2}`), null, 'value'],
    ['a number of a megabyte', jsonAnswer('9'.repeat(MIB)), jsonAnswer(`${'9'.repeat(MIB - 1)}8`), null, 'value'],
    ['an exponent of a megabyte', jsonAnswer(`1e${'9'.repeat(MIB - 2)}`), jsonAnswer(`2e${'9'.repeat(MIB - 2)}`), null, 'value'],
    ['escapes alone', jsonAnswer(`"${String.raw`\u0041`.repeat(170_000)}"`), jsonAnswer(`"${String.raw`\u0042`.repeat(170_000)}"`), null, 'value'],
    ['names given twice, on one side', jsonAnswer('{"a":1}'), jsonAnswer('{"a":2,"a":1}'), 'duplicate_names', 'malformed'],
    ['names given twice, on both sides', jsonAnswer('{"a":2,"a":1}'), jsonAnswer('{"a":2,"a":3}'), 'duplicate_names', 'value'],
    ['a name given without end', jsonAnswer(`{${'"a":1,'.repeat(150_000)}"a":1}`), jsonAnswer('{"a":1}'), 'duplicate_names', 'malformed'],
    ['half a character', jsonAnswer(String.raw`["\ud800"]`), jsonAnswer(String.raw`["\udc00"]`), 'lone_surrogate', 'value'],
    ['half a character on one side', jsonAnswer(String.raw`["\ud800"]`), jsonAnswer(String.raw`["\ud83d\ude00"]`), 'lone_surrogate', 'malformed'],
    ['NaN', jsonAnswer('{"a":NaN,"b":1}'), jsonAnswer('{"a":NaN,"b":2}'), 'not_a_number', 'value'],
    ['NaN on one side', jsonAnswer('{"a":0}'), jsonAnswer('{"a":-Infinity}'), 'not_a_number', 'malformed'],
    ['bytes that are no UTF-8', utf8(0xff), utf8(0xfe), 'invalid_characters', 'value'],
    ['bytes that are no UTF-8, on one side', utf8(0xc3, 0xa4), utf8(0xe4), 'invalid_characters', 'malformed'],
    ['a character set that does not exist', typedAnswer('text/plain; charset=klingon', 'a'), typedAnswer('text/plain; charset=klingon', 'b'), 'unknown_charset', 'value'],
    ['a coding that does not exist', typedAnswer('text/plain', 'a', [['Content-Encoding', 'zip']]), typedAnswer('text/plain', 'b', [['Content-Encoding', 'zip']]), 'unknown_coding', 'value'],
    ['codings without end', typedAnswer('text/plain', 'a', [['Content-Encoding', 'gzip,'.repeat(10_000)]]), typedAnswer('text/plain', 'b', [['Content-Encoding', 'gzip,'.repeat(10_000)]]), 'unknown_coding', 'value'],
    ['gzip that is none', typedAnswer('text/plain', gzipSync('a'), gzip), typedAnswer('text/plain', 'b', gzip), 'undecodable', 'malformed'],
    ['a small body that opens to a huge one', typedAnswer('text/plain', gzipSync('a'), gzip), typedAnswer('text/plain', gzipSync(Buffer.alloc(64 * MIB)), gzip), 'too_large', 'length'],
    ['two of them', typedAnswer('text/plain', zstdCompressSync(Buffer.alloc(64 * MIB)), [['Content-Encoding', 'zstd']]), typedAnswer('text/plain', zstdCompressSync(Buffer.alloc(65 * MIB)), [['Content-Encoding', 'zstd']]), 'too_large', null],
    ['a hundred megabytes', { ...answer({}), body: null, bodyBytes: 100 * MIB, bodySha256: 'a'.repeat(64) }, answer({ body: 'a' }), 'too_large', 'length'],
    ['nested elements', xml(`${'<a>'.repeat(40_000)}1${'</a>'.repeat(40_000)}`), xml(`${'<a>'.repeat(40_000)}2${'</a>'.repeat(40_000)}`), 'not_well_formed', 'value'],
    ['elements that are never closed', html('<p><b>'.repeat(40_000)), html('<p><i>'.repeat(40_000)), 'too_deep', 'missing'],
    ['opening brackets', xml('<'.repeat(MIB / 4)), xml('<'.repeat(MIB / 4 - 1)), 'not_well_formed', 'value'],
    ['tags without an end', xml('<a b="'.repeat(150_000)), xml('<a c="'.repeat(150_000)), 'not_well_formed', 'missing'],
    ['comments without an end', html('<!--'.repeat(200_000)), html('<!--'.repeat(200_001)), null, null],
    ['scripts without an end', html('<script>'.repeat(100_000)), html('<script>'.repeat(100_001)), null, 'value'],
    ['attributes without number', xml(`<a ${repeat(40_000, (i) => `x${i}=""`, ' ')}/>`), xml(`<a ${repeat(40_000, (i) => `y${i}=""`, ' ')}/>`), null, 'missing'],
    ['siblings without number', xml(`<a>${'<b/>'.repeat(40_000)}</a>`), xml(`<a>${'<c/>'.repeat(40_000)}</a>`), null, 'missing'],
    ['entities', xml(`<a>${'&amp;&#x41;'.repeat(90_000)}</a>`), xml(`<a>${'&amp;&#x42;'.repeat(90_000)}</a>`), null, 'value'],
    ['fields of a form without number', typedAnswer('application/x-www-form-urlencoded', 'a=1&'.repeat(200_000)), typedAnswer('application/x-www-form-urlencoded', 'a=2&'.repeat(200_000)), null, 'value'],
    ['lines without number', typedAnswer('text/plain', '\n'.repeat(MIB)), typedAnswer('text/plain', 'a\n'.repeat(MIB / 2)), 'too_many_lines', 'value'],
    ['documents without number', typedAnswer('application/x-ndjson', '1\n'.repeat(MIB / 2)), typedAnswer('application/x-ndjson', '2\n'.repeat(MIB / 2)), null, 'value'],
    ['header fields without number', answer({ headers: Array.from({ length: 5_000 }, (_, i) => [`A${i}`, 'a']) }), answer({ headers: Array.from({ length: 5_000 }, (_, i) => [`B${i}`, 'b']) }), null, 'missing'],
    ['cookies without number', answer({ headers: Array.from({ length: 5_000 }, (_, i) => ['Set-Cookie', `a${i}=${';'.repeat(100)}`]) }), answer({}), null, 'missing'],
    ['a media type without end', typedAnswer(`text/plain;${'a=b;'.repeat(50_000)}`, 'a'), typedAnswer(`text/plain;${'a="b";'.repeat(50_000)}`, 'b'), null, 'value'],
  ])('%s', (_, a, b, limited, first) => {
    for (const [left, right, mirrored] of [
      [a, b, false],
      [b, a, true],
    ] as const) {
      const found = compareAnswers(left, right, {});
      expect(found.limited).toBe(limited);
      const kinds = found.differences.map(({ kind }) => kind);
      if (first === null) expect(kinds).toEqual([]);
      else expect(kinds).toContain(mirrored && first === 'missing' && !kinds.includes('missing') ? 'extra' : first);
      expect(Math.max(found.differences.length, found.hidden.length, found.compared.length)).toBeLessThanOrEqual(200);
      for (const { path, place, baseline, candidate } of found.differences) {
        expect(Math.max(path.length, place.length)).toBeLessThanOrEqual(512);
        expect(Math.max(baseline?.length ?? 0, candidate?.length ?? 0)).toBeLessThanOrEqual(256);
        expect([path, place, baseline ?? '', candidate ?? ''].every((text) => text.isWellFormed())).toBe(true);
      }
    }
    expect(compareAnswers(a, a, {}).differences).toEqual([]);
  });

  it('of whatever bytes are compared the same both ways', () => {
    const type = fc.constantFrom('', 'application/json', 'application/x-ndjson', 'text/xml', 'text/html', 'text/plain; charset=utf-16le', 'application/x-www-form-urlencoded', 'image/png');
    const coding = fc.constantFrom('', '', 'gzip', 'deflate', 'br', 'zstd', 'unknown');
    const pieces = fc.constantFrom('<a>', '</a>', '<a b=c>', '<br>', '{"a":', '}', '[', ']', ',', '1', '"x"', '&', '=', '\n', '<', '<!--', '-->', 'é', '\u0000', '\ud83d');
    const body = fc.oneof(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)), fc.array(pieces, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))));
    fc.assert(
      fc.property(type, coding, body, body, (contentType, contentCoding, first, second) => {
        const [a, b] = [first, second].map((bytes) => typedAnswer(contentType, bytes, [['Content-Encoding', contentCoding]]));
        const there = compareAnswers(a, b, {});
        const back = compareAnswers(b, a, {});
        expect(back.differences.map(({ path, baseline, candidate }) => `${path} ${candidate} ${baseline}`).toSorted()).toEqual(
          there.differences.map(({ path, baseline, candidate }) => `${path} ${baseline} ${candidate}`).toSorted(),
        );
        expect(compareAnswers(a, a, {}).differences).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('do not make later comparisons forget what they share', () => {
    const options = { rules: (path: string) => (path === '$.noise' ? { ignore: true } : undefined) };
    const [a, b] = [1, 2].map((noise) => jsonAnswer(JSON.stringify({ noise, value: noise })));
    for (let round = 0; round < 3; round++) {
      const many = (prefix: string): Answer => jsonAnswer(`{${repeat(20_000, (i) => `"${prefix}${round}_${i}":1`, ',')}}`);
      expect(compareAnswers(many('a'), many('b'), options).truncated).toBe(true);
      expect(compareAnswers(a, b, options).differences.map(({ path }) => path)).toEqual(['$.value']);
    }
  });
});
