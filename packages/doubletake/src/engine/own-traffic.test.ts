import { expect, test } from 'vitest';
import { OwnTraffic } from './own-traffic.ts';

test('the addresses and ports of all targets, by name or by number, with the ports that their schemes imply', async () => {
  const urls = ['http://10.0.0.1', 'https://10.0.0.2/base', 'http://[fd00::3]:8080', 'http://10.0.0.1:80', 'http://no.invalid'];
  const told: number[] = [];
  const own = new OwnTraffic(() => told.push(own.endpoints.length));
  await own.follow(urls.map((url) => new URL(url)));
  expect(own.endpoints).toEqual([
    { address: '10.0.0.1', port: 80 },
    { address: '10.0.0.2', port: 443 },
    { address: 'fd00::3', port: 8080 },
  ]);
  await own.follow([new URL('http://10.0.0.1')]);
  expect(own.endpoints).toHaveLength(3);
  await own.follow([new URL('http://localhost:7000')]);
  expect(own.endpoints).toContainEqual({ address: '127.0.0.1', port: 7000 });
  own.close();
  expect(told).toEqual([3, own.endpoints.length]);
});
