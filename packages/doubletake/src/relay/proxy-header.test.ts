import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../packets/address.ts';
import { type Endpoint, endpointOf } from './endpoints.ts';
import { decodeProxyHeader, encodeProxyHeader } from './proxy-header.ts';

const text = (endpoint: Endpoint | null): string | null => endpoint && formatEndpoint(endpoint.address, 0, endpoint.port);

/** Header of version 2 from its parts, as in section 2.2 of the specification. */
function version2(command: number, family: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), Buffer.of(command, family, body.length >>> 8, body.length & 255), body]);
}

const tcp4 = Buffer.from('0a010203c0000201d43100507f', 'hex').subarray(0, 12);

describe('PROXY protocol', () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6());

  test('what is written is read again, however it is cut, and what follows is left', () => {
    fc.assert(
      fc.property(address, port, address, port, fc.uint8Array({ maxLength: 20 }), (from, fromPort, to, toPort, rest) => {
        const [client, server] = [endpointOf(from, fromPort), endpointOf(to, toPort)];
        const header = encodeProxyHeader(client, server);
        for (let end = 0; end < header.length; end++) expect(decodeProxyHeader(header.subarray(0, end))).toBe('more');
        expect(decodeProxyHeader(Buffer.concat([header, rest]))).toEqual({ length: header.length, client, server });
      }),
    );
  });

  test('an IPv4 connection is written as HAProxy writes it', () => {
    const header = encodeProxyHeader(endpointOf('10.1.2.3', 54_321), endpointOf('192.0.2.1', 80));
    expect(header.toString('hex')).toBe(version2(0x21, 0x11, tcp4).toString('hex'));
  });

  test.each([
    ['more behind the addresses', version2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from('0300042a2a2a2a', 'hex')])), '10.1.2.3:54321', '192.0.2.1:80'],
    ['a health check of the proxy itself', version2(0x20, 0x00, Buffer.alloc(0)), null, null],
    ['a UNIX socket', version2(0x21, 0x31, Buffer.alloc(216)), null, null],
    ['version 1', Buffer.from('PROXY TCP4 10.1.2.3 192.0.2.1 54321 80\r\n'), '10.1.2.3:54321', '192.0.2.1:80'],
    ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 9 443\r\n'), '[2001:db8::7]:9', '[::1]:443'],
    ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), null, null],
    ['version 1, unknown with more', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null, null],
  ])('%s', (_, bytes, client, server) => {
    const header = decodeProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]));
    if (typeof header === 'string') throw new Error(header);
    expect({ length: header.length, client: text(header.client), server: text(header.server) }).toEqual({ length: bytes.length, client, server });
  });

  test.each([
    ['a request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another command', version2(0x22, 0x11, tcp4).toString('latin1')],
    ['too short for its family', version2(0x21, 0x21, tcp4).toString('latin1')],
    ['longer than anybody needs', version2(0x21, 0x11, Buffer.alloc(5_000)).toString('latin1')],
    ['version 1 with a port that is none', 'PROXY TCP4 10.1.2.3 192.0.2.1 99999 80\r\n'],
    ['version 1 with a name', 'PROXY TCP4 a.example 192.0.2.1 1 80\r\n'],
    ['version 1 without an end', `PROXY ${'x'.repeat(200)}`],
    ['another word', 'PROXIES 1'],
  ])('%s is no header', (_, bytes) => {
    expect(decodeProxyHeader(Buffer.from(bytes, 'latin1'))).toBe('invalid');
  });
});
