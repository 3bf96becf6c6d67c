import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import { growth } from '../../../test/support/growth.ts';
import type { SanitizeOptions } from './options.ts';
import { Sanitizer } from './sanitizer.ts';

const options: SanitizeOptions = {
  presets: ['auth', 'pii', 'payment'],
  presetAction: 'pseudonym',
  rules: [],
  jwt: 'resign',
  unreadableBodies: 'block',
  bodyBytesMax: 1 << 24,
};
const key = Buffer.from('a key of the tests, long enough');
const presets = new Sanitizer(options, key);

/** Below it lie caches and compilation; work that grows with the square of the text takes as many times as the text. */
const growthMax = 5;

/** Sanitizes a body of so many bytes that repeats `piece`. */
function sanitizing(sanitizer: Sanitizer, type: string, piece: string, bytes: number): () => void {
  const body = `${type === 'application/json' ? '["' : ''}${piece.repeat(Math.ceil(bytes / piece.length))}`;
  const head = `POST / HTTP/1.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const exchange = exchangeOf(Buffer.from(head + body));
  return () => sanitizer.sanitize(exchange);
}

function expectLinear(sanitizer: Sanitizer, type: string, piece: string, shortBytes = 1_000, times = 64): void {
  const work = (bytes: number): (() => void) => sanitizing(sanitizer, type, piece, bytes);
  expect(growth(work(shortBytes), work(shortBytes * times), times, growthMax)).toBeLessThan(growthMax);
}

/** Beginnings that never come to an end, for each detector. */
const pieces = [
  'a@', 'a', "a'@", 'u:p@', '//u:', 'a.b-', '1 ', '1-', '1', '12345678 ', '0170/', '(212) ', '+49 ', 'eyJ-', 'eyJ.', 'a.', '1.1.1.', 'a:', '::1',
  'AB12 ', 'X1', 'RSSMRA8', 'DE89 3704 ', '<a ', '+', '(', '%', '%25', '%u00', '4111111111111111=', '2026-11-01T', 'a=b&', 'a=b;', 'a=', '/?', '/a;b=', '/;a=;', 'https://',
  '\\"{', '[{', 'YWFh', 'data:;base64,', 'a = b\n', ' ', '\u00e9@', '&#64;', '0b9d9e76-',
];

describe('work grows with the text, not faster', () => {
  test.each(pieces)('text of %j', (piece) => expectLinear(presets, 'text/plain', piece));

  test.each([
    ['application/json', '{\\"a\\":'],
    ['application/json', '","\\u0061'],
    ['application/x-www-form-urlencoded', 'a[b]=%7B&'],
    ['multipart/form-data; boundary=b', '--b\r\n'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name=a;;;;\r\n\r\n'],
    ['text/xml', '<name>'],
    ['text/xml', '<a b="'],
    ['text/xml', '<![CDATA['],
    ['text/xml', '<!--'],
    ['text/html', '</name><'],
  ])('%s of %j', (type, piece) => expectLinear(presets, type, piece));

  test.each(['(a+)+$', '(a|aa)+$', '(.*a){9}', '[^b]*b'])('a user\'s pattern %s', (text) => {
    const sanitizer = new Sanitizer({ ...options, rules: [{ name: 'r', text, action: 'mask' }] }, key);
    // RE2 takes another machine for texts below some thousand bytes.
    expectLinear(sanitizer, 'text/plain', 'a', 16_000, 16);
  });
});
