import { expect, test } from 'vitest';
import { plainAddress } from './plain-address.ts';

test.each([
  ['10.0.1.2', '10.0.1.2'],
  ['::ffff:10.0.1.2', '10.0.1.2'],
  ['::FFFF:0a00:0102', '10.0.1.2'],
  ['0:0:0:0:0:ffff:10.0.1.2', '10.0.1.2'],
  ['64:ff9b::10.0.1.2', '10.0.1.2'],
  ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
  ['::', '::'],
  ['64:ff9b:1::10.0.1.2', '64:ff9b:1::a00:102'],
  ['no address', 'no address'],
  ['', ''],
])('%s is %s', (text, plain) => {
  expect(plainAddress(text)).toBe(plain);
});
