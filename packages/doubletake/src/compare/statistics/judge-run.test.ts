import { describe, expect, test } from 'vitest';
import { Random } from '../../../test/support/random.ts';
import type { VerdictPolicy } from '../report.ts';
import { judgeEndpoint } from './judge-endpoint.ts';
import { judgeRun, type NamedFacts } from './judge-run.ts';
import { LatencyDistribution } from './latency-distribution.ts';

const policy: VerdictPolicy = { maxMismatch: 0.001, maxLatencyRatio: 1.2, maxErrorIncrease: 0.001, confidence: 0.95, minPairs: 100 };

interface Planted {
  mismatches?: number;
  /** Of a quarter as many noise pairs. */
  noise?: { mismatches: number; logE: number };
  candidateErrors?: number;
  baselineErrors?: number;
  slower?: number;
}

/** An endpoint of so many pairs that is as it was but for what is planted. */
function endpoint(name: string, pairs: number, planted: Planted = {}): NamedFacts {
  const { mismatches = 0, noise, candidateErrors = 0, baselineErrors = 0, slower = 1 } = planted;
  const random = new Random(pairs);
  const latencies = { baseline: new LatencyDistribution(), candidate: new LatencyDistribution() };
  for (let pair = 0; pair < pairs; pair++) {
    latencies.baseline.push(20 * Math.exp(0.3 * random.normal()));
    latencies.candidate.push(slower * 20 * Math.exp(0.3 * random.normal()));
  }
  return {
    endpoint: name,
    counts: {
      candidatePairs: pairs,
      candidateDiffer: mismatches,
      noisePairs: noise === undefined ? 0 : pairs / 4,
      noiseDiffer: noise?.mismatches ?? 0,
    },
    noiseLogE: noise?.logE ?? null,
    errors: { pairs, baselineOnly: baselineErrors, candidateOnly: candidateErrors, both: 0 },
    latencies,
  };
}

describe('an endpoint', () => {
  test.each<[string, NamedFacts, string, RegExp]>([
    ['nothing changed', endpoint('', 8000), 'SAFE', /^within the policy$/],
    ['1 % differ', endpoint('', 8000, { mismatches: 80 }), 'REGRESSION', /^1 % \(.* to .*\) of 8,000 pairs differ, more than 0\.1 %$/],
    [
      '1 % differ, and no noise pair',
      endpoint('', 8000, { mismatches: 80, noise: { mismatches: 0, logE: 12 } }),
      'REGRESSION',
      /differ, more than 0\.1 %; of 2,000 noise pairs 0 %$/,
    ],
    [
      '1 % differ, and 1 % of the noise pairs',
      endpoint('', 8000, { mismatches: 80, noise: { mismatches: 20, logE: -1 } }),
      'INSUFFICIENT',
      /^0 % \(.*\) of 8,000 pairs differ, 0\.1 % may; of 2,000 noise pairs 1 %$/,
    ],
    ['1 % more errors', endpoint('', 8000, { candidateErrors: 80 }), 'REGRESSION', /^errors changed by \+1 % \(.*\) of the pairs, more than \+0\.1 %$/],
    ['errors come and go', endpoint('', 100_000, { candidateErrors: 50, baselineErrors: 50 }), 'SAFE', /policy/],
    ['fewer errors', endpoint('', 8000, { baselineErrors: 80 }), 'SAFE', /policy/],
    ['half as long again', endpoint('', 8000, { slower: 1.5 }), 'REGRESSION', /^latency at p50 is 1\.\d+× \(.*\), more than 1\.20×; latency at p90 .*; latency at p99/],
    ['faster', endpoint('', 8000, { slower: 0.5 }), 'SAFE', /policy/],
    ['few pairs', endpoint('', 300), 'INSUFFICIENT', /of 300 pairs differ, 0\.1 % may; errors .*; 300 answers on both sides are too few for latency at p99$/],
    ['fewer than the policy wants', endpoint('', 99), 'INSUFFICIENT', /^99 pairs of the 100 pairs that an endpoint needs$/],
    ['none', endpoint('', 0), 'INSUFFICIENT', /^0 pairs/],
  ])('where %s', (_, facts, verdict, reason) => {
    expect(judgeEndpoint(facts, policy)).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
  });

  test('of 3,000 equal pairs needs about as many more as it then takes', () => {
    const { pairsNeeded } = judgeEndpoint(endpoint('', 3000), policy);
    expect(pairsNeeded).toBeGreaterThan(1000);
    expect(judgeEndpoint(endpoint('', 3000 + (pairsNeeded ?? 0)), policy).verdict).toBe('SAFE');
  });

  test('has no latencies where none are judged', () => {
    const judged = judgeEndpoint({ ...endpoint('', 8000, { slower: 3 }), latencies: null }, policy);
    expect(judged).toMatchObject({ verdict: 'SAFE', latencyRatio: { p50: null, p90: null, p99: null } });
  });
});

describe('a run', () => {
  test('without pairs is insufficient', () => {
    expect(judgeRun([], policy)).toMatchObject({ verdict: 'INSUFFICIENT', reasons: ['no pairs were compared'], pairsNeeded: null, endpoints: [] });
    expect(judgeRun([endpoint('GET /', 0)], policy)).toMatchObject({ verdict: 'INSUFFICIENT', reasons: ['no pairs were compared'] });
  });

  test('is safe when all endpoints are', () => {
    expect(judgeRun([endpoint('GET /a', 8000), endpoint('GET /b', 9000)], policy)).toMatchObject({
      verdict: 'SAFE',
      reasons: ['2 endpoints are shown to be within the policy'],
      pairsNeeded: null,
    });
  });

  test('is a regression when one is, the strongest first', () => {
    const facts = [endpoint('GET /a', 8000), endpoint('GET /b', 8000, { mismatches: 40 }), endpoint('GET /c', 8000, { mismatches: 4000 })];
    const { verdict, reasons, endpoints } = judgeRun(facts, policy);
    expect(verdict).toBe('REGRESSION');
    expect(reasons).toEqual([expect.stringMatching(/^GET \/c: 50 %/), expect.stringMatching(/^GET \/b: 0\.5 %/)]);
    expect(endpoints.map((of) => of.verdict)).toEqual(['SAFE', 'REGRESSION', 'REGRESSION']);
  });

  test('needs as many pairs as the endpoint that is furthest from its own', () => {
    const { verdict, pairsNeeded, endpoints } = judgeRun([endpoint('GET /a', 9000), endpoint('GET /b', 1000)], policy);
    expect(verdict).toBe('INSUFFICIENT');
    expect(pairsNeeded).toBe((endpoints[1]?.pairsNeeded ?? 0) * 10);
  });

  test('demands more evidence of each of many endpoints', () => {
    const suspicious = endpoint('GET /x', 500, { mismatches: 5 });
    const alone = { ...suspicious, latencies: null };
    const others = Array.from({ length: 200 }, (_, index) => ({ ...endpoint(`GET /${index}`, 100), latencies: null }));
    expect(judgeRun([alone], policy).verdict).toBe('REGRESSION');
    expect(judgeRun([alone, ...others], policy).verdict).toBe('INSUFFICIENT');
  });

  test('lists ten reasons, and says how many more there are', () => {
    const facts = Array.from({ length: 13 }, (_, index) => endpoint(`GET /${index}`, 1000, { mismatches: 900 }));
    const { reasons } = judgeRun(facts, policy);
    expect(reasons).toHaveLength(11);
    expect(reasons.at(-1)).toBe('and 3 more endpoints');
  });

  describe('with endpoints of few pairs', () => {
    const large = endpoint('GET /a', 9000);
    const small = (count: number, planted?: Planted) => Array.from({ length: count }, (_, index) => endpoint(`GET /${index}`, 50, planted));

    test('is safe without them while they are at most a tenth', () => {
      const { verdict, endpoints } = judgeRun([large, ...small(20)], policy);
      expect(verdict).toBe('SAFE');
      expect(endpoints[1]).toMatchObject({ verdict: 'INSUFFICIENT', pairsNeeded: 50 });
    });

    test('waits for them when they are more', () => {
      const { verdict, reasons, pairsNeeded } = judgeRun([large, ...small(30)], policy);
      expect(verdict).toBe('INSUFFICIENT');
      expect(reasons).toEqual([expect.stringMatching(/^30 endpoints of fewer than 100 pairs, 14\.3 % of all pairs: 0 %/)]);
      expect(pairsNeeded).toBeGreaterThan(0);
    });

    test('is safe with them once they are shown to be, together', () => {
      expect(judgeRun([large, ...small(200)], policy).verdict).toBe('SAFE');
    });

    test('is a regression when they are, together', () => {
      const { verdict, reasons } = judgeRun([large, ...small(18, { mismatches: 2 })], policy);
      expect(verdict).toBe('REGRESSION');
      expect(reasons).toEqual([expect.stringMatching(/^18 endpoints .* of 900 pairs differ, more than 0\.1 %$/)]);
    });

    test('takes their noise into account', () => {
      const noisy = (logE: number) => small(18, { mismatches: 10, noise: { mismatches: 3, logE } });
      expect(judgeRun([large, ...noisy(-1)], policy).verdict).toBe('SAFE');
      expect(judgeRun([large, ...noisy(20)], policy).verdict).toBe('REGRESSION');
      const notKnownYet = small(18, { mismatches: 10, noise: { mismatches: 0, logE: 0 } });
      expect(judgeRun([large, ...notKnownYet], policy).verdict).toBe('SAFE');
    });
  });

  test('of equal versions, looked at 20 times, is hardly ever called a regression', () => {
    const random = new Random(11);
    const runs = 20;
    let wrong = 0;
    for (let run = 0; run < runs; run++) {
      const facts = ['GET /a', 'GET /b', 'GET /c'].map((name) => endpoint(name, 0));
      let isWrong = false;
      for (let look = 0; look < 20; look++) {
        for (const { counts, errors, latencies } of facts) {
          for (let pair = 0; pair < 100; pair++) {
            counts.candidatePairs++;
            errors.pairs++;
            if (random.happens(policy.maxMismatch)) counts.candidateDiffer++;
            if (random.happens(0.02)) errors.candidateOnly++;
            if (random.happens(0.02)) errors.baselineOnly++;
            latencies?.baseline.push(20 * Math.exp(0.5 * random.normal()));
            latencies?.candidate.push(20 * Math.exp(0.5 * random.normal()));
          }
        }
        isWrong ||= judgeRun(facts, policy).verdict === 'REGRESSION';
      }
      if (isWrong) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(1);
  });
});
