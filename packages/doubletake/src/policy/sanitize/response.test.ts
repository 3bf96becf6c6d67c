import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { normal, readable } from '../../../test/support/canary-reader.ts';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import { playInto } from '../../../test/support/http-script.ts';
import type { Message } from '../../http/exchange.ts';
import type { SanitizeOptions } from './options.ts';
import { Sanitizer } from './sanitizer.ts';

const options: SanitizeOptions = {
  presets: ['auth', 'pii', 'payment'],
  presetAction: 'pseudonym',
  rules: [],
  jwt: 'resign',
  unreadableBodies: 'block',
  bodyBytesMax: 1 << 20,
};
const sanitizer = new Sanitizer(options, Buffer.from('a key of the tests, long enough'));

function responseOf(bytes: string | Buffer): Message {
  const { recorder } = playInto([{ client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }, { server: bytes }, { end: 'server' }], {
    limits: { responseBodyBytesMax: 1 << 20 },
  });
  const response = recorder.exchanges[0]?.response;
  if (response === null || response === undefined) throw new Error('there is no response');
  return response;
}

function wireOf({ head, body }: Message): Buffer {
  return Buffer.concat([head.bytes, ...(body.wire ?? [])]);
}

/** The response made safe, as it would be on the wire; read again, it is one whole response. Null: it cannot be read. */
function safeWire(bytes: string | Buffer): Buffer | null {
  const message = sanitizer.sanitizeResponse(responseOf(bytes));
  if (message === null) return null;
  const again = responseOf(wireOf(message));
  expect(again).toMatchObject({ outcome: 'complete', ambiguity: null });
  expect(again.body.bytes).toBe(message.body.bytes);
  return wireOf(message);
}

function safe(bytes: string | Buffer): string {
  return safeWire(bytes)?.toString() ?? 'UNREADABLE';
}

function answer(body: string | Buffer, headers = 'Content-Type: application/json\r\n'): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

/** The pseudonym that a value gets in a request, under this name. */
function inRequest(name: string, value: string): string {
  const body = JSON.stringify({ [name]: value });
  const request = exchangeOf(Buffer.from(`POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
  const wire = sanitizer.sanitize(request)?.request.body.wire ?? [];
  const document = JSON.parse(Buffer.concat(wire).toString()) as Record<string, string>;
  return document[name] ?? '';
}

const email = 'anna@shop.example';

describe('a response is made safe as requests are', () => {
  test.each<[string, string | Buffer, string]>([
    ['a cookie', 'HTTP/1.1 204 No Content\r\nSet-Cookie: session=aB3dE6gH9jK2mN5pQ8; Path=/; HttpOnly\r\n\r\n', 'aB3dE6gH9jK2mN5pQ8'],
    ['a location', `HTTP/1.1 302 Found\r\nLocation: https://shop.example/users/${email}?token=s3cr3ttoken\r\nContent-Length: 0\r\n\r\n`, email],
    ['JSON', answer(JSON.stringify({ user: { mail: email } })), email],
    ['JSON in chunks', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"m":"ann\r\n11\r\na@shop.example"}\n\r\n0\r\n\r\n`, email],
    ['JSON in gzip', answer(gzipSync(JSON.stringify({ mail: email })), 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n'), email],
    ['HTML to the end of the connection', `HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Hello ${email}</p>`, email],
    ['a header', `HTTP/1.1 204 No Content\r\nX-User-Email: ${email}\r\n\r\n`, email],
  ])('%s', (_, response, value) => {
    expect(readable(wireOf(responseOf(response)))).toContain(normal(value));
    expect(readable(safeWire(response) ?? Buffer.alloc(0))).toMatch(/^http1[01]\d{3}/);
    expect(readable(safeWire(response) ?? Buffer.alloc(0))).not.toContain(normal(value));
  });

  test('a value has the pseudonym that it has in requests', () => {
    const mail = inRequest('email', email);
    expect(safe(answer(JSON.stringify({ to: `for ${email}` })))).toContain(mail);
    expect(safe(`HTTP/1.1 302 Found\r\nLocation: /users/${email}?m=${email}\r\nContent-Length: 0\r\n\r\n`)).toContain(`/users/${mail}?m=${mail}\r\n`);
    const cookie = 'HTTP/1.1 204 No Content\r\nSet-Cookie: session=aB3dE6gH9jK2mN5pQ8; Path=/; HttpOnly\r\n\r\n';
    expect(safe(cookie)).toContain(`Set-Cookie: session=${inRequest('session', 'aB3dE6gH9jK2mN5pQ8')}; Path=/; HttpOnly\r\n`);
    const request = sanitizer.sanitize(exchangeOf('GET / HTTP/1.1\r\nCookie: session=aB3dE6gH9jK2mN5pQ8\r\n\r\n'));
    expect(request?.request.head.get('cookie')).toBe(`session=${inRequest('session', 'aB3dE6gH9jK2mN5pQ8')}`);
  });

  test('what asks for credentials stays, as does everything in which nothing is', () => {
    const response = 'HTTP/1.1 401 Unauthorized\r\nDate: Sat, 29 Oct 1994 19:43:31 GMT\r\nServer: nginx/1.2.3.4\r\nWWW-Authenticate: Bearer realm="shop", error="invalid_token"\r\nContent-Length: 0\r\n\r\n';
    expect(safe(response)).toBe(response);
  });

  test('what cannot be read is not given on', () => {
    expect(safe(answer('abcd', 'Content-Type: image/png\r\n'))).toBe('UNREADABLE');
    expect(safe(answer('{"mail":'))).toBe('UNREADABLE');
  });
});
