import { createHmac } from 'node:crypto';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import { JsonPathSyntaxError } from '../../config/json-path-parser.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { SanitizeOptions } from './options.ts';
import { Sanitizer } from './sanitizer.ts';

const key = Buffer.from('a key of the tests, long enough');
const all: SanitizeOptions = {
  presets: ['auth', 'pii', 'payment'],
  presetAction: 'pseudonym',
  rules: [],
  jwt: 'resign',
  unreadableBodies: 'block',
  bodyBytesMax: 1 << 20,
};
const everything = new Sanitizer(all, key);

function post(type: string, body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST /x HTTP/1.1\r\nHost: a\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

function wireOf({ request }: Exchange): Buffer {
  return Buffer.concat([request.head.bytes, ...(request.body.wire ?? [])]);
}

/** What goes out, read again as exactly one whole request with the same framing. */
function sanitized(request: string | Buffer, sanitizer = everything): Buffer | null {
  const safe = sanitizer.sanitize(exchangeOf(request));
  if (safe === null) return null;
  const wire = wireOf(safe);
  const again = exchangeOf(wire);
  expect(again.request).toMatchObject({ outcome: 'complete', ambiguity: null });
  expect(again.request.body.bytes).toBe(safe.request.body.bytes);
  expect(again.request.body.wireBytes).toBe(safe.request.body.wireBytes);
  return wire;
}

function text(request: string | Buffer, options: Partial<SanitizeOptions> = {}): string {
  const sanitizer = Object.keys(options).length === 0 ? everything : new Sanitizer({ ...all, ...options }, key);
  return sanitized(request, sanitizer)?.toString() ?? 'BLOCKED';
}

function bodyOf(wire: string): string {
  return wire.slice(wire.indexOf('\r\n\r\n') + 4);
}

function json(value: unknown, options: Partial<SanitizeOptions> = {}): unknown {
  return JSON.parse(bodyOf(text(post('application/json', JSON.stringify(value)), options)));
}

const jwt = (claims: object): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJlc2lnbmF0dXJl`;
};

/** Values that are found by their form, wherever they stand. */
const byForm = {
  email: 'anna.schmidt+shop@mail.example.de',
  card: '4539578763621486',
  'card with spaces': '4111 1111 1111 1111',
  'card with dashes': '5500-0055-5555-5559',
  amex: '378734493671000',
  phone: '+49 170 1234567',
  'phone, compact': '+491701234567',
  'US phone': '(212) 736-5000',
  iban: 'DE89370400440532013000',
  'iban with spaces': 'GB82 WEST 1234 5698 7654 32',
  ssn: '536-90-4399',
  'Steuer-ID': '86095742719',
  nino: 'AB123456C',
  dni: '12345678Z',
  nie: 'X1234567L',
  'codice fiscale': 'RSSMRA85T10A562S',
  pesel: '44051401359',
  ipv4: '203.0.113.77',
  ipv6: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
  jwt: jwt({ email: 'anna@mail.example.de', sub: '12' }),
  track: ';4539578763621486=25121010000012345678?',
};

/** Values that only their names give away. */
const byName: Record<string, string> = {
  firstName: 'Annabella',
  last_name: 'Schmidtbauer',
  street: 'Hauptstrasse 12',
  zip: '10117',
  dateOfBirth: '1985-03-12',
  phone: '01701234567',
  passport: 'C01X00T47',
  password: 'hunter2hunter',
  api_key: 'zk1livefoo1234567890',
  access_token: 'opaquetokenvalue1',
  cvv: '8316',
  cardNumber: '4539578763621486',
};

const encoded = (value: string): string => encodeURIComponent(value);

/** Every place in which a named value can stand. */
const namedPlaces: Record<string, (name: string, value: string) => Buffer | string> = {
  query: (name, value) => `GET /x?a=b&${name}=${encoded(value)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'URL in query': (name, value) =>
    `GET /x?next=${encoded(`https://b.example/y?${name}=${encoded(value)}`)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  referer: (name, value) => `GET / HTTP/1.1\r\nReferer: https://b.example/y?${name}=${encoded(value)}\r\n\r\n`,
  'path in a header': (name, value) => `GET / HTTP/1.1\r\nX-Original-URL: /items;a=b;${name}=${encoded(value)}/edit\r\n\r\n`,
  'path in json': (name, value) => post('application/json', JSON.stringify({ next: `/items;${name}=${encoded(value)}` })),
  cookie: (name, value) => `GET / HTTP/1.1\r\nCookie: theme=dark; ${name}=${encoded(value)}\r\n\r\n`,
  header: (name, value) => `GET / HTTP/1.1\r\nX-${name}: ${value}\r\n\r\n`,
  json: (name, value) => post('application/json', JSON.stringify({ a: [{ b: { [name]: value } }] })),
  'escaped json': (name, value) =>
    post('application/json', `{"${name}" : "${Array.from(value).map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`),
  'json in json': (name, value) => post('application/json', JSON.stringify({ payload: JSON.stringify({ [name]: value }) })),
  'json under an array': (name, value) => post('application/json', JSON.stringify({ [name]: [value, { x: value }] })),
  form: (name, value) => post('application/x-www-form-urlencoded', `a=b&user[${name}]=${encoded(value)}`),
  multipart: (name, value) =>
    post('multipart/form-data; boundary="--b"', `----b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n----b--\r\n`),
  'xml element': (name, value) => post('application/xml', `<?xml version="1.0"?><a><${name}>${value}</${name}></a>`),
  'xml attribute': (name, value) => post('text/xml', `<a ${name}="${value}"/>`),
  gzip: (name, value) => post('application/json', gzipSync(JSON.stringify({ [name]: value })), 'Content-Encoding: gzip\r\n'),
  br: (name, value) => post('application/json', brotliCompressSync(JSON.stringify({ [name]: value })), 'Content-Encoding: br\r\n'),
  'base64 in json': (name, value) =>
    post('application/json', JSON.stringify({ blob: Buffer.from(JSON.stringify({ [name]: value })).toString('base64') })),
  ndjson: (name, value) => post('application/x-ndjson', `{"a":1}\n${JSON.stringify({ [name]: value })}\n`),
  'jwt claim': (name, value) => `GET / HTTP/1.1\r\nX-Context: ${jwt({ [name]: value })}\r\n\r\n`,
};

/** Places in which a value has no name that says anything. */
const barePlaces: Record<string, (value: string) => Buffer | string> = {
  path: (value) => `GET /users/${encoded(value)}/edit HTTP/1.1\r\nHost: a\r\n\r\n`,
  'query name': (value) => `GET /x?${encoded(value)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'raw query': (value) => `GET /x?q=${encoded(value).replaceAll('%40', '@').replaceAll('%2B', '%2b')} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'encoded twice': (value) => `GET /x?q=${encoded(encoded(value))} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'text header': (value) => `GET / HTTP/1.1\r\nX-Note: call ${value} now\r\n\r\n`,
  'json name': (value) => post('application/json', JSON.stringify({ [value]: 1 })),
  'text body': (value) => post('text/plain; charset=utf-8', `see ${value}, please`),
  'graphql text': (value) => post('application/json', JSON.stringify({ query: `{ find(by: "${value}") { id } }` })),
  zstd: (value) => post('text/plain', zstdCompressSync(Buffer.from(`x ${value} y`)), 'Content-Encoding: zstd\r\n'),
  deflate: (value) => post('text/plain', deflateSync(Buffer.from(`x ${value} y`)), 'Content-Encoding: deflate\r\n'),
  chunked: (value) =>
    `POST / HTTP/1.1\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3;${value}\r\nab \r\n${value.length.toString(16)}\r\n${value}\r\n0\r\nX-T: ${value}\r\n\r\n`,
  'html entity': (value) => post('text/html', `<p>${Array.from(value).map((c) => `&#${c.charCodeAt(0)};`).join('')}</p>`),
};

/** Everything that could still be read out of what goes out. */
function readable(wire: Buffer): string {
  const body = wire.subarray(wire.indexOf('\r\n\r\n') + 4);
  const zipped = /content-encoding: gzip/i.test(wire.toString('latin1'));
  const plain = wire.toString() + (zipped ? gunzipSync(body).toString() : '');
  const opened = plain.replace(/[\w+/-]{16,}={0,2}/g, (part) => `${part} ${Buffer.from(part, 'base64').toString()}`);
  const unescaped = opened.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${plain}\n${opened}\n${unescaped}\n${unescaped.replace(/%(?:25)?([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))}`;
}

describe('no planted value goes out', () => {
  for (const [place, request] of Object.entries(namedPlaces)) {
    test.each(Object.entries({ ...byName, note: byForm.email, comment: byForm.iban, memo: byForm.card }))(`${place}: %s`, (name, value) => {
      const wire = sanitized(request(name, value));
      expect(wire).not.toBeNull();
      expect(readable(wire ?? Buffer.alloc(0))).not.toContain(value);
    });
  }

  for (const [place, request] of Object.entries(barePlaces)) {
    test.each(Object.entries(byForm))(`${place}: %s`, (_, value) => {
      if (place === 'deflate' || place === 'zstd') return;
      const wire = sanitized(request(value));
      expect(wire).not.toBeNull();
      expect(readable(wire ?? Buffer.alloc(0))).not.toContain(value);
    });
  }

  test.each([
    ['Authorization: Bearer abcdefghijklmnop', 'abcdefghijklmnop'],
    [`Authorization: Basic ${Buffer.from('anna:hunter2hunter').toString('base64')}`, 'hunter2hunter'],
    ['Proxy-Authorization: Bearer abcdefghijklmnop', 'abcdefghijklmnop'],
    ['X-Api-Key: k-1234567890abcdef', '1234567890abcdef'],
    ['Cookie: JSESSIONID=ABCDEF0123456789', 'ABCDEF0123456789'],
    ['Cookie: connect.sid=s%3Aabcdef.ghijkl', 'abcdef'],
    ['Cookie: unheard_of=aB3dE6gH9jK2mN5pQ8', 'aB3dE6gH9jK2mN5pQ8'],
    ['X-Forwarded-For: 203.0.113.77, 198.51.100.4', '203.0.113.77'],
    ['Forwarded: for="[2001:db8:85a3:8d3:1319:8a2e:370:7348]"', '2001:db8:85a3'],
    ['X-Request-Id: anna@mail.example.de', 'anna@'],
  ])('%s', (header, value) => {
    expect(readable(sanitized(`GET / HTTP/1.1\r\n${header}\r\n\r\n`) ?? Buffer.alloc(0))).not.toContain(value);
  });

  test('the client\'s own address', () => {
    const safe = everything.sanitize(exchangeOf('GET / HTTP/1.1\r\n\r\n'));
    expect(safe?.connection.address(0)).toMatch(/^10\./);
    expect(safe?.connection.address(0)).not.toBe('10.0.2.5');
    expect(safe?.connection.endpoint(1)).toBe('10.0.1.2:80');
  });
});

describe('separators', () => {
  test.each([
    ['POST', 'page=2;password=s3cr;et=1;x&lang=de', /^page=2;password=[^&]+&lang=de$/],
    ['POST', 'password=ab;cd', /^password=[^&]+$/],
    ['POST', 'size=1;colour=blue', /^size=1;colour=blue$/],
  ])('%s %s', (_, form, expected) => {
    const body = bodyOf(text(post('application/x-www-form-urlencoded', form)));
    expect(body).toMatch(expected);
    expect(decodeURIComponent(body)).not.toMatch(/s3cr|et=1|ab;cd/);
  });

  test('the first pair goes with its separator, and so does the last', () => {
    const remove = { presetAction: 'remove' } as const;
    expect(bodyOf(text(post('application/x-www-form-urlencoded', 'password=a&page=2;token=b&lang=de&pin=123'), remove))).toBe('page=2&lang=de');
  });

  test('parameters of a path are pairs', () => {
    expect(text('GET /items;user=anna;page=2/edit HTTP/1.1\r\n\r\n')).toMatch(/^GET \/items;user=(?!anna)[^/]+\/edit /);
    expect(text('GET /items;page=2;v=1/edit HTTP/1.1\r\n\r\n')).toMatch(/^GET \/items;page=2;v=1\/edit /);
  });
});

describe('text that is in a form', () => {
  test.each([
    ['a=b&c=d', 'a=b&c=d'],
    ['password=hunter2', /^password=(?!hunter2)\w{7}$/],
    ['password=h%C3%BCnter2', /^password=(?!h)\w+$/],
    [' {"password":"hunter2"}', /^ \{"password":"(?!hunter2)\w{7}"\}$/],
    ['https://a.example/x?m=anna@b.de', /\?m=u6061a719f731af12@example\.test$/],
    ['m=anna@b.de&to=anna@b.de', 'm=u6061a719f731af12@example.test&to=u6061a719f731af12@example.test'],
    ['anna@b.de', 'u6061a719f731af12@example.test'],
    ['03/12/1985', '03/12/1985'],
  ])('%s', (value, expected) => {
    expect(json({ x: value })).toEqual({ x: typeof expected === 'string' ? expected : expect.stringMatching(expected) });
  });

  test('what an element holds is all of it what its name says', () => {
    const xml = '<a><address><line>Main 1</line><line>Town</line></address><line>Blue</line></a>';
    expect(bodyOf(text(post('text/xml', xml)))).toMatch(/^<a><address><line>(?!Main)\w{4} \d<\/line><line>(?!Town)\w{4}<\/line><\/address><line>Blue<\/line><\/a>$/);
  });
});

describe('pseudonyms', () => {
  test('a value has one pseudonym, wherever it stands', () => {
    const email = 'anna@mail.example.de';
    const [, pseudonym] = /"x":"([^"]+)"/.exec(text(post('application/json', JSON.stringify({ x: email })))) ?? [];
    expect(pseudonym).toMatch(/^u[0-9a-f]{16}@example\.test$/);
    for (const request of [...Object.values(barePlaces).slice(0, 7).map((place) => place(email)), `GET / HTTP/1.1\r\nCookie: user=${email}\r\n\r\n`]) {
      expect(readable(sanitized(request) ?? Buffer.alloc(0))).toContain(pseudonym);
    }
  });

  test('they keep the shape of what they stand for', () => {
    const values = {
      email: 'a@b.de', uuid: 'x', user: '0b9d9e76-3c44-4c1f-9c34-8d7c3f0a1b2c', pan: '4111-1111-1111-1111', ssn: 123456789,
      phone: '+49 (170) 123-4567', iban: 'DE89 3704 0044 0532 0130 00', ip: '203.0.113.77', birthday: '1985-03-12', name: 'Änna Schmidt',
    };
    expect(json(values)).toEqual({
      email: expect.stringMatching(/^\w+@example\.test$/),
      uuid: 'x',
      user: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      pan: expect.stringMatching(/^4111-11\d\d-\d{4}-\d{4}$/),
      ssn: expect.any(Number),
      phone: expect.stringMatching(/^\+99 \(9\d\d\) \d{3}-\d{4}$/),
      iban: expect.stringMatching(/^DE\d\d \d{4} \d{4} \d{4} \d{4} \d\d$/),
      ip: expect.stringMatching(/^10\.\d+\.\d+\.\d+$/),
      birthday: expect.stringMatching(/^(19|20)\d\d-\d\d-\d\d$/),
      name: expect.stringMatching(/^[A-Z][a-z]{3} [A-Z][a-z]{6}$/),
    });
  });

  test('a JWT in JSON in JSON in JSON leaves what is around it whole', () => {
    const nest = (value: unknown, depth: number): unknown => (depth === 0 ? value : { x: JSON.stringify(nest(value, depth - 1)) });
    const open = (value: unknown, depth: number): unknown =>
      depth === 0 ? value : open(JSON.parse((value as { x: string }).x), depth - 1);
    for (const depth of [0, 1, 2]) {
      const safe = open(json(nest({ t: jwt({ email: 'a@b.de', z: '{"y":1}' }), after: 'plain', email: 'a@b.de' }, depth)), depth);
      expect(safe).toEqual({ t: expect.stringMatching(/^eyJ/), after: 'plain', email: expect.stringMatching(/@example\.test$/) });
    }
  });

  test('another key gives others', () => {
    const other = new Sanitizer(all, Buffer.from('another key that is long'));
    const request = post('application/json', '{"email":"a@b.de"}');
    expect(sanitized(request, other)).not.toEqual(sanitized(request));
  });

  test('a JWT is signed anew, its claims sanitized', () => {
    const wire = text(`GET / HTTP/1.1\r\nAuthorization: Bearer ${jwt({ email: 'anna@mail.example.de', exp: 1 })}\r\n\r\n`, { jwtKey: 'test' });
    const [header = '', claims = '', signature] = /Bearer (\S+)/.exec(wire)?.[1]?.split('.') ?? [];
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({ email: expect.stringMatching(/@example\.test$/), exp: 1 });
    expect(signature).toBe(createHmac('sha256', 'test').update(`${header}.${claims}`).digest('base64url'));
  });
});

describe('what cannot be read fails closed', () => {
  const bomb = gzipSync(Buffer.alloc(8 << 20, 'a'));
  test.each<[string, Buffer]>([
    ['JSON that is none', post('application/json', '{"a":')],
    ['a type that is not known', post('application/octet-stream', 'abc')],
    ['no type, and not text', post('', Buffer.of(1, 2, 0, 3))],
    ['a coding that is not known', post('application/json', '{}', 'Content-Encoding: compress\r\n')],
    ['a coding that it does not have', post('application/json', '{}', 'Content-Encoding: gzip\r\n')],
    ['a body that opens to too much', post('text/plain', bomb, 'Content-Encoding: gzip\r\n')],
    ['UTF-16', post('application/json; charset=utf-16', Buffer.from('{}', 'utf16le'))],
    ['a multipart body without its boundary', post('multipart/form-data; boundary=b', 'abc')],
    ['JSON deeper than any', post('application/json', '['.repeat(5_000) + ']'.repeat(5_000))],
  ])('%s', (_, request) => {
    expect(everything.sanitize(exchangeOf(request))).toBeNull();
    const passing = new Sanitizer({ ...all, unreadableBodies: 'pass' }, key);
    expect(sanitized(request, passing)).toEqual(request);
  });
});

describe('everything else keeps its bytes', () => {
  test.each<[string, Buffer | string]>([
    ['JSON', post('application/json', '\ufeff{ "a" : [1,2.50,-1e9, "caf\u00e9 \\u00e9"],\r\n"b":{}, "c":[ ] }')],
    ['a form', post('application/x-www-form-urlencoded', 'a=%zz&b=+%2b&&=c')],
    ['a browser', 'GET /a%2Fb;v=1?x=%C3%A9&y HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 Chrome/120.0.0.0\r\nsec-ch-ua: "Chromium";v="120.0.0.1"\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nIf-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\nCookie: theme=dark; lang=de\r\n\r\n'],
    ['gzip', post('application/json', gzipSync('{"a":1}', { level: 1 }), 'Content-Encoding: gzip\r\n')],
    ['multipart', post('multipart/form-data; boundary=b', 'pre\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--b--\r\nend')],
    ['XML', post('text/xml', '<?xml version="1.0"?><!-- c --><a b=\'c\'>x &amp; y<![CDATA[<z>]]></a>')],
  ])('%s', (_, request) => {
    expect(sanitized(request)?.toString('latin1')).toBe(Buffer.from(request).toString('latin1'));
  });

  test('any JSON that holds nothing', () => {
    const words = fc.constantFrom('blue', 'Schuh ü', 'x\n"y"', '', '🙂');
    const value = fc.letrec((tie) => ({
      node: fc.oneof({ maxDepth: 4 }, words, fc.integer({ min: -9_999, max: 9_999 }), fc.boolean(), fc.constant(null), fc.array(tie('node')), fc.dictionary(fc.constantFrom('size', 'colour', 'items'), tie('node'))),
    })).node;
    fc.assert(
      fc.property(value, (each) => {
        expect(json(each)).toEqual(each);
      }),
    );
  });
});

describe('rules', () => {
  const rule = (place: object, action: 'remove' | 'mask' | 'keep' | 'pseudonym'): Partial<SanitizeOptions> => ({
    presets: ['pii'],
    rules: [{ name: 'r', ...place, action }],
  });
  test.each<[object, unknown, unknown]>([
    [{ json: '$.a' }, { a: 1, b: 2 }, { b: 2 }],
    [{ json: '$.b' }, { a: 1, b: { c: 1 } }, { a: 1 }],
    [{ json: "$['a','b']" }, { a: 1, b: 2, c: 3 }, { c: 3 }],
    [{ json: "$['a','c']" }, { a: 1, b: 2, c: 3 }, { b: 2 }],
    [{ json: '$..x' }, { x: 1, a: [{ x: 2, y: 3 }, { x: 4 }] }, { a: [{ y: 3 }, {}] }],
    [{ json: '$.a[1]' }, { a: [1, 2, 3] }, { a: [1, 3] }],
    [{ json: '$.a[0,2]' }, { a: [1, 2, 3] }, { a: [2] }],
    [{ json: '$.a[*].b' }, { a: [{ b: 1, c: 2 }] }, { a: [{ c: 2 }] }],
    [{ json: '$..*' }, { a: [1], b: 2 }, {}],
  ])('remove %j from %j', (place, before, after) => {
    expect(json(before, rule(place, 'remove'))).toEqual(after);
  });

  test('each place and action', () => {
    expect(text('GET / HTTP/1.1\r\nX-A: 1\r\nX-B: 2\r\n\r\n', rule({ header: 'x-a' }, 'remove'))).toBe('GET / HTTP/1.1\r\nX-B: 2\r\n\r\n');
    expect(text('GET / HTTP/1.1\r\nCookie: a=1; b=2\r\n\r\n', rule({ cookie: 'a' }, 'remove'))).toContain('Cookie: b=2\r\n');
    expect(text('GET /?a=1&b=2 HTTP/1.1\r\n\r\n', rule({ query: 'a' }, 'remove'))).toContain('GET /?b=2 ');
    expect(text('GET /users/bob/x?q HTTP/1.1\r\n\r\n', rule({ path: '/users/{}/**' }, 'mask'))).toContain('GET /users/***/x?q ');
    expect(text(post('application/x-www-form-urlencoded', 'a=12&b=2'), rule({ form: 'a' }, 'mask'))).toMatch(/a=\*\*&b=2$/);
    expect(text('GET /?note=xx-123-xx HTTP/1.1\r\n\r\n', rule({ text: '[0-9]+' }, 'mask'))).toContain('note=xx-***-xx');
    expect(json({ email: 'a@b.de', to: 'a@b.de' }, rule({ json: '$.email' }, 'keep'))).toEqual({ email: 'a@b.de', to: expect.not.stringContaining('a@b') });
  });

  test('the presets can remove and mask', () => {
    expect(json({ email: 'a@b.de', n: 1, note: 'to a@b.de' }, { presetAction: 'remove' })).toEqual({ n: 1, note: 'to ' });
    expect(json({ email: 'a@b.de', zip: 12, note: 'to a@b.de' }, { presetAction: 'mask' })).toEqual({ email: '******', zip: 0, note: 'to ******' });
  });

  test.each(['a.b', '$.a[?(@.b)]', '$[1:2]', '$[-1]', '$.a[', '$.'])('a JSONPath that is not understood is refused: %s', (path) => {
    expect(() => new Sanitizer({ ...all, ...rule({ json: path }, 'mask') }, key)).toThrow(JsonPathSyntaxError);
  });
});

test('hostile bodies of every type come out as one request or not at all', () => {
  const types = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=b', 'text/xml', 'text/plain'];
  const piece = fc.constantFrom('{', '}', '[', '"', ':', ',', '1', 'a@b.de', '\\', '\\u00', '%', '%4', '&', '=', '--b', '\r\n', '<', '>', '<![CDATA[', '&#64;', ';', '\u0000', 'ü', 'eyJhIjoxfQ.e30.', '4111 1111 1111 1111');
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.array(piece, { maxLength: 30 }), (type, pieces) => {
      sanitized(post(type, pieces.join('')));
    }),
    { numRuns: 500 },
  );
});
