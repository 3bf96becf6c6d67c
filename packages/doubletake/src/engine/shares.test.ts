import { describe, expect, test } from 'vitest';
import { targetSchema } from '../config/target-schema.ts';
import { Shares, type TargetReading } from './shares.ts';
import { bucketOf, latencyBuckets } from '../ledger/histogram.ts';

const second = 1_000;

function target(name: string, more: object = {}): ReturnType<typeof targetSchema.parse> {
  return targetSchema.parse({ name, url: 'http://test.internal', ...more });
}

const ramp = {
  steps: [{ percentage: 10, for: '1m' }, { percentage: 100 }],
  goOn: { errorRate: 1, latency: '100ms' },
  fallBack: { errorRate: 20, latency: '1s' },
  requestsMin: 10,
  window: '10s',
};

/** Figures as a target's counters would have them after `requests`, all answered within `latencyMs`. */
function reading(requests: number, errors: number, latencyMs: number): TargetReading {
  const latencies = latencyBuckets.map(() => 0);
  latencies[bucketOf(latencyMs)] = requests;
  return { requests, errors, latencies, queueShare: 0 };
}

/** Shares of one ramping target, with the changes that were told. */
function ramping(): { shares: Shares; changes: [number, string][]; told: string[] } {
  const changes: [number, string][] = [];
  const told: string[] = [];
  const shares = new Shares([target('t', { ramp })], 0, {
    changed: (_target, share, text) => changes.push([share, text]),
    told: (text) => told.push(text),
  });
  return { shares, changes, told };
}

describe('a ramp is given what its target did since the last look', () => {
  test('it goes on while the target does well, and falls back on the errors of now, not of all time', () => {
    const { shares, changes } = ramping();
    let requests = 0;
    let atMs = 0;
    const run = (seconds: number, errorsEach: number, latencyMs = 20): void => {
      for (let index = 0; index < seconds; index++) {
        requests += 100;
        errors += errorsEach;
        atMs += second;
        shares.observe(() => reading(requests, errors, latencyMs), atMs);
      }
    };
    let errors = 0;
    run(59, 0);
    expect(shares.percentageOf('t')).toBe(10);
    run(2, 0);
    expect(shares.percentageOf('t')).toBe(100);
    // Half of what comes now fails, which is little of all that ever came.
    run(10, 50);
    expect(shares.percentageOf('t')).toBe(10);
    expect(changes.map(([share]) => share)).toEqual([1, 0.1]);
    expect(changes.at(-1)?.[1]).toMatch(/^target t: .*it gets 10 % now$/);
  });

  test('what is set by hand holds until it is given back', () => {
    const { shares } = ramping();
    expect(shares.setByHand('t', 3, 0)).toBe(0.03);
    for (let atMs = second; atMs < 200 * second; atMs += second) shares.observe(() => reading(atMs, 0, 20), atMs);
    expect(shares.percentageOf('t')).toBe(3);
    expect(shares.setByHand('t', null, 200 * second)).toBe(0.1);
  });
});

test('without a ramp the configuration decides, or the hand', () => {
  const shares = new Shares([target('a'), target('b', { percentage: 25 })], 0, { changed: () => {}, told: () => {} });
  expect(['a', 'b', 'none'].map((name) => shares.percentageOf(name))).toEqual([100, 25, 0]);
  shares.setByHand('b', 0, 0);
  expect(shares.percentageOf('b')).toBe(0);
  shares.setByHand('b', null, 0);
  expect(shares.percentageOf('b')).toBe(25);
  expect(() => shares.setByHand('c', 1, 0)).toThrow('there is no target c; there is a, b');
});

test('other targets hold after a reload, and what is the same goes on where it was', () => {
  const shares = new Shares([target('a', { percentage: 50 }), target('b')], 0, { changed: () => {}, told: () => {} });
  shares.setByHand('a', 5, 0);
  shares.setByHand('b', 6, 0);
  const next = [target('a', { percentage: 50, multiply: 2 }), target('b', { percentage: 70 }), target('c')];
  expect(shares.replaceTargets(next, 0)).toEqual([0.05, 0.7, 1]);
});
