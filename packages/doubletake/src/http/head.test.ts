import { describe, expect, it } from 'vitest';
import { playInto } from '../../test/support/http-script.ts';
import type { MessageHead } from './head.ts';

function headOf(text: string): MessageHead {
  const { recorder } = playInto([{ client: Buffer.from(text, 'latin1') }]);
  const [exchange] = recorder.exchanges;
  if (exchange === undefined) throw new Error('no request');
  return exchange.request.head;
}

function responseHeadOf(text: string): MessageHead {
  const { recorder } = playInto([{ client: 'GET / HTTP/1.1\r\n\r\n' }, { server: text }]);
  const response = recorder.exchanges[0]?.response;
  if (response === null || response === undefined) throw new Error('no response');
  return response.head;
}

const HEAD = 'POST /a?b=\xfc HTTP/1.1\r\nHost: x\r\nCookie:  a=1 \t\r\nX-Fold: one\r\n\t two  \r\nnothing\r\ncookie: b=2\r\nEmpty:\r\n\r\n';

describe('a head', () => {
  it('keeps the bytes as they came', () => {
    expect(headOf(HEAD).bytes.toString('latin1')).toBe(HEAD);
  });

  it('reads the request line', () => {
    const head = headOf(HEAD);
    expect([head.method, head.target, head.version, head.status, head.reason]).toEqual(['POST', '/a?b=\xfc', 'HTTP/1.1', 0, '']);
    expect(head.bytes.toString('latin1', 0, head.methodEnd)).toBe('POST');
    expect(head.bytes.toString('latin1', head.targetStart, head.targetEnd)).toBe('/a?b=\xfc');
    expect(head.bytes.toString('latin1', head.versionStart, head.versionEnd)).toBe('HTTP/1.1');
    expect(head.fieldsStart).toBe(HEAD.indexOf('Host'));
  });

  it.each([
    ['HTTP/1.1 404 Not  Found\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1', 404, 'Not  Found'],
    ['HTTP/1.0 204\r\n\r\n', 'HTTP/1.0', 204, ''],
    ['http/1.1 304 \r\n\r\n', 'http/1.1', 304, ''],
  ])('reads the status line of %j', (text, version, status, reason) => {
    const head = responseHeadOf(text);
    expect([head.version, head.status, head.reason, head.method, head.target]).toEqual([version, status, reason, '', '']);
  });

  it('lists fields in order, with their case', () => {
    const head = headOf(HEAD);
    const fields = Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)]);
    expect(fields).toEqual([
      ['Host', 'x'],
      ['Cookie', 'a=1'],
      ['X-Fold', 'one two'],
      ['nothing', ''],
      ['cookie', 'b=2'],
      ['Empty', ''],
    ]);
    expect(() => head.name(6)).toThrow(RangeError);
  });

  it('finds fields by name in any case', () => {
    const head = headOf(HEAD);
    expect(head.get('HOST')).toBe('x');
    expect(head.get('absent')).toBeUndefined();
    expect(head.all('Cookie')).toEqual(['a=1', 'b=2']);
    expect([head.has('x-fold'), head.has('x-fol')]).toEqual([true, false]);
  });

  it('says where each field lies, so that it can be rewritten in place', () => {
    const head = headOf(HEAD);
    const lines = Array.from({ length: head.count }, (_, index) =>
      head.bytes.toString('latin1', head.lineStart(index), head.lineEnd(index)),
    );
    expect(lines.join('')).toBe(HEAD.slice(HEAD.indexOf('Host'), -2));
    expect(head.bytes.toString('latin1', head.valueStart(1), head.valueEnd(1))).toBe('a=1');
    expect(head.bytes.toString('latin1', head.lineStart(1), head.nameEnd(1))).toBe('Cookie');
  });
});
