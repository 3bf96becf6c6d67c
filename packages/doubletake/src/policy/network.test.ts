import { describe, expect, test } from 'vitest';
import { parseAddress } from '../packets/address.ts';
import { Networks } from './network.ts';

function address(text: string): Int32Array {
  const words = new Int32Array(4);
  if (!parseAddress(text, words)) throw new Error(`${text} is no address`);
  return words;
}

describe('Networks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.128/25', '192.0.2.128', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '203.0.113.9', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::ffff:10.0.0.0/104', '10.2.3.4', true],
  ])('%s holds %s: %s', (network, text, held) => {
    expect(new Networks([network]).contains(address(text))).toBe(held);
    expect(new Networks(['203.0.113.77/32', network]).contains(address(text))).toBe(held);
  });

  test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/x', '10.0.0/8', '10.0.0.0/8/8', 'example.com'])('%s is refused', (text) => {
    expect(() => new Networks([text])).toThrow(text);
  });
});
