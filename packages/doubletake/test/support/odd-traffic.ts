/**
 * Captures of the requests that a production server meets in a year, at random: header names in any case, twice and in
 * any order, values with blanks around them and bytes beyond ASCII, bodies by length and in chunks with extensions and
 * trailers, pipelining, connections side by side, segments that end anywhere.
 *
 * Each request says which it is (`X-Trip: CONNECTION.INDEX`), so that those of a connection are found again.
 */
import * as fc from 'fast-check';
import { pcapFile } from './capture-files.ts';
import { conversation, type Turn } from './conversation.ts';

export interface OddRequest {
  /** As it was on the wire. */
  wire: Buffer;
  /** What of it must come to a target: the same, but for what a proxy changes (RFC 9110 section 7.6). */
  sent: Buffer;
}

export interface OddTraffic {
  /** By connection, in the order in which they were sent. */
  connections: OddRequest[][];
  pcap: Buffer;
}

const startUs = 1_790_000_000_000_000;

const blank = fc.constantFrom('', ' ', ' ', ' ', '  ', '\t', ' \t ');
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/).filter((text) => !taken.test(text));
const value = fc.oneof(
  fc.stringMatching(/^[!-~](?:[ -~]{0,20}[!-~])?$/),
  fc.constantFrom('', 'caf\xe9', '\xc3\xbcber', 'a, b;q=0.1,,c', '"quoted \\" text"', 'anna.berg@shop.example', '81.2.69.142'),
);

/** What frames a message, or is another hop's to say. */
const taken =
  /^(?:host|content-(?:length|encoding|type)|transfer-encoding|connection|keep-alive|proxy-.*|te|trailer|upgrade|http2-settings|expect|x-forwarded-.*|x-doubletake-.*|x-trip)$/i;

const fieldLine = fc.tuple(name, blank, value, blank).map(([key, before, text, behind]) => `${key}:${before}${text}${behind}\r\n`);
const known = fc.constantFrom(
  'Accept: */*\r\n',
  'accept:text/html\r\n',
  'ACCEPT: application/json\r\n',
  'Cookie: session=aB3dE6gH9jK2; lang=de\r\n',
  'cookie: theme=dark;  b="x"\r\n',
  'Authorization: Bearer opaque.token.of-somebody\r\n',
  'X-Api-Key: k-0123456789\r\n',
  'User-Agent: Mozilla/5.0 (X11; Linux)\r\n',
  'Cookie: session=zZ9yY8xX7wW6\r\nAccept-Language: de\r\ncookie: session=aB3dE6gH9jK2\r\n',
);
const fieldLines = fc.array(fc.oneof(fieldLine, known), { maxLength: 8 });

const target = fc.oneof(
  fc.stringMatching(/^\/[A-Za-z0-9/._~%:@!$&'()*+,;=-]{0,30}(?:\?[A-Za-z0-9%+=&[\]{}|^`_./?~-]{0,30})?$/),
  fc.constantFrom('/', '//', '/?', '/a/../b/./c', '/%', '/%zz?%', '/caf\xe9', '/a#b', '/a"b<c>'),
  fc.constantFrom('/items?email=anna%40shop.example&page=2', '/users/anna.berg@shop.example'),
);

interface Content {
  type: string;
  bytes: Buffer;
}

const text = (type: string, said: string): Content => ({ type, bytes: Buffer.from(said) });

const emails = fc.constantFrom('anna.berg@shop.example', 'ivo@shop.example', 'nobody');
const content: fc.Arbitrary<Content> = fc.oneof(
  // What separates requests in a .gor file.
  fc.constantFrom('\n🐵🙈🙉', 'a\n🐵🙈🙉\nb', '🐵🙈🙉').map((line) => text('text/plain', line)),
  fc.uint8Array({ maxLength: 400 }).map((bytes) => ({ type: 'application/octet-stream', bytes: Buffer.from(bytes) })),
  fc
    .record({ email: emails, password: fc.string({ maxLength: 8 }), n: fc.double({ noNaN: true }), list: fc.array(fc.string({ unit: 'grapheme', maxLength: 5 })) })
    .map((object) => text('application/json', JSON.stringify(object, null, object.n > 0 ? 2 : 0))),
  fc.record({ email: emails, note: fc.string({ maxLength: 20 }) }).map((fields) => text('application/x-www-form-urlencoded', String(new URLSearchParams(fields)))),
  fc.tuple(emails, fc.integer({ min: 1, max: 400 })).map(([email, times]) => text('text/plain; charset=utf-8', `von ${email} an M\u00fcller\r\n`.repeat(times))),
);

interface Framed {
  lines: string;
  bytes: Buffer;
}

const lengthName = fc.constantFrom('Content-Length', 'content-length', 'CONTENT-LENGTH');
const codingName = fc.constantFrom('Transfer-Encoding', 'transfer-encoding', 'TRANSFER-Encoding');
const extension = fc.constantFrom('', '', ';a', ';name=value', ';q="x;y"');

const byLength = fc.tuple(lengthName, blank, content).map(([key, before, { type, bytes }]): Framed => ({
  lines: `Content-Type: ${type}\r\n${key}:${before}${bytes.length}\r\n`,
  bytes,
}));

const inChunks = fc
  .tuple(
    codingName,
    fc.constantFrom('chunked', 'Chunked'),
    content,
    fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), extension, fc.boolean()), { minLength: 1, maxLength: 4 }),
    mostly('0', '000', '0;last'),
    fc.array(fieldLine, { maxLength: 2 }),
  )
  .map(([key, coding, { type, bytes }, cuts, end, trailers]): Framed => {
    const pieces: Buffer[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const [size, extended, upper] = cuts[turn % cuts.length];
      const chunk = bytes.subarray(at, at + size);
      const hex = chunk.length.toString(16);
      pieces.push(Buffer.from(`${upper ? hex.toUpperCase().padStart(4, '0') : hex}${extended}\r\n`), chunk, Buffer.from('\r\n'));
      at += chunk.length;
    }
    pieces.push(Buffer.from(`${end}\r\n${trailers.join('')}\r\n`, 'latin1'));
    return { lines: `Content-Type: ${type}\r\n${key}: ${coding}\r\n`, bytes: Buffer.concat(pieces) };
  });

const nothing: fc.Arbitrary<Framed> = fc.constant({ lines: '', bytes: Buffer.alloc(0) });

interface Shape {
  method: string;
  path: string;
  form: 'origin' | 'absolute' | 'asterisk';
  version: '1.1' | '1.0';
  before: string[];
  behind: string[];
  framed: Framed;
  /** Sent before the response to the one before it came. */
  pipelined: boolean;
  answer: string;
}

const answer = fc.constantFrom(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n{"email":"anna.berg@shop.example" }',
  'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n4;x=y\r\nnope\r\n0\r\nT: u\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n',
);

/** The usual one, and now and then another. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

const shape: fc.Arbitrary<Shape> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PURGE', 'X-own'),
  path: target,
  form: mostly<Shape['form']>('origin', 'absolute', 'asterisk'),
  version: mostly<Shape['version']>('1.1', '1.0'),
  before: fieldLines,
  behind: fieldLines,
  framed: fc.oneof(nothing, byLength, inChunks),
  pipelined: fc.boolean(),
  answer,
});

function requestOf({ method: given, path, form, version, before, behind, framed }: Shape, trip: string): OddRequest {
  const method = form === 'asterisk' ? 'OPTIONS' : given;
  // Before HTTP/1.1 there were no chunks.
  const said = version === '1.0' && /transfer-encoding/i.test(framed.lines) ? '1.1' : version;
  const asSent = form === 'asterisk' ? '*' : path;
  const asked = form === 'absolute' ? `http://shop.example${path}` : asSent;
  const fields = `${before.join('')}Host: shop.example\r\nX-Trip: ${trip}\r\n${framed.lines}${behind.join('')}`;
  const bytes = (line: string, added: string): Buffer =>
    Buffer.concat([Buffer.from(`${line} HTTP/${said}\r\n${fields}${added}\r\n`, 'latin1'), framed.bytes]);
  return { wire: bytes(`${method} ${asked}`, ''), sent: bytes(`${method} ${asSent}`, said === '1.0' ? 'Connection: keep-alive\r\n' : '') };
}

interface ConnectionShape {
  shapes: Shape[];
  mss: number;
  behindUs: number;
  stepUs: number;
}

const connection: fc.Arbitrary<ConnectionShape> = fc.record({
  shapes: fc.array(shape, { minLength: 1, maxLength: 12 }),
  mss: fc.constantFrom(1_460, 1_460, 61, 536),
  behindUs: fc.nat(200_000),
  stepUs: fc.integer({ min: 1, max: 5_000 }),
});

function turnsOf(shapes: readonly Shape[], requests: readonly OddRequest[]): Turn[] {
  const turns: Turn[] = [];
  for (let first = 0, end = 0; first < shapes.length; first = end) {
    end = first + 1;
    while (shapes[end]?.pipelined ?? false) end++;
    turns.push({ client: Buffer.concat(requests.slice(first, end).map(({ wire }) => wire)) });
    turns.push({ server: shapes.slice(first, end).map((one) => one.answer).join('') });
  }
  return turns;
}

/** From `connectionsMin` to twice as many connections. */
export function oddTraffic(connectionsMin: number): fc.Arbitrary<OddTraffic> {
  return fc.array(connection, { minLength: connectionsMin, maxLength: 2 * connectionsMin }).map((shapes) => {
    const connections = shapes.map((one, number) => one.shapes.map((each, index) => requestOf(each, `${number}.${index}`)));
    const packets = shapes.flatMap((one, number) => {
      const { mss, behindUs, stepUs } = one;
      const client = `10.3.${number >> 8}.${number & 255}:${30_000 + number}`;
      return conversation({ client, server: '10.0.1.2:8080', mss, stepUs, startUs: startUs + behindUs }, turnsOf(one.shapes, connections[number]));
    });
    return { connections, pcap: pcapFile(packets.toSorted((a, b) => a.timeUs - b.timeUs)) };
  });
}
