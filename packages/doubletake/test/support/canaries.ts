/**
 * Requests with planted canaries: made-up personal data, credentials and card numbers, each in one form (an e-mail
 * address, a card with spaces, a password under its name) and one place (a path, a cookie, JSON in gzip). A kind is a
 * form in a place. The n-th canary of a form differs from all others, so that whatever is found can be traced.
 *
 *     for (const kind of canaryKinds) { const { request, needles } = kind.plant(17); ... }
 *
 * `canary-reader.ts` finds needles in what came out.
 */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  ibanCheckDigits,
  isCodiceFiscale,
  isCpf,
  isDniOrNie,
  isNir,
  isPesel,
  isSteuerId,
  luhnDigit,
} from '../../src/policy/sanitize/checksums.ts';

/** A canary as it is written, and what of it must not be found. */
interface Planted {
  value: string;
  needles: readonly string[];
}

export interface CanaryKind {
  /** `email in path`. */
  name: string;
  plant(n: number): { request: Buffer; needles: readonly string[] };
}

/** What the letters of every canary begin with, and nothing else has. */
export const mark = 'qzjk';

/** Letters that stand in no word, and that no other number gives. */
export function letters(n: number): string {
  let rest = n;
  let made = mark;
  for (let count = 0; count < 4; count++, rest = Math.floor(rest / 26)) made += String.fromCharCode(97 + (rest % 26));
  return made;
}

/** So many digits that no other number gives; the first is none of 0 and 9. */
function digits(n: number, count: number): string {
  const spread = (BigInt(n) * 2_654_435_761n + 97_531n) % 10n ** BigInt(Math.max(count - 1, 1));
  return `${1 + (n % 8)}${spread.toString().padStart(count - 1, '0')}`.slice(0, count);
}

/** The first text of `make(0)`, `make(1)` … that fulfils its check digit. */
function checked(make: (try_: number) => string, isRight: (text: string) => boolean): string {
  for (let attempt = 0; attempt < 100_000; attempt++) if (isRight(make(attempt))) return make(attempt);
  throw new Error(`no number with a right check digit like ${make(0)}`);
}

function card(prefix: string, n: number, length: number): string {
  const body = prefix + digits(n, length - prefix.length - 1);
  return body + String(luhnDigit(body));
}

const itself = (value: string): Planted => ({ value, needles: [value] });
/** A value whose letters alone must not be found. */
const word = (value: string, n: number): Planted => ({ value, needles: [letters(n)] });
const grouped = (text: string, separator: string): string => text.replace(/(.{4})(?=.)/g, `$1${separator}`);
const base64url = (value: string | Buffer): string => Buffer.from(value).toString('base64url');

export function jwt(claims: object, n: number): string {
  const signature = Buffer.from(`${letters(n)}-signature-${letters(n + 7)}`.padEnd(32, '.'));
  return [JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: 'k1' }), JSON.stringify(claims), signature].map(base64url).join('.');
}

/** Found by what they look like, wherever they stand. */
const byForm: Readonly<Record<string, (n: number) => Planted>> = {
  email: (n) => word(`Anna.${letters(n)}+shop@mail.shop.example.de`, n),
  'e-mail with umlauts': (n) => word(`${letters(n)}@mäuse.example`, n),
  card: (n) => itself(card('4539', n, 16)),
  'card with spaces': (n) => itself(grouped(card('51', n, 16), ' ')),
  'card with dashes': (n) => itself(grouped(card('6011', n, 16), '-')),
  amex: (n) => itself(card('37', n, 15)),
  track: (n) => ({ value: `;${card('4556', n, 16)}=2512101${digits(n + 3, 13)}?`, needles: [card('4556', n, 16), digits(n + 3, 13)] }),
  phone: (n) => itself(`+49 170 ${digits(n, 7)}`),
  'compact phone': (n) => itself(`+4915${digits(n, 9)}`),
  'US phone': (n) => itself(`(212) ${digits(n, 3)}-${digits(n + 5, 4)}`),
  'national phone': (n) => itself(`0170/${digits(n, 7)}`),
  iban: (n) => itself(`DE${ibanCheckDigits('DE', digits(n, 18))}${digits(n, 18)}`),
  'IBAN with spaces': (n) => itself(grouped(`GB${ibanCheckDigits('GB', `WEST${digits(n, 14)}`)}WEST${digits(n, 14)}`, ' ')),
  ssn: (n) => itself(`${100 + (n % 500)}-${10 + (n % 89)}-${1000 + (n % 8999)}`),
  'Steuer-ID': (n) => itself(checked((attempt) => digits(n * 5_003 + attempt, 11), isSteuerId)),
  pesel: (n) => itself(checked((attempt) => `${digits(n, 2)}0${1 + (n % 9)}1${n % 10}${digits(n * 11 + attempt, 5)}`, isPesel)),
  cpf: (n) => itself(checked((attempt) => digits(n * 5_003 + attempt, 11), isCpf).replace(/^(...)(...)(...)/, '$1.$2.$3-')),
  nir: (n) => itself(checked((attempt) => `1${10 + (n % 89)}0575${digits(n, 6)}${String(attempt).padStart(2, '0')}`, isNir)),
  nino: (n) => itself(`AB${digits(n, 6)}C`),
  dni: (n) => itself(checked((attempt) => digits(n, 8) + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(attempt), isDniOrNie)),
  nie: (n) => itself(checked((attempt) => `X${digits(n, 7)}${'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(attempt)}`, isDniOrNie)),
  'codice fiscale': (n) =>
    itself(checked((attempt) => `RSSMRA85T10A${digits(n, 3)}${String.fromCharCode(65 + attempt)}`, isCodiceFiscale)),
  ipv4: (n) => itself(`81.${(n >>> 8) & 255}.${n & 255}.${100 + (n % 99)}`),
  ipv6: (n) => itself(`2a02:8108:${(n & 0xffff | 0x1000).toString(16)}:c4d3:1319:8a2e:370:7348`),
  jwt: (n) => {
    const value = jwt({ email: `${letters(n)}@shop.example`, sub: '12' }, n);
    return { value, needles: [letters(n), value.split('.')[2] ?? ''] };
  },
};

/** Known by the name they stand under. */
const byName: Readonly<Record<string, (n: number) => Planted>> = {
  firstName: (n) => word(`Anna${letters(n)}`, n),
  last_name: (n) => word(`${letters(n)}berg`, n),
  'user-name': (n) => word(`${letters(n)}87`, n),
  street: (n) => word(`${letters(n)}straße 12`, n),
  city: (n) => word(`${letters(n)}stadt`, n),
  dateOfBirth: (n) => itself(`${1930 + (n % 70)}-${String(1 + (n % 12)).padStart(2, '0')}-${String(10 + (n % 19))}`),
  phone: (n) => itself(`0170${digits(n, 7)}`),
  ssn: (n) => itself(digits(n, 9)),
  passport: (n) => word(`C01${letters(n)}7`, n),
  password: (n) => word(`"${letters(n)}" & 1<2;`, n),
  api_key: (n) => word(`zk_live_${letters(n)}_9`, n),
  access_token: (n) => word(`opaque.${letters(n)}~x`, n),
  client_secret: (n) => word(`${letters(n)}${letters(n + 1)}`, n),
  cardNumber: (n) => itself(card('4', n, 13)),
  pinblock: (n) => itself(`04${digits(n, 14)}`),
  accountNumber: (n) => itself(digits(n, 10)),
};

const encoded = encodeURIComponent;
const escaped = (value: string): string =>
  Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
const entities = (value: string): string => Array.from(value, (char) => `&#${char.codePointAt(0) ?? 0};`).join('');

function get(target: string, headers = ''): Buffer {
  return Buffer.from(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\n${headers}\r\n`);
}

function post(type: string, body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST /api/orders HTTP/1.1\r\nHost: shop.example\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** A chunked body whose chunks end in the middle of everything. */
function chunked(type: string, body: string, bytesEach: number, trailers = '', extension = ''): Buffer {
  const bytes = Buffer.from(body);
  const pieces = [Buffer.from(`POST /c HTTP/1.1\r\nHost: shop.example\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < bytes.length; at += bytesEach) {
    const chunk = bytes.subarray(at, at + bytesEach);
    pieces.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

function multipart(head: string, body: string): Buffer {
  return post('multipart/form-data; boundary=xyz', `--xyz\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n--xyz--\r\n`);
}

const json = (value: unknown): Buffer => post('application/json', JSON.stringify(value));
const coded = (coding: string, compress: (bytes: Buffer) => Buffer) => (name: string, value: string): Buffer =>
  post('application/json; charset=utf-8', compress(Buffer.from(JSON.stringify({ page: 2, [name]: value }))), `Content-Encoding: ${coding}\r\n`);

/** Where a value with a name can stand; also a value that needs none, under a name that says nothing. */
const namedPlaces: Readonly<Record<string, (name: string, value: string) => Buffer>> = {
  query: (name, value) => get(`/search?page=2&${name}=${encoded(value)}`),
  'query of old': (name, value) => get(`/search?page=2;${name}=${encoded(value)};lang=de`),
  'parameter of a path': (name, value) => get(`/items;${name}=${encoded(value)}/edit`),
  'absolute target': (name, value) => get(`http://shop.example/search?${name}=${encoded(value)}`),
  'original URL': (name, value) => get('/', `X-Original-URL: /search?page=2&${name}=${encoded(value)}\r\n`),
  'path in a header': (name, value) => get('/', `X-Original-URL: /items;${name}=${encoded(value)}/edit\r\n`),
  'path in JSON': (name, value) => json({ next: `/items;lang=de;${name}=${encoded(value)}` }),
  'URL in query': (name, value) => get(`/go?next=${encoded(`https://b.example/y?${name}=${encoded(value)}`)}`),
  referer: (name, value) => get('/', `Referer: https://b.example/y?lang=de&${name}=${encoded(value)}\r\n`),
  'referer fragment': (name, value) => get('/', `Referer: https://b.example/y#${name}=${encoded(value)}\r\n`),
  cookie: (name, value) => get('/', `Cookie: theme=dark; ${name}=${encoded(value)}\r\n`),
  'JSON in a cookie': (name, value) => get('/', `Cookie: theme=dark; prefs=${encoded(JSON.stringify({ [name]: value }))}\r\n`),
  header: (name, value) => get('/', `X-${name.replace('_', '-')}: ${value}\r\n`),
  json: (name, value) => json({ a: [{ b: { c: [[{ [name]: value }]] } }] }),
  'escaped JSON': (name, value) => post('application/json', `{"${escaped(name)}" : "${escaped(value)}"}`),
  'JSON in JSON': (name, value) => json({ payload: JSON.stringify({ inner: ` ${JSON.stringify({ [name]: value })}` }) }),
  'JSON in JSON in JSON': (name, value) => json({ a: JSON.stringify([{ b: JSON.stringify({ [name]: value }) }]) }),
  'JSON in a form': (name, value) => post('application/x-www-form-urlencoded', `payload=${encoded(JSON.stringify({ [name]: value }))}`),
  'JSON in multipart': (name, value) => multipart('name="data"\r\nContent-Type: application/json', JSON.stringify({ [name]: value })),
  'array in JSON': (name, value) => json({ [name]: [value, { x: value }] }),
  'JSON of another type': (name, value) => post('application/vnd.shop.order+json', `\ufeff{"${name}":${JSON.stringify(value)}}`),
  'JSON as text': (name, value) => post('text/plain', JSON.stringify({ [name]: value })),
  ndjson: (name, value) => post('application/x-ndjson', `{"a":1}\n${JSON.stringify({ [name]: value })}\n`),
  form: (name, value) => post('application/x-www-form-urlencoded', `a=b&user[${name}]=${encoded(value).replaceAll('%20', '+')}`),
  'form as text': (name, value) => post('text/plain', `a=b c\r\n${name}=${value}\r\nd=e\r\n`),
  'form without a type': (name, value) => post('', `a=b&${name}=${encoded(value)}`),
  'form in JSON': (name, value) => json({ body: `a=b&${name}=${encoded(value)}` }),
  'pair in JSON': (name, value) => json({ body: `${name}=${encoded(value)}` }),
  multipart: (name, value) => multipart(`name="${name}"`, value),
  'XML element': (name, value) => post('application/xml', `<?xml version="1.0"?><a><s:${name}><![CDATA[${value}]]></s:${name}></a>`),
  'XML under a name': (name, value) => post('application/soap+xml', `<e:Envelope><e:Body><${name}><line no="1">${entities(value)}</line></${name}></e:Body></e:Envelope>`),
  'XML attribute': (name, value) => post('text/xml', `<a b="c" ${name}="${entities(value)}"/>`),
  gzip: coded('gzip', (bytes) => gzipSync(bytes)),
  br: coded('br', (bytes) => brotliCompressSync(bytes)),
  zstd: coded('zstd', (bytes) => zstdCompressSync(bytes)),
  deflate: coded('deflate', (bytes) => deflateSync(bytes)),
  'raw deflate': coded('deflate', (bytes) => deflateRawSync(bytes)),
  'two codings': coded('br, gzip', (bytes) => gzipSync(brotliCompressSync(bytes))),
  'base64 in JSON': (name, value) => json({ blob: Buffer.from(JSON.stringify({ [name]: value })).toString('base64') }),
  'base64 in a header': (name, value) => get('/', `X-Context: ${base64url(JSON.stringify({ [name]: value }))}\r\n`),
  'data URL': (name, value) => json({ file: `data:application/json;base64,${Buffer.from(JSON.stringify({ [name]: value })).toString('base64')}` }),
  'JWT claim': (name, value) => get('/', `Authorization: Bearer ${jwt({ ctx: { [name]: value } }, 0)}\r\n`),
  chunks: (name, value) => chunked('application/json', JSON.stringify({ [name]: value }), 5),
};

/** Where a value stands that no name describes. */
const barePlaces: Readonly<Record<string, (value: string) => Buffer>> = {
  path: (value) => get(`/users/${encoded(value)}/edit`),
  'query name': (value) => get(`/x?${encoded(value)}`),
  'encoded twice': (value) => get(`/x?q=${encoded(encoded(value))}`),
  'text header': (value) => get('/', `X-Note: call ${value} now\r\n`),
  'user agent': (value) => get('/', `User-Agent: shop-bot/1.0 (${value})\r\n`),
  'text in JSON': (value) => json({ note: `please ask ${value}, thank you` }),
  'name in JSON': (value) => json({ byKey: { [value]: 1 } }),
  'text body': (value) => post('text/plain; charset=utf-8', `see ${value}, please`),
  csv: (value) => post('text/csv', `id;value\n1;${value}\n`),
  graphql: (value) => json({ query: `{ find(by: "${value}") { id } }` }),
  'HTML entities': (value) => post('text/html', `<p>${entities(value)}</p>`),
  'XML comment': (value) => post('application/xml', `<a><!-- of ${value} --></a>`),
  'file name': (value) => multipart(`name="upload"; filename="${value}"`, 'x'),
  'encoded as of old': (value) => get(`/x?q=${Array.from(value, (char) => `%u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}`),
  trailer: (value) => chunked('text/plain', 'hello', 3, `X-By: ${value}\r\n`),
  'chunk extension': (value) => chunked('text/plain', 'hello', 3, '', `;by="${value}"`),
  'small chunks': (value) => chunked('text/plain', `see ${value}, please`, 4),
};

/** Credentials and addresses in header fields of their own. */
const fields: Readonly<Record<string, (n: number) => Planted>> = {
  'Authorization: Bearer': (n) => word(`Bearer ${letters(n)}.opaque`, n),
  'Authorization: Basic': (n) => ({
    value: `Basic ${Buffer.from(`${letters(n)}:${letters(n + 1)}!`).toString('base64')}`,
    needles: [letters(n), letters(n + 1)],
  }),
  'Authorization: Digest': (n) => ({ value: `Digest username="${letters(n)}", realm="r", response="${letters(n + 1)}"`, needles: [letters(n), letters(n + 1)] }),
  'Authorization: scheme of their own': (n) => word(`${letters(n)}alone`, n),
  'X-Api-Key:': (n) => word(`k-${letters(n)}`, n),
  'X-Amz-Security-Token:': (n) => word(`FwoG${letters(n)}`, n),
  'X-CSRF-Token:': (n) => word(`${letters(n)}=`, n),
  'Cookie: JSESSIONID=': (n) => word(`${letters(n).toUpperCase()}0123`, n),
  'Cookie: connect.sid=': (n) => ({ value: `s%3A${letters(n)}.${letters(n + 1)}`, needles: [letters(n), letters(n + 1)] }),
  'Cookie: unheard_of=': (n) => word(`aB3dE6gH9j${letters(n)}`, n),
  'X-Forwarded-For:': (n) => ({ value: `81.${(n >>> 8) & 255}.${n & 255}.201, 198.51.100.4`, needles: [`81.${(n >>> 8) & 255}.${n & 255}.201`] }),
  'X-Real-IP:': (n) => itself(`81.${(n >>> 8) & 255}.${n & 255}.202`),
  'Forwarded: for=': (n) => itself(`"[2a02:8108:${(n & 0xffff | 0x1000).toString(16)}:c4d3:1319:8a2e:370:7348]:4711"`),
  'From:': (n) => word(`${letters(n)}@shop.example`, n),
  'X-Request-Id:': (n) => word(`${letters(n)}@shop.example`, n),
};

/** Whether a value can stand in a place as it is: heads of messages are ASCII, and quotes end what stands in quotes. */
function fits(place: string, value: string): boolean {
  return !/header|agent|name|trailer|extension/.test(place) || !/[^ -~]|"/.test(value);
}

export const canaryKinds: readonly CanaryKind[] = [
  ...Object.entries(byForm).flatMap(([form, make]) => [
    ...Object.entries(barePlaces).flatMap(([place, write]) =>
      fits(place, make(1).value) ? [kind(`${form} in ${place}`, make, (value) => write(value))] : [],
    ),
    ...Object.entries(namedPlaces).flatMap(([place, write]) =>
      fits(place, make(1).value) ? [kind(`${form} in ${place}`, make, (value) => write('memo', value))] : [],
    ),
  ]),
  ...Object.entries(byName).flatMap(([name, make]) =>
    Object.entries(namedPlaces).flatMap(([place, write]) =>
      fits(place, make(1).value) ? [kind(`${name} in ${place}`, make, (value) => write(name, value))] : [],
    ),
  ),
  ...Object.entries(fields).map(([field, make]) =>
    kind(field, make, (value) => {
      const [, start = '', scheme = ''] = /^(\S+: ?)(.*)$/.exec(field) ?? [];
      return get('/', `${start.trimEnd()} ${value.startsWith(scheme) || !/^Cookie|^Forwarded/.test(field) ? '' : scheme}${value}\r\n`);
    }),
  ),
];

function kind(name: string, make: (n: number) => Planted, write: (value: string) => Buffer): CanaryKind {
  return {
    name,
    plant(n) {
      const { value, needles } = make(n);
      return { request: write(value), needles };
    },
  };
}
