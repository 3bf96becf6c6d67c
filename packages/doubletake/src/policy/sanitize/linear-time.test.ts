import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../../test/support/exchanges.ts';
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

const growth = 64;
const shortBytes = 1_000;
/**
 * Linear work grows by 64, quadratic work by 4,096; in between lie caches, compilation, and RE2's choice of another
 * machine for longer texts. What is far too quick to be measured counts as this long.
 */
const growthMax = 5 * growth;
const leastUs = 100;

/** Processor time of sanitizing a body that repeats `piece`, the least of some runs. */
function costUs(sanitizer: Sanitizer, type: string, piece: string, bytes: number): number {
  const body = `${type === 'application/json' ? '["' : ''}${piece.repeat(Math.ceil(bytes / piece.length))}`;
  const head = `POST / HTTP/1.1\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const exchange = exchangeOf(Buffer.from(head + body));
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 2; run++) {
    const before = process.cpuUsage();
    sanitizer.sanitize(exchange);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return Math.max(leastUs, least);
}

function expectLinear(sanitizer: Sanitizer, type: string, piece: string): void {
  const short = costUs(sanitizer, type, piece, shortBytes);
  expect(costUs(sanitizer, type, piece, shortBytes * growth) / short).toBeLessThan(growthMax);
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
    expectLinear(new Sanitizer({ ...options, rules: [{ name: 'r', text, action: 'mask' }] }, key), 'text/plain', 'a');
  });
});
