import { expect, test } from 'vitest';
import { canonicalCidr } from './cidr.ts';

test.each([
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['10.1.2.3', '10.1.2.3/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['255.255.255.255/31', '255.255.255.254/31'],
  ['2001:DB8:0:0:0:0:0:1/32', '2001:db8::/32'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['::/0', '::/0'],
  ['10.0.0.0/33', null],
  ['10.0.0/8', null],
  ['::/129', null],
  ['10.0.0.0/8/8', null],
  ['', null],
])('the network %s is %s', (text, canonical) => {
  expect(canonicalCidr(text)).toBe(canonical);
});
