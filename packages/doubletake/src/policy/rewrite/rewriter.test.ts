import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchangeOf, exchangesOf } from '../../../test/support/exchanges.ts';
import { credentialsSchema } from '../../config/rewrite-schema.ts';
import type { Exchange } from '../../http/exchange.ts';
import { Sanitizer } from '../sanitize/sanitizer.ts';
import type { RewriteOptions, RewriteRule } from './options.ts';
import { openRewriter, Rewriter } from './rewriter.ts';

const nothing: RewriteOptions = { rules: [], idempotencyKey: 'keep', copy: 0 };

function rewriterOf(rule: Omit<RewriteRule, 'name'>): Rewriter {
  return new Rewriter({ ...nothing, rules: [{ name: 'a', ...rule }] });
}

function wireOf({ request }: Exchange): string {
  return Buffer.concat([request.head.bytes, ...(request.body.wire ?? [])]).toString('latin1');
}

/** What goes out, which must be read again as exactly one sound request. */
function rewrite(rewriter: Rewriter, request: string | Buffer): string {
  const exchange = exchangeOf(request);
  const made = rewriter.rewrite(exchange, 'id-1', exchange);
  if (made === null) return 'BLOCKED';
  const again = exchangeOf(Buffer.from(wireOf(made), 'latin1'));
  expect(again.request).toMatchObject({ outcome: 'complete', ambiguity: null });
  expect(again.request.body).toMatchObject({ bytes: made.request.body.bytes, wireBytes: made.request.body.wireBytes });
  return wireOf(made);
}

function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: shop.example:81\r\n${headers}\r\n`;
}

function post(body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

function targetOf(wire: string): string {
  return wire.split(' ', 2)[1] ?? '';
}

/** Fields without the Host of `get`. */
function fieldsOf(wire: string): string[] {
  return wire.split('\r\n\r\n', 1)[0].split('\r\n').slice(2);
}

function bodyOf(wire: string): string {
  return wire.slice(wire.indexOf('\r\n\r\n') + 4);
}

describe('path', () => {
  test.each([
    [{ prefix: '/v1', replace: '/v2' }, '/v1/x?a=/v1', '/v2/x?a=/v1'],
    [{ prefix: '/v1', replace: '/v2' }, '/v1', '/v2'],
    [{ prefix: '/v1', replace: '/v2' }, '/v1?', '/v2?'],
    [{ prefix: '/v1', replace: '/v2' }, '/v10/x', '/v10/x'],
    [{ prefix: '/v1', replace: '/v2' }, '/x/v1', '/x/v1'],
    [{ prefix: '/v1/', replace: '/v2/' }, '/v1/x', '/v2/x'],
    [{ prefix: '/v1/', replace: '/v2' }, '/v1/x', '/v2/x'],
    [{ prefix: '/v1', replace: '' }, '/v1/x', '/x'],
    [{ prefix: '/v1', replace: '' }, '/v1', '/'],
    [{ prefix: '/', replace: '/api' }, '/x', '/api/x'],
    [{ prefix: '/', replace: '/api' }, '/', '/api/'],
    [{ prefix: '/v1', replace: '/' }, '/v1/x', '/x'],
    [{ prefix: '/v1', replace: '/v2' }, '/%761//x%20y', '/v2/x%20y'],
    [{ prefix: '/v1', replace: '/v2' }, '/a/../v1/x', '/v2/x'],
    [{ prefix: '/v1', replace: '/v2' }, '/v1/%7Ex//y/../z', '/v2/%7Ex//y/../z'],
    [{ prefix: '/ü', replace: '/ö ä' }, '/%C3%BC/x', '/%C3%B6%20%C3%A4/x'],
    [{ prefix: '/v1', replace: '/v2' }, 'http://other.example/v1/x', 'http://other.example/v2/x'],
    [{ prefix: '/', replace: '/api' }, 'http://other.example', 'http://other.example/api/'],
    [{ prefix: '/v1', replace: '/v2' }, '/v1/x#/v1', '/v2/x#/v1'],
    [{ prefix: '/t', replace: '/{{host}}/{{client}}/{{header:X-T}}' }, '/t/x', '/shop.example:81/10.0.2.5/a%20%2F%3F%23%25%C3%A9/x'],
    [{ regex: '^/v1/(.*)$', replace: '/v2/$1' }, '/v1/a/b?c', '/v2/a/b?c'],
    [{ regex: '/users/(?P<id>[0-9]+)', replace: '/people/${id}$$x' }, '/users/12/users/13', '/people/12$x/users/13'],
    [{ regex: '^(/a)(/b)?', replace: '$1$2-$0' }, '/a/c', '/a-/a/c'],
    [{ regex: '(.)$', replace: '$10' }, '/x', '/x0'],
    [{ regex: '^/(.*)', replace: '$1' }, '/x/y', '/x/y'],
    [{ regex: 'nothing', replace: 'x' }, '/a%20b', '/a%20b'],
    [{ regex: '^.*$', replace: '{{path}}/{{query}}' }, '/a%20b?c=d?e', '/a%20b/c=d%3Fe?c=d?e'],
  ])('%j makes %s %s', (path, before, after) => {
    expect(targetOf(rewrite(rewriterOf({ path }), get(before, 'X-T: a /?#%\u00c3\u00a9\r\n')))).toBe(after);
  });

  test('OPTIONS * stays', () => {
    const request = 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(rewrite(rewriterOf({ path: { regex: '^', replace: '/a' }, query: { set: { a: 'b' } } }), request)).toBe(request);
  });
});

describe('query', () => {
  test.each([
    [{ set: { debug: '1' } }, '/', '/?debug=1'],
    [{ set: { debug: '1' } }, '/?', '/?debug=1'],
    [{ set: { debug: '1' } }, '/?debug=0&a=%7e&debug=2&debug', '/?debug=1&a=%7e'],
    [{ set: { debug: '1' } }, '/?a&%64ebug=0', '/?a&%64ebug=1'],
    [{ set: { 'a b': 'ü &=#+' } }, '/?a+b', '/?a+b=%C3%BC%20%26%3D%23%2B'],
    [{ set: { 'ü&': '' } }, '/', '/?%C3%BC%26='],
    [{ add: { x: 'y' } }, '/?x=1', '/?x=1&x=y'],
    [{ remove: ['utm_source', 'b'] }, '/?utm_source=x&a=1&&b=2&c', '/?a=1&&c'],
    [{ remove: ['a'] }, '/?a=1&a', '/'],
    [{ remove: ['a'] }, '/?', '/?'],
    [{ remove: ['a'] }, '/?A=1&%zz=+', '/?A=1&%zz=+'],
    [{ set: { from: '{{path}}?{{query}}' } }, '/a%20?b=c', '/a%20?b=c&from=%2Fa%2520%3Fb%3Dc'],
    [{ set: { a: '1' } }, 'http://b.example?a=0#f', 'http://b.example?a=1#f'],
  ])('%j makes %s %s', (query, before, after) => {
    expect(targetOf(rewrite(rewriterOf({ query }), get(before)))).toBe(after);
  });
});

describe('headers', () => {
  const fields = 'x-ONE:1\r\nAccept:  a \t\r\nX-One: 2\r\nX-Empty:\r\n';
  test.each([
    [{ set: { 'X-One': '3' } }, ['x-ONE:3', 'Accept:  a \t', 'X-Empty:']],
    [{ set: { 'x-empty': 'a' } }, ['x-ONE:1', 'Accept:  a \t', 'X-One: 2', 'X-Empty:a']],
    [{ set: { 'X-New': '{{method}} {{id}}' } }, ['x-ONE:1', 'Accept:  a \t', 'X-One: 2', 'X-Empty:', 'X-New: GET id-1']],
    [{ add: { 'X-One': '3' } }, ['x-ONE:1', 'Accept:  a \t', 'X-One: 2', 'X-Empty:', 'X-One: 3']],
    [{ remove: ['X-ONE', 'none'] }, ['Accept:  a \t', 'X-Empty:']],
    [{ set: { 'X-All': '{{header:x-one}}; {{ server }}' }, remove: ['accept', 'x-empty'] }, ['x-ONE:1', 'X-One: 2', 'X-All: 1, 2; 10.0.1.2:80']],
    [{ set: { 'X-U': 'ü' } }, ['x-ONE:1', 'Accept:  a \t', 'X-One: 2', 'X-Empty:', 'X-U: \u00c3\u00bc']],
    [{ set: { accept: '{{header:missing}}' } }, ['x-ONE:1', 'Accept:   \t', 'X-One: 2', 'X-Empty:']],
  ])('%j', (headers, after) => {
    expect(fieldsOf(rewrite(rewriterOf({ headers }), get('/', fields)))).toEqual(after);
  });

  test('line breaks stay those of the request', () => {
    expect(rewrite(rewriterOf({ headers: { add: { 'X-A': 'b' } } }), 'POST / HTTP/1.1\nHost: a\nContent-Length: 1\n\nx')).toBe(
      'POST / HTTP/1.1\nHost: a\nContent-Length: 1\nX-A: b\n\nx',
    );
  });

  test('an ambiguous head is not made to look sound', () => {
    const request = exchangeOf('GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n');
    expect(rewriterOf({ headers: { set: { 'X-B': 'c' } } }).rewrite(request, 'id', request)).toBeNull();
  });
});

describe('host', () => {
  test.each([
    ['shop.test:8080', '/', 'shop.test:8080'],
    ['{{host}}.test', '/', 'shop.example:81.test'],
    ['{{header:X-T}}.test', '/', 'a.test'],
    [{ regex: '^([a-z]+)\\.example', replace: '$1.test' }, '/', 'shop.test:81'],
    [{ regex: 'nothing', replace: 'a' }, '/', null],
    [{ regex: '.*', replace: '{{header:none}}' }, '/', null],
    [{ regex: '^.*$', replace: '$0' }, 'http://user@b.example/', 'b.example'],
  ])('%j of %s is %s', (host, target, expected) => {
    const exchange = exchangeOf(get(target, 'X-T: a/ @\r\n'));
    const rewriter = rewriterOf({ host });
    expect(rewriter.rewrite(exchange, 'id', exchange)).toBe(exchange);
    expect(rewriter.host).toBe(expected);
  });

  test('it is of the last request, and of the last rule that fits', () => {
    const rules: RewriteRule[] = [
      { name: 'a', host: 'a' },
      { name: 'b', host: 'b', when: { path: '/b' } },
    ];
    const rewriter = new Rewriter({ ...nothing, rules });
    const hosts = ['/a', '/b', '/c'].map((path) => {
      rewrite(rewriter, get(path));
      return rewriter.host;
    });
    expect(hosts).toEqual(['a', 'b', 'a']);
    const conditional = rewriterOf({ host: 'b', when: { path: '/b' } });
    rewrite(conditional, get('/b'));
    rewrite(conditional, get('/c'));
    expect(conditional.host).toBeNull();
  });
});

describe('rules', () => {
  test('every rule that fits applies, in order, on what the one before left; conditions see the captured request', () => {
    const rules: RewriteRule[] = [
      { name: '1', when: { path: '/v1/**' }, path: { prefix: '/v1', replace: '/v2' }, headers: { set: { 'X-A': '1' } } },
      { name: '2', when: { path: '/v2/**' }, headers: { set: { 'X-B': 'no' } } },
      { name: '3', path: { prefix: '/v2', replace: '/v3' }, headers: { add: { 'X-A': '{{path}}' } } },
    ];
    const wire = rewrite(new Rewriter({ ...nothing, rules }), get('/v1/x'));
    expect([targetOf(wire), ...fieldsOf(wire)]).toEqual(['/v3/x', 'X-A: 1', 'X-A: /v1/x']);
  });

  test('conditions see the request before it was sanitized, variables after', () => {
    const key = Buffer.from('a key of the tests, long enough');
    const sanitizer = new Sanitizer(
      { presets: ['pii'], presetAction: 'mask', rules: [], jwt: 'resign', unreadableBodies: 'block', bodyBytesMax: 1_000 },
      key,
    );
    const original = exchangeOf(get('/?email=anna@mail.example.de'));
    const safe = sanitizer.sanitize(original);
    if (safe === null) throw new Error('expected a safe request');
    const rule: Omit<RewriteRule, 'name'> = {
      when: { query: { name: 'email', value: 'anna@*' }, client: '10.0.2.5' },
      headers: { set: { 'X-Seen': '{{query}} {{client}}' } },
    };
    const made = rewriterOf(rule).rewrite(safe, 'id', original);
    expect(fieldsOf(made === null ? '' : wireOf(made))).toEqual([expect.stringMatching(/^X-Seen: email=(?:\*|%2A)+ 10\./)]);
    expect(made === null ? '' : wireOf(made)).not.toContain('10.0.2.5');
  });

  test('a client behind a trusted proxy is known', () => {
    const rules: RewriteRule[] = [{ name: 'a', when: { client: '192.0.2.0/24' }, headers: { set: { 'X-A': 'b' } } }];
    const request = get('/', 'X-Forwarded-For: 192.0.2.7\r\n');
    expect(rewrite(new Rewriter({ ...nothing, rules, trustedProxies: ['10.0.0.0/8'] }), request)).toContain('X-A');
    expect(rewrite(new Rewriter({ ...nothing, rules }), request)).not.toContain('X-A');
  });

  test.each<[Omit<RewriteRule, 'name'>, RegExp]>([
    [{ path: { regex: '(', replace: '' } }, /the rule "a": .*missing/],
    [{ path: { regex: 'a', replace: '$1' } }, /the rule "a": .*no group 1/],
    [{ host: '{{hots}}' }, /the rule "a": .*did you mean host/],
    [{ json: [{ path: '$.[', set: 1 }] }, /the rule "a": expected a name/],
    [{ json: [{ path: '$', remove: true }] }, /the rule "a": .*whole document/],
  ])('%j says what is wrong', (rule, message) => {
    expect(() => rewriterOf(rule)).toThrow(message);
  });

  test('there is no rewriter for options that change nothing', () => {
    expect(openRewriter(nothing)).toBeNull();
    expect(openRewriter({ ...nothing, idempotencyKey: 'always' })).toBeInstanceOf(Rewriter);
    expect(openRewriter({ ...nothing, copy: 1 })).toBeInstanceOf(Rewriter);
  });
});

describe('bytes', () => {
  const unused: RewriteOptions = {
    rules: [
      { name: 'no request', when: { path: '/never' }, path: { prefix: '/', replace: '/x' } },
      {
        name: 'finds nothing',
        path: { regex: 'never-there', replace: 'x' },
        host: { regex: 'never-there', replace: 'x' },
        query: { remove: ['never-there'] },
        headers: { remove: ['never-there'] },
        json: [
          { path: '$..neverThere', set: 1 },
          { path: '$..[?@.neverThere]', remove: true },
        ],
      },
    ],
    credentials: credentialsSchema.parse({ when: 'present', header: { name: 'never-there', value: 'x' } }),
    idempotencyKey: 'distinct',
    copy: 0,
  };
  const rewriter = new Rewriter(unused);

  test('where no rule finds anything, the exchange is the same', () => {
    const name = fc.constantFrom('x-ONE', 'Accept', 'Cookie', 'authorization', 'X-A', 'Digest', 'Expect-CT');
    const value = fc.array(fc.constantFrom('a', 'B', '=', ';', ',', '"', ' ', '\t', '\u00e9', '%41'), { maxLength: 10 }).map((parts) => parts.join(''));
    const headers = fc.array(fc.tuple(name, fc.constantFrom(':', ': ', ':  \t'), value), { maxLength: 8 });
    const target = fc.array(fc.constantFrom('/', 'a', '..', '%7e', '%', '?', '&', '=', '+', '#', '\u00e9'), { maxLength: 10 });
    const body = fc.oneof(fc.json({ maxDepth: 3 }), fc.json().map((text) => ` ${text}\r\n`), fc.constant(''));
    const framed = fc.tuple(body, fc.boolean()).map(([text, chunked]) => {
      const bytes = Buffer.from(text);
      if (!chunked) return [`Content-Length: ${bytes.length}\r\n`, bytes.toString('latin1')];
      const half = Math.ceil(bytes.length / 2);
      const chunks = [bytes.subarray(0, half), bytes.subarray(half)].filter(({ length }) => length > 0);
      const wire = chunks.map((chunk) => `${chunk.length.toString(16)};x=y\r\n${chunk.toString('latin1')}\r\n`).join('');
      return ['Transfer-Encoding: chunked\r\n', `${wire}0\r\nX-Trailer: 1\r\n\r\n`];
    });
    fc.assert(
      fc.property(headers, framed, target, (fields, [framing = '', wire = ''], path) => {
        const lines = fields.map((field) => `${field.join('')}\r\n`).join('');
        const request = `POST /${path.join('')} HTTP/1.1\r\n${lines}Content-Type: application/json\r\n${framing}\r\n${wire}`;
        const exchange = exchangeOf(request);
        expect(rewriter.rewrite(exchange, 'id', exchange)).toBe(exchange);
      }),
    );
  });

  test('whatever the head holds, what comes out is one sound request', () => {
    const rule: Omit<RewriteRule, 'name'> = {
      path: { regex: '/(.*)/?', replace: '/{{header:X-T}}/$1/{{path}}{{query}}' },
      host: 'h{{header:X-T}}{{path}}',
      query: { set: { t: '{{header:X-T}}$1', p: '{{path}}' } },
      headers: { set: { 'X-One': '{{header:X-T}}{{query}}' }, add: { 'X-T': ' {{path}} {{header:X-T}} ' } },
      json: [{ path: '$.t', set: '{{header:X-T}}"\\{{path}}' }],
    };
    const hostile = rewriterOf(rule);
    const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10 && code !== 13);
    const bytes = fc.array(byte, { maxLength: 30 }).map((codes) => String.fromCharCode(...codes));
    const escaped = fc.constantFrom('%0d%0aX: y', '%00', '%', '\u0085', '%E5%98%8A', ' HTTP/1.1', '//a@b', '"', '\\');
    const value = fc.oneof(bytes, escaped);
    const target = value.map((text) => text.replaceAll(/[^!-~\x80-\xff]/g, '+'));
    fc.assert(
      fc.property(value, target, (field, path) => {
        const body = '{"t":1,"u":2}';
        const head = `POST /${path} HTTP/1.1\r\nHost: a\r\nX-T: ${field}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
        const wire = rewrite(hostile, head + body);
        const again = exchangeOf(Buffer.from(wire, 'latin1')).request.head;
        const names = Array.from({ length: again.count }, (_, index) => again.name(index));
        expect(names).toEqual(['Host', 'X-T', 'Content-Type', 'Content-Length', 'X-One', 'X-T']);
        expect(again.target).toMatch(/^\/[!-~\x80-\xff]*$/);
        expect(hostile.host).toMatch(/^h[\w.~!$&'()*+,;=:[\]%-]*$/);
        expect(Object.keys(JSON.parse(bodyOf(wire)) as object)).toEqual(['t', 'u']);
      }),
      { numRuns: 300 },
    );
  });
});

describe('json', () => {
  const sink = rewriterOf({ json: [{ path: '$.callback.url', set: 'http://sink.test/{{client}}' }, { path: '$.items[*].note', remove: true }] });

  test('only the values that are named change; the length follows, digests of the old body go', () => {
    const body = '{ "callback" : {"url":"http://prod\\/x", "n" : 1.00e5},\n"items":[{"note":1,"a":12345678901234567890},{"a":2 , "note":{}}],"é":"\\u00e9", "a":1, "a":2}';
    expect(rewrite(sink, post(body, 'Digest: x\r\nContent-MD5: y\r\nX-A:  b \r\n'))).toBe(
      post(
        '{ "callback" : {"url":"http://sink.test/10.0.2.5", "n" : 1.00e5},\n"items":[{"a":12345678901234567890},{"a":2}],"é":"\\u00e9", "a":1, "a":2}',
        'X-A:  b \r\n',
      ).toString('latin1'),
    );
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('a body under %s is closed again', (coding, close) => {
    const wire = rewrite(sink, post(close(Buffer.from('{"callback":{"url":1}}')), `Content-Encoding: ${coding}\r\n`));
    const plain = rewrite(rewriterOf({ json: [{ path: '$.never', set: 1 }, { path: '$.callback.url', remove: true }] }), Buffer.from(wire, 'latin1'));
    expect(plain).not.toBe('BLOCKED');
    if (coding === 'gzip') {
      expect(gunzipSync(Buffer.from(bodyOf(wire), 'latin1')).toString()).toBe('{"callback":{"url":"http://sink.test/10.0.2.5"}}');
    }
  });

  test('chunked stays chunked, in one chunk and with its trailers', () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/vnd.a+json; charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(rewrite(rewriterOf({ json: [{ path: '$[0]', set: true }] }), `${head}2;x=y\r\n[1\r\n1\r\n]\r\n0\r\nX-T: 1\r\nContent-Digest: x\r\n\r\n`)).toBe(
      `${head}6\r\n[true]\r\n0\r\nX-T: 1\r\n\r\n`,
    );
  });

  test.each([
    ['no JSON', post('{"a":')],
    ['two documents', post('{}{}')],
    ['nested too deep', post('['.repeat(300) + ']'.repeat(300))],
    ['UTF-16', post('{}', 'X: y\r\n').toString().replace('application/json', 'application/json; charset=utf-16')],
    ['an unknown coding', post('{}', 'Content-Encoding: secret\r\n')],
    ['a broken coding', post('{}', 'Content-Encoding: gzip\r\n')],
    ['a bomb', post(gzipSync(Buffer.alloc(9 << 20, '[')), 'Content-Encoding: gzip\r\n')],
    ['too large', post(`["${'x'.repeat(9 << 20)}"]`)],
    ['another transfer coding', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
  ])('a body that cannot be read blocks: %s', (_, request) => {
    expect(rewrite(sink, request)).toBe('BLOCKED');
  });

  test('a body that was not kept blocks', () => {
    const exchange = exchangeOf(post('{}'));
    const { request } = exchange;
    const cut: Exchange = { ...exchange, request: { ...request, body: { ...request.body, wire: null, tooLarge: true } } };
    expect(sink.rewrite(cut, 'id', cut)).toBeNull();
  });

  test('what would grow without bound blocks', () => {
    const rewriter = rewriterOf({ json: [{ path: '$[*]', set: '{{header:X-T}}' }] });
    expect(rewrite(rewriter, post(`[${'1,'.repeat(100_000)}1]`, `X-T: ${'x'.repeat(1_000)}\r\n`))).toBe('BLOCKED');
  });

  test.each([
    ['another type', post('{"callback":{"url":1}').toString().replace('application/json', 'text/plain')],
    ['no type', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{'],
    ['no body', post('')],
    ['a request without a body', get('/', 'Content-Type: application/json\r\n')],
    ['nothing that is named', post('[1]', 'Digest: x\r\n')],
  ])('%s stays as it is', (_, request) => {
    expect(rewrite(sink, request)).toBe(request.toString('latin1'));
  });

  test('a later edit sees what an earlier one did', () => {
    const rewriter = rewriterOf({
      json: [
        { path: '$.a', set: null },
        { path: '$[?@ == null]', set: 'ü"\n😀{{header:none}}' },
        { path: '$.b', set: -1.5 },
      ],
    });
    expect(bodyOf(rewrite(rewriter, post('{"a":1,"b":2}')))).toBe('{"a":"\\u00fc\\"\\n\\ud83d\\ude00","b":-1.5}');
  });
});

describe('credentials', () => {
  const all = 'authorization:  Basic x\r\nCookie: a=1; sid=2;b=3; sid=4\r\nX-Api-Key: k\r\nAuthorization: y\r\n';
  test.each([
    [{ bearer: 't' }, all, ['authorization:  Bearer t', 'Cookie: a=1; sid=2;b=3; sid=4', 'X-Api-Key: k']],
    [{ bearer: 't' }, '', ['Authorization: Bearer t']],
    [{ bearer: 't', when: 'present' }, '', []],
    [{ bearer: 't', when: 'present' }, 'Authorization: Basic x\r\n', ['Authorization: Bearer t']],
    [{ basic: { user: 'ü', password: 'p:w' } }, '', ['Authorization: Basic w7w6cDp3']],
    [{ header: { name: 'x-api-key', value: 'n' } }, all, ['authorization:  Basic x', 'Cookie: a=1; sid=2;b=3; sid=4', 'X-Api-Key: n', 'Authorization: y']],
    [{ header: { name: 'X-Key', value: 'n' }, when: 'present' }, all, all.split('\r\n').slice(0, -1)],
    [{ cookie: { name: 'sid', value: 'n' } }, all, ['authorization:  Basic x', 'Cookie: a=1; sid=n;b=3', 'X-Api-Key: k', 'Authorization: y']],
    [{ cookie: { name: 'sid', value: 'n' } }, '', ['Cookie: sid=n']],
    [{ cookie: { name: 'sid', value: 'n' } }, 'Cookie: a=1; b\r\nCookie: c=2;\r\n', ['Cookie: a=1; b', 'Cookie: c=2; sid=n']],
    [{ cookie: { name: 'sid', value: 'n' } }, 'Cookie: sid=1\r\nX: y\r\nCookie: sid=2\r\n', ['Cookie: sid=n', 'X: y']],
    [{ cookie: { name: 'sid', value: 'n' }, when: 'present' }, 'Cookie: SID=1\r\n', ['Cookie: SID=1']],
    [{ cookie: { name: 'sid', value: 'n' }, when: 'present' }, 'Cookie: a="1"; sid=\r\n', ['Cookie: a="1"; sid=n']],
  ])('%j on %j', (credentials, before, after) => {
    const rewriter = new Rewriter({ ...nothing, credentials: credentialsSchema.parse(credentials) });
    expect(fieldsOf(rewrite(rewriter, get('/', before)))).toEqual(after);
  });

  test('they have the last word, and go by what was captured', () => {
    const original = exchangeOf(get('/', 'Authorization: Bearer prod\r\n'));
    const safe = exchangeOf(get('/'));
    const rewriter = new Rewriter({
      ...nothing,
      rules: [{ name: 'a', headers: { set: { authorization: 'rule' } } }],
      credentials: credentialsSchema.parse({ bearer: 't', when: 'present' }),
    });
    const made = rewriter.rewrite(safe, 'id', original);
    expect(fieldsOf(made === null ? '' : wireOf(made))).toEqual(['authorization: Bearer t']);
  });
});

describe('idempotencyKey', () => {
  const key = '0190d1f4-7c2e-7b3a-9d1e-5a6b7c8d9e0f';
  const send = (headers: string, mode: 'keep' | 'distinct' | 'always', copy = 0, method = 'POST'): string[] =>
    fieldsOf(rewrite(new Rewriter({ ...nothing, idempotencyKey: mode, copy }), `${method} / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`));

  test('a key becomes another in the same form, the same for the same key', () => {
    const [distinct] = send(`idempotency-KEY: ${key}\r\n`, 'distinct');
    expect(distinct).toMatch(/^idempotency-KEY: [0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-9[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(distinct).not.toContain(key);
    expect(send(`idempotency-KEY: ${key}\r\nX: y\r\n`, 'always')).toEqual([distinct, 'X: y']);
    expect(send(`Idempotency-Key: "${key}"\r\n`, 'distinct')).toEqual([`Idempotency-Key: "${distinct?.slice(17)}"`]);
    expect(send('Idempotency-Key: order-1\r\n', 'distinct')).toEqual([expect.stringMatching(/^Idempotency-Key: [0-9a-f]{32}$/)]);
    expect(new Set(['a', 'b', '"'].map((text) => send(`Idempotency-Key: ${text}\r\n`, 'distinct')[0])).size).toBe(3);
  });

  test('copies have keys of their own', () => {
    const keys = [0, 1, 2].flatMap((copy) => [...send(`Idempotency-Key: ${key}\r\n`, 'distinct', copy), ...send('', 'always', copy)]);
    expect(new Set(keys).size).toBe(6);
    expect([0, 1].map((copy) => send('Idempotency-Key: a\r\n', 'keep', copy)[0] === 'Idempotency-Key: a')).toEqual([true, false]);
  });

  test('`keep` and `distinct` add none, `always` adds one for each request', () => {
    expect(send('', 'distinct')).toEqual([]);
    expect(send(`Idempotency-Key: ${key}\r\n`, 'keep')).toEqual([`Idempotency-Key: ${key}`]);
    expect(send('', 'always')).toEqual([expect.stringMatching(/^Idempotency-Key: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"$/)]);
    const rewriter = new Rewriter({ ...nothing, idempotencyKey: 'always' });
    const requests = exchangesOf('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'.repeat(3));
    const keys = [...requests, ...requests].map((exchange) => rewriter.rewrite(exchange, 'id', exchange)?.request.head.get('Idempotency-Key'));
    expect(new Set(keys).size).toBe(3);
    expect(keys.slice(3)).toEqual(keys.slice(0, 3));
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])('%s needs none', (method) => {
    expect(send(`Idempotency-Key: ${key}\r\n`, 'always', 0, method)).toEqual([`Idempotency-Key: ${key}`]);
    expect(send('', 'always', 0, method)).toEqual([]);
  });

  test('keys that sanitizing made one are not one', () => {
    const stars = 'POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: ***\r\nContent-Length: 0\r\n\r\n';
    const rewriter = new Rewriter({ ...nothing, idempotencyKey: 'distinct' });
    const keys = exchangesOf(stars + stars).map((exchange) => rewriter.rewrite(exchange, 'id', exchange)?.request.head.get('Idempotency-Key'));
    expect(new Set([...keys, '***']).size).toBe(3);
  });

  test('a rule has the last word', () => {
    const rules: RewriteRule[] = [{ name: 'a', headers: { remove: ['Idempotency-Key'] } }];
    const rewriter = new Rewriter({ ...nothing, idempotencyKey: 'always', rules });
    expect(fieldsOf(rewrite(rewriter, 'POST / HTTP/1.1\r\nHost: a\r\n\r\n'))).toEqual([]);
  });
});
