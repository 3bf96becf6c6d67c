import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { CircuitBreaker, type BreakerOptions } from '../replay/circuit-breaker.ts';
import { Ramp, type RampOptions } from '../replay/ramp.ts';
import { RateLimit, type RateLimitOptions } from '../replay/rate-limit.ts';
import { breakerSchema, limitsSchema, rampSchema } from './target-limits-schema.ts';

/** Where the first mistake is, and what is said about it. */
function problem(schema: z.ZodType, value: unknown): string {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue === undefined) throw new Error('expected a problem');
  return `${issue.path.join('.')}: ${issue.message}`;
}

describe('limits', () => {
  test('by default there is no rate, and there are bounds on everything else', () => {
    expect(limitsSchema.parse({})).toEqual({
      inFlight: 256,
      queueRequests: 10_000,
      queueBytes: 67_108_864,
      connectTimeoutMs: 5_000,
      responseTimeoutMs: 30_000,
    });
  });

  test('a rate fits the rate limit', () => {
    const { requestsPerSecond: perSecond = 0, burst } = limitsSchema.parse({ requestsPerSecond: 0.5, burst: 2, connections: 7 });
    const options: RateLimitOptions = { perSecond, burst };
    const limit = new RateLimit(RateLimit.createShared(), options);
    expect([limit.take(0), limit.take(0), limit.take(0), limit.take(2_000_000)]).toEqual([true, true, false, true]);
  });

  test.each([
    [{ requestsPerSecond: 0 }, 'requestsPerSecond: expected a number above 0'],
    [{ requestsPerSecond: '5' }, 'requestsPerSecond: expected a number above 0'],
    [{ burst: 5 }, 'burst: a burst goes with requestsPerSecond'],
    [{ requestsPerSecond: 1, burst: 0.5 }, 'burst: expected a whole number from 1'],
    [{ inFlight: 0 }, 'inFlight: expected a whole number from 1'],
    [{ connections: 65_536 }, 'connections: expected a whole number from 1'],
  ])('%j is refused', (limits, text) => {
    expect(problem(limitsSchema, limits)).toContain(text);
  });
});

describe('the circuit breaker', () => {
  test('is there unless it is switched off, in the shape of its options', () => {
    const options: BreakerOptions | null = breakerSchema.parse(undefined);
    expect(options).toEqual({
      errorRate: 0.5,
      slowerThanMs: null,
      slowRate: 0.5,
      requestsMin: 50,
      windowMs: 10_000,
      openMs: 5_000,
      openMsMax: 60_000,
      filesWaitMs: 600_000,
      probes: 3,
    });
    expect(breakerSchema.parse({ slowerThan: '2s', errorRate: '0.5%' })).toMatchObject({ slowerThanMs: 2_000, errorRate: 0.005 });
    expect(breakerSchema.parse(false)).toBeNull();
    if (options !== null) expect(new CircuitBreaker(options, () => {}).state).toBe('closed');
  });

  test.each([
    [true, ''],
    [{ errorRate: 0 }, 'errorRate: expected a percentage above 0'],
    [{ slowRate: '101%' }, 'slowRate: expected a number from 0 to 100'],
    [{ openFor: '2m' }, 'openForMax: expected openForMax to be at least openFor'],
    [{ probes: 0 }, 'probes: expected a whole number from 1'],
  ])('%j is refused', (breaker, text) => {
    const issue = breakerSchema.safeParse(breaker).error?.issues[0];
    expect(issue?.code).toMatch(/^(invalid_union|custom)$/);
    expect(JSON.stringify(issue)).toContain(text.split(': ').at(-1));
  });
});

describe('the ramp', () => {
  const steps = [{ percentage: 1, for: '5m' }, { percentage: '10%', for: '1h' }, { percentage: 100 }];

  test('comes in the shape of its options', () => {
    const options: RampOptions = rampSchema.parse({ steps, fallBack: { latency: '2s' } });
    expect(options).toEqual({
      steps: [{ percentage: 1, forMs: 300_000 }, { percentage: 10, forMs: 3_600_000 }, { percentage: 100, forMs: null }],
      goOn: { errorRate: 0.01, latencyMs: null, queueShare: 0.25 },
      fallBack: { errorRate: 0.05, latencyMs: 2_000, queueShare: 0.5 },
      fallBackTo: 'previous',
      requestsMin: 100,
      windowMs: 30_000,
    });
    expect(new Ramp(options, 0)).toMatchObject({ percentage: 1, step: 0, state: 'ramping' });
  });

  test.each([
    [{}, 'steps: '],
    [{ steps: [] }, 'steps: '],
    [{ steps: [{ percentage: 10, for: '1m' }, { percentage: 10 }] }, 'steps.1.percentage: expected a percentage above that of the step before, 10'],
    [{ steps: [{ percentage: 1 }, { percentage: 10 }] }, 'steps.0.for: expected how long the step lasts'],
    [{ steps, goOn: { errorRate: 6 } }, 'goOn.errorRate: expected at most'],
    [{ steps, goOn: { latency: '2s' }, fallBack: { latency: '1s' } }, 'goOn.latency: expected at most'],
    [{ steps, goOn: { queueShare: 60 } }, 'goOn.queueShare: expected at most'],
    [{ steps, fallBackTo: 'zero' }, 'fallBackTo: '],
  ])('%j is refused', (ramp, text) => {
    expect(problem(rampSchema, ramp)).toContain(text);
  });
});
