import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { answer, type AnswerParts, jsonAnswer, typedAnswer } from '../../../test/support/answers.ts';
import type { Answer } from '../pair.ts';
import { compareAnswers } from './compare-answers.ts';
import type { DiffOptions, FieldRules } from './options.ts';

/** `kind place: from -> to`, as short as a reader would write it down. */
function found(a: Answer, b: Answer, options: DiffOptions = {}): string[] {
  return compareAnswers(a, b, options).differences.map(
    ({ kind, place, baseline, candidate }) => `${kind} ${place}: ${baseline ?? '-'} -> ${candidate ?? '-'}`,
  );
}

function json(a: unknown, b: unknown, rules: Readonly<Record<string, FieldRules>> = {}): string[] {
  return found(jsonAnswer(JSON.stringify(a)), jsonAnswer(JSON.stringify(b)), { rules: (path) => rules[path] });
}

describe('outcomes', () => {
  it.each<[AnswerParts, AnswerParts, string[]]>([
    [{}, {}, []],
    [{ status: 200 }, { status: 201 }, ['status status: 200 -> 201']],
    [{ status: 200, body: 'fine' }, { status: 500, body: 'oh' }, ['status status: 200 -> 500']],
    [{ status: 200, body: 'a' }, { status: 206, body: 'b' }, ['status status: 200 -> 206', 'value line 1: a -> b']],
    [{}, { failure: 'timeout' }, ['failure status: 200 -> timeout']],
    [{ failure: 'reset' }, { failure: 'timeout' }, ['failure status: reset -> timeout']],
    [{ failure: 'reset' }, { failure: 'reset' }, []],
    [{ body: 'text' }, {}, ['missing body: 4 bytes -> -']],
    [{}, { body: 'text' }, ['extra body: - -> 4 bytes']],
  ])('%j and %j', (a, b, expected) => {
    expect(found(answer(a), answer(b))).toEqual(expected);
  });
});

type Fields = readonly (readonly [string, string])[];

describe('header fields', () => {
  const compare = (a: Fields, b: Fields): string[] =>
    found(answer({ headers: a }), answer({ headers: b }), { ownHosts: ['shop.example', '127.0.0.1:8080'] });

  it.each<[string, Fields, Fields]>([
    ['another order', [['A', '1'], ['B', '2']], [['B', '2'], ['A', '1']]],
    ['another case of names', [['X-Thing', '1']], [['x-thing', '1']]],
    ['a list in one field or two', [['Vary', 'Accept'], ['X', '1'], ['Vary', 'Cookie']], [['Vary', 'cookie, accept'], ['X', '1']]],
    ['the moment', [['Date', 'Sat, 21 Nov 2026 10:00:00 GMT'], ['Age', '3'], ['Server-Timing', 'db;dur=5']], [['Date', 'Sat, 21 Nov 2026 10:00:01 GMT']]],
    ['the connection', [['Connection', 'close, X-Hop'], ['X-Hop', '1'], ['Transfer-Encoding', 'chunked']], [['Content-Length', '0'], ['Keep-Alive', 'timeout=5']]],
    ['directives in another order', [['Cache-Control', 'private, max-age=60']], [['Cache-Control', 'max-age=60,Private']]],
    ['dates in one format', [['Last-Modified', 'Sat, 21 Nov 2026 10:00:00 GMT']], [['Last-Modified', 'Fri, 20 Nov 2026 10:00:00 GMT']]],
    ['dates of one zone', [['X-At', '2026-11-21T10:00:00+01:00']], [['X-At', '2026-11-21T10:00:05+01:00']]],
    ['tags of entities', [['ETag', '"abc"']], [['ETag', 'W/"def"']]],
    ['media types written otherwise', [['Content-Type', 'text/html; charset="UTF-8"']], [['Content-Type', 'Text/HTML;charset=utf-8']]],
    ['boundaries', [['Content-Type', 'multipart/mixed; boundary=a']], [['Content-Type', 'multipart/mixed; boundary=b']]],
    ['own hosts', [['Location', 'https://shop.example/cart?x=1']], [['Location', 'http://127.0.0.1:8080/cart?x=1']]],
    ['relative and absolute', [['Location', '/cart']], [['Location', 'http://127.0.0.1:8080/cart']]],
    [
      'the same lifetime',
      [['Date', 'Sat, 21 Nov 2026 10:00:00 GMT'], ['Expires', 'Sat, 21 Nov 2026 11:00:00 GMT']],
      [['Date', 'Sat, 21 Nov 2026 10:00:07 GMT'], ['Expires', 'Sat, 21 Nov 2026 11:00:08 GMT']],
    ],
  ])('mean the same: %s', (_, a, b) => {
    expect(compare(a, b)).toEqual([]);
    expect(compare(b, a)).toEqual([]);
  });

  it.each<[string, Fields, Fields, string[]]>([
    ['a value', [['X-Api', '1']], [['X-Api', '2']], ['value header:x-api: 1 -> 2']],
    ['gone', [['X-Frame-Options', 'DENY']], [], ['missing header:x-frame-options: DENY -> -']],
    ['new', [], [['X-Debug', 'on']], ['extra header:x-debug: - -> on']],
    ['given twice', [['Via-App', 'a']], [['Via-App', 'a'], ['Via-App', 'b']], ['value header:via-app: a -> a, b']],
    ['a directive', [['Cache-Control', 'private, max-age=60']], [['Cache-Control', 'public, max-age=60']], ['value header:cache-control: private, max-age=60 -> public, max-age=60']],
    ['the media type', [['Content-Type', 'application/json']], [['Content-Type', 'text/plain']], ['type header:content-type: application/json -> text/plain']],
    ['the charset', [['Content-Type', 'text/html; charset=utf-8']], [['Content-Type', 'text/html']], ['value header:content-type: text/html; charset=utf-8 -> text/html']],
    ['the order of codings', [['Content-Encoding', 'gzip, br']], [['Content-Encoding', 'br, gzip']], ['value header:content-encoding: gzip, br -> br, gzip']],
    ['a tag that is none', [['ETag', '"abc"']], [['ETag', 'abc']], ['value header:etag: "abc" -> abc']],
    ['another zone', [['X-At', '2026-11-21T10:00:00Z']], [['X-At', '2026-11-21T11:00:00+01:00']], ['value header:x-at: 2026-11-21T10:00:00Z -> 2026-11-21T11:00:00+01:00']],
    ['another format of a date', [['Last-Modified', 'Sat, 21 Nov 2026 10:00:00 GMT']], [['Last-Modified', '2026-11-21']], ['value header:last-modified: Sat, 21 Nov 2026 10:00:00 GMT -> 2026-11-21']],
    ['a foreign host', [['Location', 'https://shop.example/x']], [['Location', 'https://evil.example/x']], ['value header:location: https://shop.example/x -> https://evil.example/x']],
    [
      'another lifetime',
      [['Date', 'Sat, 21 Nov 2026 10:00:00 GMT'], ['Expires', 'Sat, 21 Nov 2026 11:00:00 GMT']],
      [['Date', 'Sat, 21 Nov 2026 10:00:00 GMT'], ['Expires', 'Sat, 21 Nov 2026 10:01:00 GMT']],
      ['value header:expires: Sat, 21 Nov 2026 11:00:00 GMT -> Sat, 21 Nov 2026 10:01:00 GMT'],
    ],
  ])('differ: %s', (_, a, b, expected) => {
    expect(compare(a, b)).toEqual(expected);
  });

  it.each<[string, string[], string[], string[]]>([
    ['in another order', ['a=1', 'b=2; Path=/'], ['b=2; path=/', 'a=1'], []],
    ['with another case of attributes', ['a=1; Secure; SameSite=Lax'], ['a=1; samesite=lax; secure'], []],
    ['for the own domain', ['a=1; Domain=.shop.example'], ['a=1; Domain=127.0.0.1'], []],
    ['with a value of its own', ['sid=abc'], ['sid=def'], ['value cookie:sid: abc -> def']],
    ['that is gone', ['a=1', 'b=2'], ['a=1'], ['missing cookie:b: 2 -> -']],
    ['that is new', [], ['b=2'], ['extra cookie:b: - -> 2']],
    ['less well kept', ['a=1; Secure; HttpOnly'], ['a=1; Secure'], ['missing cookie:a;httponly:  -> -']],
    ['elsewhere', ['a=1; Path=/'], ['a=1; Path=/api'], ['value cookie:a;path: / -> /api']],
    ['kept longer', ['a=1; Max-Age=60'], ['a=1; Max-Age=3600'], ['value cookie:a;max-age: 60 -> 3600']],
  ])('set a cookie %s', (_, a, b, expected) => {
    const fields = (cookies: string[]): Fields => cookies.map((cookie) => ['Set-Cookie', cookie]);
    expect(compare(fields(a), fields(b))).toEqual(expected);
  });

  it('are not compared where a rule says so, and the rule is told of it', () => {
    const options: DiffOptions = { rules: (path) => (/^(?:header:x-trace|cookie:sid)$/.test(path) ? { ignore: true } : undefined) };
    const [a, b] = ['1', '2'].map((value) => answer({ headers: [['X-Trace', value], ['Set-Cookie', `sid=${value}`]] }));
    const { differences, hidden } = compareAnswers(a, b, options);
    expect(differences).toEqual([]);
    expect(hidden).toEqual([
      { path: 'header:x-trace', by: 'ignore' },
      { path: 'cookie:sid', by: 'ignore' },
    ]);
  });
});

describe('JSON', () => {
  const items = (...ids: number[]): { id: number; price: number }[] => ids.map((id) => ({ id, price: id * 10 }));

  it.each<[string, unknown, unknown, string[]]>([
    ['a value', { a: { b: 'x' } }, { a: { b: 'y' } }, ['value $.a.b: x -> y']],
    ['a type', { a: 1 }, { a: '1' }, ['type $.a: 1 -> 1']],
    ['null', { a: 1 }, { a: null }, ['type $.a: 1 -> null']],
    ['a missing member', { a: 1, b: { c: 2 } }, { a: 1 }, ['missing $.b: {"c":2} -> -']],
    ['another member', { a: 1 }, { a: 1, b: [1, 'x'] }, ['extra $.b: - -> [1,"x"]']],
    ['a name that is no word', { 'a b': { "it's": 1 } }, { 'a b': { "it's": 2 } }, [String.raw`value $['a b']['it\'s']: 1 -> 2`]],
    ['an element', [1, 2, 3], [1, 9, 3], ['value $[1]: 2 -> 9']],
    ['an element more in between', ['a', 'b', 'c'], ['a', 'x', 'b', 'c'], ['extra $[1]: - -> x']],
    ['a longer array', { a: [1, 2] }, { a: [1, 2, 3, 4] }, ['length $.a: 2 -> 4']],
    ['an empty array', { a: items(1, 2) }, { a: [] }, ['length $.a: 2 -> 0']],
    ['an element that moved', ['a', 'b', 'c'], ['c', 'a', 'b'], ['order $: a, b, c -> c, a, b']],
    ['an object that is missing', items(1, 2, 3), items(1, 3), ['missing $[id=2]: {"id":2,"price":20} -> -']],
    ['objects that moved', items(1, 2, 3), items(3, 1, 2), ['order $: 1, 2, 3 -> 3, 1, 2']],
    ['objects that moved, one changed', items(1, 2, 3), [{ id: 3, price: 31 }, ...items(1, 2)], ['order $: 1, 2, 3 -> 3, 1, 2', 'value $[id=3].price: 30 -> 31']],
    ['a page of another size', { items: items(1, 2, 3, 4) }, { items: items(1, 2) }, ['length $.items: 4 -> 2']],
    [
      'an object without a key that is missing, while the others hold the time',
      ['a', 'b', 'c', 'd'].map((title) => ({ title, at: 1 })),
      ['a', 'c', 'd'].map((title) => ({ title, at: 2 })),
      ['value $[title=a].at: 1 -> 2', 'missing $[title=b]: {"title":"b","at":1} -> -', 'value $[title=c].at: 1 -> 2', 'value $[title=d].at: 1 -> 2'],
    ],
    [
      'a text that describes an object, and the time',
      ['a', 'b', 'c', 'd'].map((title) => ({ title, at: 1 })),
      ['a', 'b', 'x', 'd'].map((title) => ({ title, at: 2 })),
      ['value $[0].at: 1 -> 2', 'value $[1].at: 1 -> 2', 'value $[2].title: c -> x', 'value $[2].at: 1 -> 2', 'value $[3].at: 1 -> 2'],
    ],
    ['keys made anew', items(1, 2).map((item) => ({ ...item, n: 1 })), items(3, 4).map((item) => ({ ...item, n: 1 })), ['value $[0].id: 1 -> 3', 'value $[0].price: 10 -> 30', 'value $[1].id: 2 -> 4', 'value $[1].price: 20 -> 40']],
  ])('differs by %s', (_, a, b, expected) => {
    expect(json(a, b)).toEqual(expected);
  });

  it('is compared by what numbers say, however large', () => {
    const [a, b] = ['{"id":12345678901234567890,"x":1.0,"y":1e2}', '{"id":12345678901234567891,"x":1,"y":100}'].map(jsonAnswer);
    expect(found(a, b)).toEqual(['value $.id: 12345678901234567890 -> 12345678901234567891']);
  });

  it('has paths that leave out what varies, and places that do not', () => {
    const users = (rate: number): Answer => jsonAnswer(JSON.stringify({ '3f2c1a9e-1b2c-4d5e-8f90-1234567890ab': { days: { '2026-11-21': [{ rate }] } } }));
    const [difference] = compareAnswers(users(1), users(2), {}).differences;
    expect(difference.path).toBe('$.*.days.*[*].rate');
    expect(difference.place).toBe("$['3f2c1a9e-1b2c-4d5e-8f90-1234567890ab'].days['2026-11-21'][0].rate");
  });

  it('tells which paths were compared, once each', () => {
    const [a, b] = [1, 2].map((total) => jsonAnswer(JSON.stringify({ total, lines: [{ sku: 'a', n: total }, { sku: 'b', n: 3 }], [`only${total}`]: 1 })));
    expect(compareAnswers(a, b, {}).compared).toEqual(['status', 'header:content-type', '$', '$.total', '$.lines', '$.lines[*]', '$.lines[*].sku', '$.lines[*].n']);
  });

  it.each<[string, Readonly<Record<string, FieldRules>>, unknown, unknown, string[]]>([
    ['ignored', { '$.a': { ignore: true } }, { a: { b: 1 }, c: 1 }, { a: [], c: 1 }, []],
    ['ignored where it is gone', { '$.a': { ignore: true } }, { a: 1 }, {}, []],
    ['ignored in elements that moved', { '$[*].at': { ignore: true } }, [{ v: 'a', at: 1 }, { v: 'b', at: 2 }, { v: 'c', at: 3 }], [{ v: 'a', at: 4 }, { v: 'c', at: 5 }], ['missing $[1]: {"v":"b","at":2} -> -']],
    ['within a distance', { '$.a': { absoluteTolerance: 0.01 } }, { a: 1.001, b: 1 }, { a: 1.002, b: 1.001 }, ['value $.b: 1 -> 1.001']],
    ['beyond a distance', { '$.a': { absoluteTolerance: 0.01 } }, { a: 1 }, { a: 1.02 }, ['value $.a: 1 -> 1.02']],
    ['within a share', { '$[*]': { relativeTolerance: 0.01 } }, [1000, 1], [1009, 1.1], ['value $[1]: 1 -> 1.1']],
    ['sets', { '$.tags': { unordered: true } }, { tags: ['a', 'b', 'b'] }, { tags: ['b', 'a', 'c'] }, ['value $.tags[2]: b -> c']],
    ['known by a key', { $: { key: 'ref' } }, [{ ref: 'x', n: 1 }, { ref: 'y', n: 2 }], [{ ref: 'y', n: 2 }, { ref: 'z', n: 1 }], ['missing $[ref=x]: {"ref":"x","n":1} -> -', 'extra $[ref=z]: - -> {"ref":"z","n":1}']],
  ])('is told of values: %s', (_, rules, a, b, expected) => {
    expect(json(a, b, rules)).toEqual(expected);
  });

  it('counts what rules hid', () => {
    const rules: Readonly<Record<string, FieldRules>> = { '$.a': { ignore: true }, '$.b': { absoluteTolerance: 1 }, '$.c': { unordered: true }, '$.d': { ignore: true } };
    const [a, b] = [{ a: { x: 1 }, b: 1, c: [1, 2], d: 1 }, { a: { x: 2 }, b: 2, c: [2, 1], d: 1 }].map((value) => jsonAnswer(JSON.stringify(value)));
    expect(compareAnswers(a, b, { rules: (path) => rules[path] }).hidden).toEqual([
      { path: '$.a', by: 'ignore' },
      { path: '$.b', by: 'tolerance' },
      { path: '$.c', by: 'unordered' },
    ]);
  });
});

describe('bodies', () => {
  const gzip: Fields = [['Content-Encoding', 'gzip']];

  it.each<[string, Answer, Answer, string[]]>([
    ['lines of JSON', typedAnswer('application/x-ndjson', '{"a":1}\n{"a":2}\n'), typedAnswer('application/x-ndjson', '{"a":1}\n{"a":"2"}\n'), ['type $[1].a: 2 -> 2']],
    ['a kind of JSON', typedAnswer('application/problem+json; charset=utf-8', '{"a":1}'), typedAnswer('application/problem+json; charset=utf-8', '{"a":2}'), ['value $.a: 1 -> 2']],
    ['no type, but JSON', answer({ body: '{"a":1}' }), answer({ body: ' {"a":2}' }), ['value $.a: 1 -> 2']],
    [
      'XML',
      typedAnswer('application/xml', '<?xml version="1.0"?><o id="1"><!-- x --><i>a</i><i b="1">c &amp; d</i></o>'),
      typedAnswer('application/xml', '<o id="2">\n  <i>a</i>\n  <i b="1" c="">c & e</i><new/></o>'),
      ['value xml:/o/@id: 1 -> 2', 'extra xml:/o/i[2]/@c: - -> ', 'value xml:/o/i[2]/text(): c & d -> c & e', 'extra xml:/o/new: - -> <new/>'],
    ],
    [
      'HTML',
      typedAnswer('text/html', '<!DOCTYPE html><html><body class=a><p>One<br>two<script>if (a<b) x()</script></body></html>'),
      typedAnswer('text/html', '<html><BODY class="a"><p>One<br>\n three<script>if (a<b) y()</script></body></html>'),
      ['value html:/html/body/p/text()[2]: two -> three', 'value html:/html/body/p/script/text(): if (a<b) x() -> if (a<b) y()'],
    ],
    ['a form', typedAnswer('application/x-www-form-urlencoded', 'a=1&b=x+y&b=2'), typedAnswer('application/x-www-form-urlencoded', 'b=x%20y&b=3&c=1'), ['missing form:a: 1 -> -', 'value form:b[1]: 2 -> 3', 'extra form:c: - -> 1']],
    ['text', typedAnswer('text/csv', 'a\nb\nc\n'), typedAnswer('text/csv', 'a\r\nx\r\nc\r\nd'), ['value line 2: b -> x', 'extra line 4: - -> d']],
    ['JSON that says it is text', typedAnswer('text/plain', '{"a":1,"b":2}'), typedAnswer('text/plain', '{"b":3,"a":1}'), ['value $.b: 2 -> 3']],
    ['text that begins like JSON', typedAnswer('text/plain', '[info] a'), typedAnswer('text/plain', '[info] b'), ['value line 1: [info] a -> [info] b']],
    ['bytes', typedAnswer('image/png', Buffer.from([1, 2])), typedAnswer('image/png', Buffer.from([1, 3])), ['value body: 2 bytes, sha256 a12871fee210fb86 -> 2 bytes, sha256 c79b932e1e1da3c0']],
    ['what they are', typedAnswer('application/json', '{}'), typedAnswer('text/html', '<html></html>'), ['type header:content-type: application/json -> text/html', 'type body: json -> html']],
    ['the same under another type', typedAnswer('application/json', '{"a":1}'), typedAnswer('text/plain', '{ "a": 1}'), ['type header:content-type: application/json -> text/plain']],
    ['JSON that is none', jsonAnswer('{"a":1}'), jsonAnswer('{"a":1,}'), ['malformed body: - -> not JSON from character 8 on']],
    ['JSON that is none on both sides', jsonAnswer('<a>'), jsonAnswer('<b>'), ['value line 1: <a> -> <b>']],
  ])('are compared as %s', (_, a, b, expected) => {
    expect(found(a, b)).toEqual(expected);
  });

  it.each<[string, string, (text: Buffer) => Buffer]>([
    ['gzip', 'gzip', (text) => gzipSync(text, { level: 1 })],
    ['deflate', 'deflate', (text) => deflateSync(text)],
    ['deflate', 'deflate without its wrapping', (text) => deflateRawSync(text)],
    ['br', 'br', (text) => brotliCompressSync(text)],
    ['zstd', 'zstd', (text) => zstdCompressSync(text)],
    ['gzip, br', 'gzip, then br', (text) => brotliCompressSync(gzipSync(text))],
  ])('are opened: %s as %s', (coding, _, close) => {
    const coded = (value: unknown): Answer => typedAnswer('application/json', close(Buffer.from(JSON.stringify(value))), [['Content-Encoding', coding]]);
    expect(found(coded({ a: 1, b: 'ä' }), coded({ a: 2, b: 'ä' }))).toEqual(['value $.a: 1 -> 2']);
    const plain = jsonAnswer('{"b":"ä","a":1}');
    expect(found(coded({ a: 1, b: 'ä' }), plain)).toEqual([`missing header:content-encoding: ${coding} -> -`]);
  });

  it('are read in their character sets', () => {
    const utf16 = typedAnswer('application/json; charset=utf-16le', Buffer.from('{"a":"Grüße €"}', 'utf16le'));
    const latin1 = typedAnswer('application/json; charset=iso-8859-1', Buffer.from('{"a":"Gr\u00fc\u00dfe \u0080"}', 'latin1'));
    expect(found(utf16, jsonAnswer('\ufeff{"a":"Grüße €"}')).filter((text) => !text.includes('content-type'))).toEqual([]);
    expect(found(latin1, jsonAnswer('{"a":"Grüße €"}')).filter((text) => !text.includes('content-type'))).toEqual([]);
    expect(found(latin1, jsonAnswer('{"a":"Grusse"}')).filter((text) => !text.includes('content-type'))).toEqual(['value $.a: Grüße € -> Grusse']);
  });

  it('are the same when their content is, however it was packed', () => {
    const [a, b] = [1, 9].map((level) => typedAnswer('text/plain', gzipSync('x'.repeat(5_000), { level }), gzip));
    expect(a.body?.equals(b.body ?? Buffer.alloc(0))).toBe(false);
    expect(compareAnswers(a, b, {})).toMatchObject({ differences: [], limited: null });
  });

  it('that were not kept are compared by length and hash, unless they are packed', () => {
    const kept = (bodyBytes: number, bodySha256: string, headers: Fields = []): Answer => ({ ...answer({ headers }), body: null, bodyBytes, bodySha256 });
    const a = kept(2_000_000, 'aa'.repeat(32));
    expect(found(a, kept(2_000_000, 'aa'.repeat(32)))).toEqual([]);
    expect(found(a, kept(2_000_000, 'bb'.repeat(32)))).toEqual(['value body: 2000000 bytes, sha256 aaaaaaaaaaaaaaaa -> 2000000 bytes, sha256 bbbbbbbbbbbbbbbb']);
    expect(found(a, kept(2_000_001, 'bb'.repeat(32)))[0]).toMatch(/^length body/);
    expect(found(a, answer({ body: 'short' }))[0]).toMatch(/^length body: 2000000 bytes.* -> 5 bytes/);
    expect(found(kept(2_000_000, 'aa'.repeat(32), gzip), kept(2_000_001, 'bb'.repeat(32), gzip))).toEqual([]);
    expect(compareAnswers(a, kept(2_000_001, 'bb'.repeat(32)), {}).limited).toBe('too_large');
  });
});
