/** The verdict on one endpoint. */
import { plural } from '../report-text/figures.ts';
import type { Estimate, Verdict, VerdictPolicy } from '../report.ts';
import { type Criterion, type EndpointFacts, errorCriterion, latencyCriterion, mismatchCriterion } from './criteria.ts';
import type { LatencyDistribution } from './latency-distribution.ts';

/** As in `EndpointReport`. */
export interface EndpointJudgement {
  verdict: Verdict;
  reason: string;
  pairsNeeded: number | null;
  mismatch: Estimate | null;
  latencyRatio: { p50: Estimate | null; p90: Estimate | null; p99: Estimate | null };
  errors: { increase: Estimate | null };
}

/** What the policy asks, answered from an endpoint's facts. */
export interface EndpointCriteria {
  mismatch: Criterion;
  errors: Criterion;
  /** Null where latencies are not judged. */
  latency: { p50: Criterion; p90: Criterion; p99: Criterion } | null;
}

export function endpointCriteria(facts: Readonly<EndpointFacts>, policy: Readonly<VerdictPolicy>): EndpointCriteria {
  return {
    mismatch: mismatchCriterion(facts, policy),
    errors: errorCriterion(facts, policy),
    latency: facts.latencies === null ? null : latencyCriteria(facts.latencies, policy),
  };
}

function latencyCriteria(
  latencies: { baseline: LatencyDistribution; candidate: LatencyDistribution },
  policy: Readonly<VerdictPolicy>,
): { p50: Criterion; p90: Criterion; p99: Criterion } {
  const cumulated = { baseline: latencies.baseline.cumulated(), candidate: latencies.candidate.cumulated() };
  return {
    p50: latencyCriterion('p50', 0.5, cumulated, policy),
    p90: latencyCriterion('p90', 0.9, cumulated, policy),
    p99: latencyCriterion('p99', 0.99, cumulated, policy),
  };
}

export function criteriaList({ mismatch, errors, latency }: Readonly<EndpointCriteria>): Criterion[] {
  return latency === null ? [mismatch, errors] : [mismatch, errors, latency.p50, latency.p90, latency.p99];
}

/**
 * REGRESSION when some criterion is shown to be broken, by an e-value of which the logarithm is at least `logENeeded`;
 * SAFE when all are shown to be kept. `logENeeded` comes from all endpoints together (`judgeRun`); an endpoint alone has
 * -log(1 - confidence).
 */
export function judgeEndpoint(
  facts: Readonly<EndpointFacts>,
  policy: Readonly<VerdictPolicy>,
  logENeeded = -Math.log(1 - policy.confidence),
): EndpointJudgement {
  const { candidatePairs } = facts.counts;
  if (candidatePairs < policy.minPairs) return tooFew(candidatePairs, policy.minPairs);
  return judgeCriteria(endpointCriteria(facts, policy), logENeeded);
}

export function judgeCriteria(criteria: Readonly<EndpointCriteria>, logENeeded: number): EndpointJudgement {
  const list = criteriaList(criteria);
  const worse = list.filter(({ logE }) => logE >= logENeeded);
  const open = list.filter(({ within }) => !within);
  const judged = {
    mismatch: criteria.mismatch.estimate,
    latencyRatio: {
      p50: criteria.latency?.p50.estimate ?? null,
      p90: criteria.latency?.p90.estimate ?? null,
      p99: criteria.latency?.p99.estimate ?? null,
    },
    errors: { increase: criteria.errors.estimate },
  };
  if (worse.length > 0) {
    return { verdict: 'REGRESSION', reason: worse.map((criterion) => criterion.worse).join('; '), pairsNeeded: null, ...judged };
  }
  if (open.length === 0) return { verdict: 'SAFE', reason: 'within the policy', pairsNeeded: null, ...judged };
  const reason = open.map((criterion) => criterion.open).join('; ');
  return { verdict: 'INSUFFICIENT', reason, pairsNeeded: mostNeeded(open, logENeeded), ...judged };
}

/** Pairs until all are decided; null when that cannot be told of some. */
function mostNeeded(open: readonly Criterion[], logENeeded: number): number | null {
  let most = 0;
  for (const criterion of open) {
    const needed = criterion.pairsNeeded(logENeeded);
    if (needed === null) return null;
    most = Math.max(most, needed);
  }
  return most;
}

export function tooFew(pairs: number, minPairs: number): EndpointJudgement {
  return {
    verdict: 'INSUFFICIENT',
    reason: `${plural(pairs, 'pair')} of the ${plural(minPairs, 'pair')} that an endpoint needs`,
    pairsNeeded: minPairs - pairs,
    mismatch: null,
    latencyRatio: { p50: null, p90: null, p99: null },
    errors: { increase: null },
  };
}
