import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import { RequestWriter } from './request-writer.ts';

const added = [
  'X-Forwarded-For: 10.0.2.5',
  'X-Forwarded-Port: 80',
  'X-Forwarded-Proto: http',
  'X-Doubletake-Id: id-1',
  'X-Doubletake-Mirrored-From: 10.0.1.2:80',
];

interface Going {
  url?: string;
  host?: 'target' | 'original';
}

function write(request: string, { url = 'http://test.internal:8080', host = 'target' }: Going = {}): string {
  const outgoing = new RequestWriter(new URL(url), host).write(exchangeOf(request), 'id-1', null, 1);
  const bytes = Buffer.concat(outgoing.bytes);
  expect(bytes.length).toBe(outgoing.length);
  return bytes.toString('latin1');
}

/** Request line and fields that go out, without those that are always added. */
function lines(request: string, options: Going = {}): string[] {
  const head = write(request, options).split('\r\n\r\n', 1)[0] ?? '';
  return head.split('\r\n').filter((line) => !added.includes(line) && !line.startsWith('X-Forwarded-Host:'));
}

describe('RequestWriter', () => {
  test('line, order, case, spacing and duplicates of the headers stay; only Host is the target\'s', () => {
    expect(
      write('GET /a?b=%20&c HTTP/1.1\r\nx-ONE:1\r\nhOST: shop.example\r\nx-ONE:   2\t\r\nAccept:\r\n\r\n').split('\r\n'),
    ).toEqual([
      'GET /a?b=%20&c HTTP/1.1',
      'x-ONE:1',
      'hOST: test.internal:8080',
      'x-ONE:   2\t',
      'Accept:',
      ...added.slice(0, 3),
      'X-Forwarded-Host: shop.example',
      ...added.slice(3),
      '',
      '',
    ]);
  });

  test('the original host can stay', () => {
    const options: Going = { host: 'original' };
    expect(lines('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n', options)).toEqual(['GET / HTTP/1.1', 'Host: shop.example']);
  });

  test.each([
    ['http://other.example/x?y', '/x?y'],
    ['http://other.example', '/'],
    ['http://other.example?q', '/?q'],
    ['https://user:secret@other.example:81/x', '/x'],
    ['HTTP://OTHER.example/x', '/x'],
  ])('absolute-form %s goes out as %s: it never says where bytes go', (target, path) => {
    expect(lines(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toEqual([
      `GET ${path} HTTP/1.1`,
      'Host: test.internal:8080',
    ]);
  });

  test('with the original host, an absolute-form target is what names it (RFC 9112 section 3.2.2)', () => {
    expect(lines('GET http://b.example:81/x HTTP/1.1\r\nHost: a\r\n\r\n', { host: 'original' })).toEqual([
      'GET /x HTTP/1.1',
      'Host: b.example:81',
    ]);
  });

  test('OPTIONS * stays, also when it came in absolute form', () => {
    expect(lines('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n')[0]).toBe('OPTIONS * HTTP/1.1');
    expect(lines('OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n')[0]).toBe('OPTIONS * HTTP/1.1');
  });

  test('the path of the target\'s URL comes first', () => {
    expect(lines('GET /x HTTP/1.1\r\nHost: a\r\n\r\n', { url: 'http://t/base/' })[0]).toBe('GET /base/x HTTP/1.1');
  });

  test('what is between two hops is not passed on, with the fields that Connection names', () => {
    const hop = 'Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nTE: trailers\r\n';
    const offers = 'Upgrade: h2c\r\nHTTP2-Settings: AAMA\r\nProxy-Connection: close\r\nProxy-Authorization: Basic eA==\r\n';
    expect(lines(`GET / HTTP/1.1\r\nHost: a\r\n${hop}${offers}X-Kept: 1\r\n\r\n`)).toEqual([
      'GET / HTTP/1.1',
      'Host: test.internal:8080',
      'X-Kept: 1',
    ]);
  });

  test('Connection cannot take away what the request means', () => {
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host, cookie\r\nContent-Length: 2\r\nCookie: s=1\r\n\r\nok';
    expect(lines(request)).toEqual(['POST / HTTP/1.1', 'Host: test.internal:8080', 'Content-Length: 2', 'Cookie: s=1']);
  });

  test('the client is appended to X-Forwarded-For, the last of several, and the other ones stay as they are', () => {
    const forwarded = 'X-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n';
    expect(write(`GET / HTTP/1.1\r\nHost: a\r\n${forwarded}X-Forwarded-Host: b\r\n\r\n`).split('\r\n')).toEqual([
      'GET / HTTP/1.1',
      'Host: test.internal:8080',
      'X-Forwarded-For: 1.2.3.4',
      'x-forwarded-for: 5.6.7.8, 10.0.2.5',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Host: b',
      ...added.slice(3),
      '',
      '',
    ]);
  });

  test('HTTP/1.0 asks for the connection to stay open; a request without Host gets none', () => {
    expect(lines('GET / HTTP/1.0\r\n\r\n')).toEqual(['GET / HTTP/1.0', 'Connection: keep-alive']);
  });

  test('a second Host field does not go out', () => {
    expect(lines('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')).toEqual(['GET / HTTP/1.1', 'Host: test.internal:8080']);
  });

  test('a chunked body stays chunked, with extensions and trailers', () => {
    const body = '5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n';
    const out = write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${body}`);
    expect(out.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(out).toContain('\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n');
  });

  test('any fields that are not named above go out byte for byte, and any body', () => {
    const name = fc.stringMatching(/^X-[A-Za-z0-9-]{1,20}$/).filter((text) => !/^x-(forwarded|doubletake)/i.test(text));
    const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
    const body = fc.uint8Array({ maxLength: 40_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), body, (fields, bytes) => {
        const head = fields.map((field) => field.join(': '));
        const request = Buffer.concat([
          Buffer.from([`PUT /x HTTP/1.1`, ...head, `Content-Length: ${bytes.length}`, '', ''].join('\r\n')),
          bytes,
        ]);
        const outgoing = new RequestWriter(new URL('http://t'), 'target').write(exchangeOf(request), 'id-1', null, 1);
        const out = Buffer.concat(outgoing.bytes);
        const end = out.indexOf('\r\n\r\n');
        expect(out.toString('latin1', 0, end).split('\r\n')).toEqual([
          'PUT /x HTTP/1.1',
          ...head,
          `Content-Length: ${bytes.length}`,
          ...added,
        ]);
        expect(out.subarray(end + 4).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
