import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BreakerChange, type BreakerOptions, CircuitBreaker, isFailure } from './circuit-breaker.ts';
import type { ReplayResponse, ReplayResult } from './target.ts';

const options: BreakerOptions = {
  errorRate: 0.5,
  slowerThanMs: 2_000,
  slowRate: 0.5,
  requestsMin: 20,
  windowMs: 10_000,
  openMs: 5_000,
  openMsMax: 20_000,
  probes: 3,
};

/** How a simulated target fares from a time on: what each request comes to after how long; `silent` never answers. */
interface Phase {
  fromMs: number;
  latencyMs: number;
  /** Of this many requests one fails; 0: none does. */
  failsEvery: number;
  silent?: boolean;
}

const well: Omit<Phase, 'fromMs'> = { latencyMs: 10, failsEvery: 0 };
const broken: Omit<Phase, 'fromMs'> = { latencyMs: 10, failsEvery: 1 };

/** Sends a request every `everyMs` through a breaker; time is simulated. Returns the changes, and when requests went. */
function simulate(phases: readonly Phase[], untilMs: number, everyMs = 100, changed: Partial<BreakerOptions> = {}) {
  let nowMs = 0;
  const changes: (BreakerChange & { atMs: number })[] = [];
  const breaker = new CircuitBreaker({ ...options, ...changed }, (change) => changes.push({ ...change, atMs: nowMs }));
  const admittedMs: number[] = [];
  let results: { atMs: number; generation: number; failed: boolean; latencyMs: number }[] = [];
  let sent = 0;
  for (; nowMs < untilMs; nowMs += everyMs) {
    for (const { generation, failed, latencyMs } of results.filter(({ atMs }) => atMs <= nowMs)) {
      breaker.record(generation, failed, latencyMs, nowMs);
    }
    results = results.filter(({ atMs }) => atMs > nowMs);
    const phase = phases.findLast(({ fromMs }) => fromMs <= nowMs);
    const generation = breaker.admit(nowMs);
    if (generation < 0 || phase === undefined) continue;
    admittedMs.push(nowMs);
    const { latencyMs, failsEvery, silent = false } = phase;
    const failed = failsEvery > 0 && sent++ % failsEvery === 0;
    if (!silent) results.push({ atMs: nowMs + latencyMs, generation, failed, latencyMs });
  }
  return { breaker, changes, admittedMs, states: changes.map(({ to }) => to) };
}

describe('a simulated target', () => {
  test.each<[string, Phase[], number, string[]]>([
    ['is well', [{ fromMs: 0, ...well }], 60_000, []],
    ['fails now and then', [{ fromMs: 0, ...well, failsEvery: 3 }], 60_000, []],
    ['fails with every second request', [{ fromMs: 0, ...well, failsEvery: 2 }], 5_000, ['open']],
    [
      'breaks and recovers within the pause',
      [{ fromMs: 0, ...well }, { fromMs: 10_000, ...broken }, { fromMs: 16_000, ...well }],
      60_000,
      ['open', 'half_open', 'closed'],
    ],
    [
      'breaks and takes its time',
      [{ fromMs: 0, ...well }, { fromMs: 10_000, ...broken }, { fromMs: 45_000, ...well }],
      90_000,
      ['open', 'half_open', 'open', 'half_open', 'open', 'half_open', 'closed'],
    ],
    [
      'is slow, and then is not',
      [{ fromMs: 0, ...well, latencyMs: 3_000 }, { fromMs: 9_000, ...well }],
      30_000,
      ['open', 'half_open', 'closed'],
    ],
    ['answers no probe', [{ fromMs: 0, ...broken }, { fromMs: 3_000, ...well, silent: true }], 60_000, ['open', 'half_open']],
    [
      'answers no probe, and then does',
      [{ fromMs: 0, ...broken }, { fromMs: 3_000, ...well, silent: true }, { fromMs: 30_000, ...well }],
      60_000,
      ['open', 'half_open', 'closed'],
    ],
    [
      'answers later than probes are sent again, yet well',
      [{ fromMs: 0, ...broken }, { fromMs: 3_000, ...well, latencyMs: 8_000 }],
      17_000,
      ['open', 'half_open', 'closed'],
    ],
    [
      'stalls until requests time out',
      [{ fromMs: 0, ...broken }, { fromMs: 3_000, ...broken, latencyMs: 8_000 }],
      17_000,
      ['open', 'half_open', 'open'],
    ],
  ])('%s', (name, phases, untilMs, states) => {
    const slowerThanMs = name.startsWith('is slow') ? options.slowerThanMs : null;
    expect(simulate(phases, untilMs, 100, { slowerThanMs }).states).toEqual(states);
  });

  test('changes say why, and a pause that did not help is doubled, up to its bound', () => {
    const { changes, admittedMs } = simulate([{ fromMs: 0, ...broken }], 80_000);
    expect(changes.slice(0, 4).map(({ reason }) => reason)).toEqual([
      '20 of 20 requests failed in 10 s',
      'open for 5 s, trying again',
      'a request sent to try it failed, the next try is in 10 s',
      'open for 10 s, trying again',
    ]);
    const opened = changes.filter(({ to }) => to === 'open').map(({ atMs }) => atMs);
    const tried = changes.filter(({ to }) => to === 'half_open').map(({ atMs }) => atMs);
    expect(tried.map((atMs, index) => atMs - (opened[index] ?? 0))).toEqual([5_000, 10_000, 20_000, 20_000, 20_000]);
    // What was sent beside probes before the first of them failed.
    expect(admittedMs.filter((atMs) => atMs > 2_100).length).toBeLessThanOrEqual(tried.length * options.probes);
  });

  test('slow answers are named, and the slow among the probes count by their share', () => {
    const { changes } = simulate([{ fromMs: 0, ...well, latencyMs: 3_000 }], 12_000);
    expect(changes.map(({ reason }) => reason)).toEqual([
      '20 of 20 requests took longer than 2 s in 10 s',
      'open for 5 s, trying again',
    ]);
    const later = simulate([{ fromMs: 0, ...well, latencyMs: 3_000 }], 15_000);
    expect(later.changes.at(-1)?.reason).toBe('3 of 3 requests sent to try it took longer than 2 s, the next try is in 10 s');
  });

  test('after it closed the pause is as short as at first', () => {
    const { changes } = simulate(
      [{ fromMs: 0, ...broken }, { fromMs: 12_000, ...well }, { fromMs: 40_000, ...broken }],
      60_000,
    );
    const opened = changes.filter(({ to }) => to === 'open').map(({ atMs }) => atMs);
    const tried = changes.filter(({ to }) => to === 'half_open').map(({ atMs }) => atMs);
    expect(tried.map((atMs, index) => atMs - (opened[index] ?? 0)).slice(0, 3)).toEqual([5_000, 10_000, 5_000]);
  });
});

/** A breaker that has just opened, at `atMs`. */
function openedAt(atMs: number): CircuitBreaker {
  const breaker = new CircuitBreaker(options, () => {});
  for (let count = 0; count < options.requestsMin; count++) breaker.record(breaker.admit(atMs), true, 0, atMs);
  expect(breaker.state).toBe('open');
  return breaker;
}

describe('results', () => {
  test('of requests sent before a pause say nothing behind it', () => {
    const breaker = new CircuitBreaker(options, () => {});
    const generation = breaker.admit(0);
    for (let count = 0; count < options.requestsMin; count++) breaker.record(generation, true, 0, 0);
    const probe = breaker.admit(5_000);
    expect(probe).not.toBe(generation);
    breaker.record(generation, true, 0, 5_001);
    breaker.record(generation, false, 0, 5_001);
    expect(breaker.state).toBe('half_open');
    for (const each of [probe, breaker.admit(5_002), breaker.admit(5_003)]) breaker.record(each, false, 0, 5_004);
    expect(breaker.state).toBe('closed');
    for (let count = 0; count < options.requestsMin; count++) breaker.record(probe, true, 0, 5_005);
    expect(breaker.state).toBe('closed');
  });

  test('that are older than the window do not count', () => {
    const breaker = new CircuitBreaker(options, () => {});
    for (let nowMs = 0; nowMs < 200_000; nowMs += 1_000) breaker.record(breaker.admit(nowMs), true, 0, nowMs);
    expect(breaker.state).toBe('closed');
  });

  test.each<[ReplayResult, boolean]>([
    [{ outcome: 'failed', reason: 'connect', detail: '' }, true],
    [{ outcome: 'failed', reason: 'timeout', detail: '' }, true],
    [answered(502), true],
    [answered(503), true],
    [answered(504), true],
    [answered(500), false],
    [answered(404), false],
    [answered(200), false],
    [{ outcome: 'dropped', reason: 'queue_full' }, false],
    [{ outcome: 'blocked', guard: 'kill_switch' }, false],
  ])('%j', (result, failed) => {
    expect(isFailure(result)).toBe(failed);
  });
});

function answered(status: number): ReplayResult {
  return { outcome: 'replayed', response: { status } as ReplayResponse };
}

describe('the clock', () => {
  test('set back by an hour it prolongs no pause by more than the pause', () => {
    const breaker = openedAt(3_600_000);
    expect(breaker.admit(3_604_000)).toBe(-1);
    expect(breaker.admit(0)).toBe(-1);
    expect(breaker.admit(900)).toBe(-1);
    expect(breaker.admit(1_000)).toBeGreaterThan(0);
  });

  test('set back while closed it leaves the window as it is', () => {
    const breaker = new CircuitBreaker(options, () => {});
    for (let count = 0; count < options.requestsMin - 1; count++) breaker.record(breaker.admit(3_600_000), true, 0, 3_600_000);
    breaker.record(breaker.admit(0), true, 0, 0);
    expect(breaker.state).toBe('open');
  });

  test('read by several callers in turn it may be out of order by a little, which makes no time pass', () => {
    const breaker = openedAt(10_000);
    for (let count = 0; count < 1_000; count++) {
      expect(breaker.admit(10_500)).toBe(-1);
      expect(breaker.admit(10_400)).toBe(-1);
    }
  });
});

type Step = { do: 'wait'; ms: number } | { do: 'send' } | { do: 'end'; which: number; failed: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
  fc.record({ do: fc.constant('send' as const) }),
  fc.record({ do: fc.constant('send' as const) }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(), failed: fc.boolean() }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(), failed: fc.constant(true) }),
);

test('whatever happens: open refuses for the whole pause and says so, then lets probes through, and never for ever', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      let nowMs = 1_000;
      let openedAtMs = -Infinity;
      let probed: number[] = [];
      const breaker = new CircuitBreaker({ ...options, requestsMin: 5 }, ({ from, to }) => {
        expect(`${from} ${to}`).toMatch(/^(closed open|open half_open|half_open (open|closed))$/);
        if (to === 'open') openedAtMs = nowMs;
        probed = [];
      });
      const out: number[] = [];
      for (const next of steps) {
        if (next.do === 'wait') nowMs += next.ms;
        else if (next.do === 'send') {
          const waitMs = breaker.waitMs(nowMs);
          const generation = breaker.admit(nowMs);
          expect(generation < 0).toBe(waitMs > 0);
          if (generation < 0) continue;
          expect(generation).toBe(breaker.generation);
          expect(nowMs - openedAtMs).toBeGreaterThanOrEqual(breaker.state === 'closed' ? 0 : options.openMs);
          out.push(generation);
          if (breaker.state === 'half_open') probed.push(nowMs);
          // In the time of a pause there are at most twice as many: those before it and those after.
          expect(probed.filter((atMs) => atMs > nowMs - options.openMs).length).toBeLessThanOrEqual(2 * options.probes);
        } else if (out.length > 0) {
          const [generation = 0] = out.splice(next.which % out.length, 1);
          breaker.record(generation, next.failed, 10, nowMs);
        }
      }
      // However it stands now: a target that is well gets requests again.
      for (let tries = 0; tries < 20 && breaker.state !== 'closed'; tries++) {
        nowMs += options.openMsMax;
        for (let probe = 0; probe < options.probes; probe++) {
          const generation = breaker.admit(nowMs);
          if (generation >= 0) breaker.record(generation, false, 10, nowMs);
        }
      }
      expect(breaker.state).toBe('closed');
    }),
  );
});
