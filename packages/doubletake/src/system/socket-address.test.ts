import { describe, expect, test } from 'vitest';
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

describe('socket addresses', () => {
  test.each(['0.0.0.0', '127.0.0.1', '255.1.2.3', '::', '::1', 'fe80::1', '2001:db8:1:2:3:4:5:6', '2001:db8::6:0:0:1'])(
    '%s survives the structure',
    (address) => {
      expect(decodeSocketAddress(encodeSocketAddress(address, 4789))).toEqual({ address, port: 4789 });
    },
  );

  test('is laid out as the kernel has it', () => {
    expect(encodeSocketAddress('127.0.0.1', 4789).toString('hex')).toBe('020012b57f0000010000000000000000');
    const scoped = '0a0012b500000000fe8000000000000000000000000000aa07000000';
    expect(encodeSocketAddress('fe80::aa%7', 4789).toString('hex')).toBe(scoped);
    const mapped = '0a0000010000000000000000000000000000ffff0a00000100000000';
    expect(encodeSocketAddress('::ffff:10.0.0.1', 1).toString('hex')).toBe(mapped);
  });

  test('refuses what is not an address', () => {
    expect(() => encodeSocketAddress('example.org', 1)).toThrow("'example.org' is not an IPv4 or IPv6 address");
    expect(() => encodeSocketAddress('fe80::1%nosuch', 1)).toThrow("no interface 'nosuch'");
  });
});
