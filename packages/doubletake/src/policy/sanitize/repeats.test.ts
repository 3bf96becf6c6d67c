/** What is remembered from one request to the next changes nothing but the time. */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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

function annaWith(head: string): string {
  return JSON.stringify({ name: 'Anna', city: 'Anna', password: 'Anna', note: head.slice(0, 20) });
}

/** `body` is JSON. */
function safe(sanitizer: Sanitizer, head: string, body = annaWith(head)): string | undefined {
  const bytes = Buffer.from(`POST / HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
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

test('so do values of any length in a document, that came before or never did', () => {
  const experienced = new Sanitizer(options, key);
  // Around the lengths up to which something is remembered.
  const text = fc.oneof(
    fc.constantFrom('Anna', 'Berlin', 'Anna Berg', 'x'.repeat(12), 'x'.repeat(13), '4539578763621486', '1990-05-14'),
    fc.integer({ min: 1, max: 9_999 }).map((number) => `a${number}`),
    fc.string({ unit: 'grapheme', maxLength: 14 }),
  );
  const document = fc.record({ name: text, city: text, password: text, cardNumber: text, dateOfBirth: text, list: fc.array(text, { maxLength: 3 }) });
  fc.assert(
    fc.property(document, fc.constantFrom(10, 1_023, 1_024, 1_025), (body, length) => {
      const head = `Cookie: session=${'s'.repeat(length - 8)}\r\n`;
      const json = JSON.stringify(body);
      expect(safe(experienced, head, json)).toBe(safe(new Sanitizer(options, key), head, json));
    }),
    { numRuns: 300 },
  );
});

describe('more values than are remembered', () => {
  /** Never the same twice, so long that they are kept, and nothing that a compiler could know. */
  const session = (number: number): string => createHash('sha512').update(`${number}`).digest('base64url').repeat(11);
  const town = (number: number): string => `t${number.toString(36)}`;
  const request = (sanitizer: Sanitizer, number: number): string | undefined => {
    const address = `81.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    const body = JSON.stringify({ city: town(number), name: town(number + 7) });
    return safe(sanitizer, `Cookie: session=${session(number)}\r\nX-Real-IP: ${address}\r\n`, body);
  };
  const heapBytes = (): number => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    return process.memoryUsage().heapUsed;
  };

  test('come out as they did when they come again, and memory does not grow with them', () => {
    const sanitizer = new Sanitizer(options, key);
    const first = [0, 1, 2].map((number) => request(sanitizer, number));
    expect(new Set(first).size).toBe(3);
    for (let number = 3; number < 6_000; number++) request(sanitizer, number);
    const full = heapBytes();
    for (let number = 6_000; number < 30_000; number++) request(sanitizer, number);
    // They are 22 MB, twice: as they came and as they went out.
    expect(heapBytes() - full).toBeLessThan(6_000_000);
    expect([0, 1, 2].map((number) => request(sanitizer, number))).toEqual(first);
  }, 60_000);
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
