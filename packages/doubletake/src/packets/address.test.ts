import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

function address(text: string): Int32Array {
  const words = new Int32Array(4);
  if (!parseAddress(text, words)) throw new Error(`${text} is no address`);
  return words;
}

describe('parseAddress', () => {
  test('is the inverse of formatAddress', () => {
    fc.assert(
      fc.property(fc.int32Array({ minLength: 4, maxLength: 4 }), fc.boolean(), (words, mapped) => {
        if (mapped) words.set([0, 0, 0xffff]);
        expect(address(formatAddress(words))).toEqual(words);
      }),
    );
  });

  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['255.255.255.255', '255.255.255.255'],
  ])('%s is %s', (text, formatted) => {
    expect(formatAddress(address(text))).toBe(formatted);
  });

  test.each([
    '', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', '0x1.2.3.4', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9',
    '1::2::3', '1:2:3:4:5:6:7::8', '::12345', '::g', 'fe80::1%eth0', '1.2.3.4::', '[::1]', '::1.2.3', 'unknown',
  ])('%j is no address', (text) => {
    expect(parseAddress(text, new Int32Array(4))).toBe(false);
  });
});
