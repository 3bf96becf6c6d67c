import { describe, expect, test } from 'vitest';
import { Random } from '../../../test/support/random.ts';
import { LatencyDistribution } from './latency-distribution.ts';
import { areEnough, latencyAboveLogE, latencyRatio } from './latency-ratio.ts';

type Sides = { baseline: LatencyDistribution; candidate: LatencyDistribution };

const kinds: { name: string; pair: (random: Random) => [baseline: number, candidate: number]; ratio: number }[] = [
  {
    name: 'independent of each other',
    ratio: 1,
    pair: (random) => [20 * Math.exp(0.5 * random.normal()), 20 * Math.exp(0.5 * random.normal())],
  },
  {
    name: 'of the same request, 1.2 times as long',
    ratio: 1.2,
    pair: (random) => {
      const request = 20 * Math.exp(random.normal());
      return [request * Math.exp(0.1 * random.normal()), 1.2 * request * Math.exp(0.1 * random.normal())];
    },
  },
  {
    name: 'in whole milliseconds',
    ratio: 2,
    pair: (random) => [1 + Math.floor(4 * random.next()), 2 + 2 * Math.floor(4 * random.next())],
  },
];

function collect(count: number, random: Random, pair: (random: Random) => [number, number]): Sides {
  const sides = { baseline: new LatencyDistribution(), candidate: new LatencyDistribution() };
  for (let index = 0; index < count; index++) add(sides, pair(random));
  return sides;
}

function add(sides: Sides, [baseline, candidate]: readonly [number, number]): void {
  sides.baseline.push(baseline);
  sides.candidate.push(candidate);
}

function cumulated({ baseline, candidate }: Sides): { baseline: Float64Array; candidate: Float64Array } {
  return { baseline: baseline.cumulated(), candidate: candidate.cumulated() };
}

describe('looked at after every 100 of 2,000 latencies', () => {
  test.each(kinds)('$name: the interval hardly ever misses the ratio, nor is it said to be larger', ({ pair, ratio }) => {
    const random = new Random(7);
    const runs = 40;
    let missed = 0;
    let exceeded = 0;
    for (let run = 0; run < runs; run++) {
      const sides: Sides = { baseline: new LatencyDistribution(), candidate: new LatencyDistribution() };
      let isMissed = false;
      let isExceeded = false;
      for (let look = 0; look < 20; look++) {
        for (let index = 0; index < 100; index++) add(sides, pair(random));
        const latencies = cumulated(sides);
        const estimate = latencyRatio(latencies, 0.9, 0.05);
        if (estimate !== null && (ratio < estimate.low || ratio > estimate.high)) isMissed = true;
        if (latencyAboveLogE(latencies, 0.9, ratio) >= Math.log(20)) isExceeded = true;
      }
      if (isMissed) missed++;
      if (isExceeded) exceeded++;
    }
    expect(missed).toBeLessThanOrEqual(0.05 * runs);
    expect(exceeded).toBeLessThanOrEqual(0.05 * runs);
  });
});

describe('5,000 latencies', () => {
  const slower = cumulated(
    collect(5000, new Random(3), (random) => [20 * Math.exp(0.5 * random.normal()), 30 * Math.exp(0.5 * random.normal())]),
  );

  test.each([0.5, 0.9, 0.99])('show at quantile %d that it takes half as long again', (q) => {
    const estimate = latencyRatio(slower, q, 0.05);
    expect(estimate?.value).toBeGreaterThan(1.35);
    expect(estimate?.value).toBeLessThan(1.65);
    expect(estimate?.low).toBeGreaterThan(1.2);
    expect(estimate?.high).toBeLessThan(2.1);
    expect(latencyAboveLogE(slower, q, 1.2)).toBeGreaterThan(Math.log(100));
    expect(latencyAboveLogE(slower, q, 1.7)).toBeLessThan(0);
  });

  test('say the same the other way round', () => {
    const faster = { baseline: slower.candidate, candidate: slower.baseline };
    expect(latencyRatio(faster, 0.5, 0.05)?.high).toBeCloseTo(1 / (latencyRatio(slower, 0.5, 0.05)?.low ?? 0), 9);
    expect(latencyAboveLogE(faster, 0.5, 1)).toBeLessThan(0);
    expect(latencyAboveLogE(faster, 0.5, 0.5)).toBeGreaterThan(Math.log(1000));
  });
});

test.each([
  [10, 0.5, false],
  [100, 0.5, true],
  [100, 0.99, false],
  [1000, 0.99, true],
])('%d latencies are enough at quantile %d: %s', (count, q, enough) => {
  const sides = cumulated(collect(count, new Random(1), (random) => [1 + random.next(), 1 + random.next()]));
  expect(latencyRatio(sides, q, 0.05) !== null).toBe(enough);
  expect(areEnough(count, q, 0.05)).toBe(enough);
});

test('none are no evidence', () => {
  const none = cumulated({ baseline: new LatencyDistribution(), candidate: new LatencyDistribution() });
  expect(latencyRatio(none, 0.5, 0.05)).toBeNull();
  expect(latencyAboveLogE(none, 0.5, 1)).toBeLessThanOrEqual(0);
});
