import { expect, test } from 'vitest';
import { Http2Request, isTranslatable } from './http2-request.ts';

const start = [':method', 'POST', ':scheme', 'https', ':path', '/a%2Fb?x=1', ':authority', 'shop.example'];

function lines(request: Http2Request): string[] {
  return request.head.toString('latin1').split('\r\n');
}

test('the authority becomes Host, cookies are joined where the first stood, and what belongs to a connection goes', () => {
  const fields = ['b', '1', 'cookie', 'a=1', 'host', 'other', 'upgrade', 'h2c', 'te', 'trailers', 'cookie', 'c=2', 'b', '2'];
  expect(lines(new Http2Request([...start, ...fields], true))).toEqual([
    'POST /a%2Fb?x=1 HTTP/1.1',
    'host: shop.example',
    'b: 1',
    'cookie: a=1; c=2',
    'te: trailers',
    'b: 2',
    '',
    '',
  ]);
});

test('without an authority the Host field stays', () => {
  expect(lines(new Http2Request([':method', 'GET', ':path', '/', 'host', 'a'], true))).toEqual(['GET / HTTP/1.1', 'host: a', '', '']);
});

test('a body with a length stays as it is, and more than its length is refused', () => {
  const request = new Http2Request([...start, 'content-length', '5'], false);
  expect(lines(request)).toContain('content-length: 5');
  expect(request.data(Buffer.from('abc'))?.join('')).toBe('abc');
  expect(request.data(Buffer.from('de'))?.join('')).toBe('de');
  expect(request.end().length).toBe(0);
  expect(request.data(Buffer.from('f'))).toBeNull();
});

test('a body without a length is chunked, with its trailers', () => {
  const request = new Http2Request(start, false);
  expect(lines(request)).toContain('transfer-encoding: chunked');
  expect(request.data(Buffer.from('0123456789'))?.join('')).toBe('a\r\n0123456789\r\n');
  expect(request.data(Buffer.alloc(0))).toEqual([]);
  request.trailers(['x-sum', '7', 'bad name', '1', 'bad', 'a\r\nb: c']);
  expect(request.end().toString()).toBe('0\r\nx-sum: 7\r\n\r\n');
});

test.each([
  ['no path', [':method', 'CONNECT', ':authority', 'a:443']],
  ['a blank in the path', [':method', 'GET', ':path', '/a b']],
  ['a line end in the path', [':method', 'GET', ':path', '/a\r\nX: y']],
  ['a method that is none', [':method', 'G ET', ':path', '/']],
  ['a line end in a value', [...start, 'x', 'a\r\nTransfer-Encoding: chunked']],
  ['a blank in a name', [...start, 'x y', 'a']],
  ['two lengths', [...start, 'content-length', '1', 'content-length', '2']],
  ['a length that is none', [...start, 'content-length', '1, 1']],
])('%s cannot be written as HTTP/1.1', (_, fields) => {
  expect(isTranslatable(fields)).toBe(false);
});

test('every other request can', () => {
  expect(isTranslatable([...start, 'content-length', '1', 'content-length', '1', 'x', 'caf\xe9'])).toBe(true);
});
