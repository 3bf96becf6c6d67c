import { expect, test } from 'vitest';
import { ProductionServers } from './production-servers.ts';

const servers = new ProductionServers([
  { network: '10.1.0.0/16', port: null },
  { network: '192.0.2.7', port: 8080 },
  { network: '2001:db8::/64', port: 443 },
]);
servers.learn('203.0.113.9:80');
servers.learn('[2001:db8:1::9]:443');

test.each([
  ['10.1.200.3', 80, true],
  ['10.1.200.3', 65_535, true],
  ['::ffff:10.1.200.3', 80, true],
  ['10.2.0.1', 80, false],
  ['192.0.2.7', 8080, true],
  ['192.0.2.7', 80, false],
  ['2001:db8::1', 443, true],
  ['2001:db8::1%eth0', 443, true],
  ['2001:db8::1', 80, false],
  ['203.0.113.9', 80, true],
  ['::ffff:cb00:7109', 80, true],
  ['203.0.113.9', 81, false],
  ['2001:db8:1:0:0:0:0:9', 443, true],
  ['no address', 80, false],
])('%s port %d is production: %s', (address, port, refused) => {
  expect(servers.refuses(address, port)).toBe(refused);
});

test('a server is learned once, and no more of them than there is room for', () => {
  const learning = new ProductionServers([]);
  expect([learning.learn('10.0.0.1:80'), learning.learn('10.0.0.1:80'), learning.learn('10.0.0.1:81')]).toEqual([true, false, true]);
  let learned = 2;
  for (let index = 0; index < 110_000; index++) if (learning.learn(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8000`)) learned++;
  expect(learned).toBe(100_000);
  expect(learning.refuses('10.0.0.0', 8000)).toBe(true);
});
