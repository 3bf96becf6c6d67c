import { expect, test } from 'vitest';
import { monthlyCost, prices } from './cost.ts';

test('the cost of a month', () => {
  const lines = monthlyCost({ sessions: 10, bytesPerSecond: 1e6, bytesPerPacket: 1_000, zones: 2, balanced: true, prices });
  const dollars = Object.fromEntries(lines.map(({ what, dollars: amount }) => [what, Math.round(amount * 100) / 100]));
  // 10 × 730 × 0.015; 730 × 0.0225; 1.05 MB/s × 3600 s = 3.78 GB an hour; half of 2759.4 GB crosses, on two sides.
  expect(dollars).toEqual({ sessions: 109.5, 'load balancer': 16.43, 'through the load balancer': 16.56, 'across zones': 27.59 });
  const plain = monthlyCost({ sessions: 1, bytesPerSecond: 1e6, bytesPerPacket: 1_000, zones: 1, balanced: false, prices });
  expect(plain.map(({ what, dollars: amount }) => [what, amount])).toEqual([['sessions', 10.95], ['across zones', 0]]);
});
