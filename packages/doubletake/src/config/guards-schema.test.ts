import { expect, test } from 'vitest';
import { guardsSchema } from './guards-schema.ts';

test.each([
  ['10.0.1.2', { host: '10.0.1.2', port: null }],
  ['10.0.0.0/8', { host: '10.0.0.0/8', port: null }],
  ['10.0.0.0/8:443', { host: '10.0.0.0/8', port: 443 }],
  ['10.0.1.2:80', { host: '10.0.1.2', port: 80 }],
  ['2001:db8::1', { host: '2001:db8::1', port: null }],
  ['2001:db8::/32', { host: '2001:db8::/32', port: null }],
  ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
  ['shop.example.com', { host: 'shop.example.com', port: null }],
  ['shop:8080', { host: 'shop', port: 8080 }],
])('%s is a production server', (text, server) => {
  expect(guardsSchema.parse({ production: [text] }).production).toEqual([server]);
});

test.each(['', '10.0.0.0/33', '10.0.1', '256.1.1.1', 'shop:0', 'shop:65536', 'shop:', '[shop]:80', '[10.0.1.2]:80', '2001:db8::1%eth0', 'a b', 'http://shop', 7])(
  '%s is refused with what was expected',
  (text) => {
    const { error } = guardsSchema.safeParse({ production: [text] });
    expect(error?.issues[0]?.message).toMatch(/^expected an address, a network/);
  },
);
