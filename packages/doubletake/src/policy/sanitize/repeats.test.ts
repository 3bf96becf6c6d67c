/** What is remembered from one request to the next changes nothing but the time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import type { SanitizeOptions } from './options.ts';
import { Sanitizer } from './sanitizer.ts';

const key = Buffer.from('a key of the tests, long enough');
const options: SanitizeOptions = {
  presets: ['auth', 'pii', 'payment'],
  presetAction: 'pseudonym',
  rules: [{ name: 'masked', header: 'x-masked', action: 'mask' }],
  jwt: 'resign',
  unreadableBodies: 'block',
  bodyBytesMax: 1 << 20,
};

/** Few, so that they come again, in other fields too. */
const values = ['Anna', '1.2.3.4', 'anna@example.de', 'session=aB3dE6gH9jK2mN5pQ8; theme=dark', 'Basic YW5uYTpnZWhlaW0=', '0123abcd', 'x'.repeat(1_100), ' '];
const fields = ['Cookie', 'cookie', 'Set-Cookie', 'Authorization', 'X-Api-Key', 'X-Masked', 'X-Forwarded-For', 'User-Agent', 'Via', 'Traceparent', 'X-Note', 'Date'];

function safe(sanitizer: Sanitizer, head: string): string | undefined {
  const body = JSON.stringify({ name: 'Anna', city: 'Anna', password: 'Anna', note: head.slice(0, 20) });
  const bytes = Buffer.from(`POST / HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const made = sanitizer.sanitize(exchangeOf(bytes))?.request;
  return made === undefined ? made : Buffer.concat([made.head.bytes, ...(made.body.wire ?? [])]).toString('latin1');
}

test('a request comes out as it does from a sanitizer that has seen no other', () => {
  const experienced = new Sanitizer(options, key);
  const field = fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...values)).map(([name, value]) => `${name}: ${value}\r\n`);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), (lines) => {
      const head = lines.join('');
      expect(safe(experienced, head)).toBe(safe(new Sanitizer(options, key), head));
    }),
    { numRuns: 300 },
  );
});

test('who hears of pseudonyms hears of them each time', () => {
  const made: string[] = [];
  const sanitizer = new Sanitizer(options, key, (value) => made.push(value));
  const head = 'Cookie: session=aB3dE6gH9jK2mN5pQ8\r\nX-Forwarded-For: 1.2.3.4\r\n';
  safe(sanitizer, head);
  const first = made.splice(0);
  safe(sanitizer, head);
  expect(first.length).toBeGreaterThan(4);
  expect(made).toEqual(first);
});
