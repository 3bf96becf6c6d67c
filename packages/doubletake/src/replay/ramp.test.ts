import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ramp, type RampChange, type RampFigures, type RampOptions } from './ramp.ts';

const options: RampOptions = {
  steps: [
    { percentage: 1, forMs: 60_000 },
    { percentage: 10, forMs: 60_000 },
    { percentage: 50, forMs: 60_000 },
    { percentage: 100, forMs: null },
  ],
  goOn: { errorRate: 0.01, latencyMs: 500, queueShare: 0.25 },
  fallBack: { errorRate: 0.05, latencyMs: 1_000, queueShare: 0.5 },
  fallBackTo: 'previous',
  requestsMin: 100,
  windowMs: 10_000,
};

/** What a simulated target shows each second at a percentage and a time in seconds. */
type Target = (percentage: number, second: number) => Partial<Omit<RampFigures, 'nowMs'>>;

const well = { requests: 100, errors: 0, p99Ms: 100, queueShare: 0 };

/** Lets a ramp run on simulated time, observed once a second. Returns its changes as `second from>to`, and the ramp. */
function simulate(target: Target, seconds: number, changed: Partial<RampOptions> = {}) {
  const ramp = new Ramp({ ...options, ...changed }, 0);
  const changes: (RampChange & { second: number })[] = [];
  for (let second = 1; second <= seconds; second++) {
    const change = ramp.observe({ ...well, ...target(ramp.percentage, second), nowMs: second * 1_000 });
    if (change === null) continue;
    expect(change.to).toBe(ramp.percentage);
    changes.push({ ...change, second });
  }
  return { ramp, changes, brief: changes.map(({ second, from, to }) => `${second} ${from}>${to}`) };
}

describe('a simulated target', () => {
  test.each<[string, Target, number, string[], Partial<RampOptions>?]>([
    ['is well at every step', () => ({}), 1_000, ['60 1>10', '120 10>50', '180 50>100']],
    ['has no traffic', () => ({ requests: 0, p99Ms: null }), 1_000, []],
    ['has too little traffic', () => ({ requests: 9 }), 1_000, []],
    ['is worse than the bounds to go on, and within those to stay', () => ({ errors: 3 }), 1_000, []],
    ['is slow, within the bounds to stay', () => ({ p99Ms: 700 }), 1_000, []],
    ['answers nothing, so that its latency is unknown', () => ({ p99Ms: null }), 1_000, []],
    ['fails from the start: it says so once', () => ({ errors: 50 }), 1_000, ['1 1>1']],
    [
      'fails a little in the first minutes',
      (_percentage, second) => (second < 100 ? { errors: 3 } : {}),
      250,
      // Most of the bad ones must have left the window.
      ['106 1>10', '166 10>50', '226 50>100'],
    ],
    [
      'breaks down at the third step: each time the second is kept for longer',
      (percentage) => (percentage >= 50 ? { errors: 30 } : {}),
      800,
      ['60 1>10', '120 10>50', '121 50>10', '181 10>50', '182 50>10', '302 10>50', '303 50>10', '543 10>50', '544 50>10'],
    ],
    [
      'and to the first where that is wanted',
      (percentage) => (percentage >= 50 ? { p99Ms: 2_000 } : {}),
      370,
      ['60 1>10', '120 10>50', '121 50>1', '181 1>10', '241 10>50', '242 50>1', '362 1>10'],
      { fallBackTo: 'first' },
    ],
    [
      'breaks down long after the ramp is done, everywhere, and recovers',
      (_percentage, second) => (second > 500 && second < 520 ? { errors: 30 } : {}),
      800,
      // Each fall behind the first is judged over a whole window.
      ['60 1>10', '120 10>50', '180 50>100', '502 100>50', '512 50>10', '522 10>1', '762 1>10'],
    ],
    [
      'is overrun: its queue fills although nothing comes to an end',
      (percentage) => (percentage >= 10 ? { requests: 0, p99Ms: null, queueShare: 0.9 } : {}),
      100,
      ['60 1>10', '70 10>1'],
    ],
  ])('%s', (_name, target, seconds, brief, changed = {}) => {
    expect(simulate(target, seconds, changed).brief).toEqual(brief);
  });

  test.each<[Partial<RampFigures>, string]>([
    [{ errors: 6 }, '6 % of 100 requests failed in 10 s, more than 5 %'],
    [{ p99Ms: 2_500 }, '99 % of the latencies were up to 2.5 s in 10 s, longer than 1 s'],
    [{ queueShare: 0.75 }, '75 % of the queue was taken in 10 s, more than 50 %'],
  ])('%j at the second step is why it falls', (figures, reason) => {
    const { changes } = simulate((percentage) => (percentage === 10 ? figures : {}), 61);
    expect(changes.map((change) => change.reason)).toEqual(['60 s at 1 % went well: 0 % of 1000 requests failed in 10 s', reason]);
  });

  test('times are prolonged sixteenfold at most', () => {
    const { changes } = simulate((percentage) => (percentage >= 50 ? { errors: 30 } : {}), 5_000);
    const ups = changes.filter(({ to }) => to === 50).map(({ second }) => second);
    const waits = ups.slice(1).map((second, index) => second - (ups[index] ?? 0) - 1);
    expect(waits).toEqual([60, 120, 240, 480, 960, 960, 960, 960]);
  });

  test('once the step from which it fell is held, times are as configured again', () => {
    // It holds at 50 from 543 on, so that the fall that follows from 100 waits no longer than a first one.
    const fails: Target = (percentage, second) =>
      (percentage === 50 && second < 330) || (percentage === 100 && second < 605) ? { errors: 30 } : {};
    const { brief } = simulate(fails, 740);
    expect(brief.slice(5)).toEqual(['302 10>50', '303 50>10', '543 10>50', '603 50>100', '604 100>50', '664 50>100']);
  });
});

describe('by hand', () => {
  test.each([
    [0, 0, 1],
    [0.5, 0, 1],
    [1, 0, 1],
    [25, 1, 10],
    [50, 2, 50],
    [100, 3, 100],
  ])('%d %% holds whatever happens, and goes on from step %d', (percentage, step, resumed) => {
    const ramp = new Ramp(options, 0);
    expect(ramp.setByHand(percentage, 1_000)).toEqual({ from: 1, to: percentage, reason: 'set by hand' });
    for (let second = 2; second < 500; second++) {
      expect(ramp.observe({ ...well, errors: second < 250 ? 90 : 0, nowMs: second * 1_000 })).toBeNull();
    }
    expect(ramp).toMatchObject({ percentage, step, state: 'held' });
    expect(ramp.resume(500_000)).toEqual({ from: percentage, to: resumed, reason: `resumed at step ${step + 1} of 4` });
    expect(ramp).toMatchObject({ percentage: resumed, step, state: step === 3 ? 'done' : 'ramping' });
    expect(ramp.resume(500_000)).toBeNull();
    // The step's time begins when it resumes.
    expect(ramp.observe({ ...well, nowMs: 510_000 })).toBeNull();
    expect(ramp.observe({ ...well, nowMs: 560_000 })?.to).toBe(options.steps[step + 1]?.percentage);
  });
});

test('a clock that is set back makes no step shorter, and none longer than it is', () => {
  const ramp = new Ramp(options, 3_600_000);
  for (let second = 1; second <= 30; second++) expect(ramp.observe({ ...well, nowMs: 3_600_000 + second * 1_000 })).toBeNull();
  // The second of the jump is lost.
  for (let second = 0; second < 30; second++) expect(ramp.observe({ ...well, nowMs: second * 1_000 })).toBeNull();
  expect(ramp.observe({ ...well, nowMs: 30_000 })?.to).toBe(10);
});

type Action = { do: 'observe'; errors: number; queueShare: number; afterMs: number } | { do: 'hold'; percentage: number } | { do: 'resume' };

const observation = (errors: fc.Arbitrary<number>, queueShare: fc.Arbitrary<number>): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('observe' as const), errors, queueShare, afterMs: fc.integer({ min: 0, max: 30_000 }) });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 20, arbitrary: observation(fc.constantFrom(0, 0, 0, 1, 3, 50), fc.constantFrom(0, 0, 0.3, 0.9)) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), percentage: fc.integer({ min: 0, max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resume' as const) }) },
);

test('whatever happens, the percentage is a step or set by hand, goes up one step at a time and only after its time', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const ramp = new Ramp(options, 0);
      const percentages = options.steps.map(({ percentage }) => percentage);
      let nowMs = 0;
      let sinceMs = 0;
      let hand: number | null = null;
      for (const next of actions) {
        const before = { percentage: ramp.percentage, step: ramp.step };
        if (next.do === 'hold') {
          ramp.setByHand(next.percentage, nowMs);
          hand = next.percentage;
        } else if (next.do === 'resume') {
          if (hand !== null) sinceMs = nowMs;
          ramp.resume(nowMs);
          hand = null;
        } else {
          nowMs += next.afterMs;
          const { errors, queueShare } = next;
          const change = ramp.observe({ requests: 100, errors, p99Ms: 100, queueShare, nowMs });
          expect(change?.to ?? before.percentage).toBe(ramp.percentage);
          if (ramp.step > before.step) {
            expect(ramp.step).toBe(before.step + 1);
            expect(nowMs - sinceMs).toBeGreaterThanOrEqual(options.steps[before.step]?.forMs ?? Infinity);
          }
          if (change !== null) sinceMs = nowMs;
        }
        if (hand === null) expect(ramp.percentage).toBe(percentages[ramp.step]);
        else expect(ramp.percentage).toBe(hand);
      }
    }),
  );
});

test('without breaches it never goes down', () => {
  fc.assert(
    fc.property(fc.array(observation(fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 0.5)), { maxLength: 200 }), (actions) => {
      const ramp = new Ramp(options, 0);
      let nowMs = 0;
      for (const next of actions) {
        if (next.do !== 'observe') continue;
        nowMs += next.afterMs;
        const before = ramp.percentage;
        ramp.observe({ ...well, errors: next.errors, queueShare: next.queueShare, nowMs });
        expect(ramp.percentage).toBeGreaterThanOrEqual(before);
      }
    }),
  );
});
