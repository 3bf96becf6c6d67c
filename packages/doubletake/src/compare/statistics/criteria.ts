/** What a policy asks of an endpoint, one by one: each with its evidence, its estimate, and what it says in words. */
import {
  increase,
  increaseEstimate as increaseText,
  percent,
  percentEstimate,
  plural,
  ratio,
  ratioEstimate,
} from '../report-text/figures.ts';
import type { Estimate, VerdictPolicy } from '../report.ts';
import type { PairCounts } from './discordance-test.ts';
import { increaseAboveLogE, increaseEstimate, isIncreaseOut, type PairedErrors } from './error-increase.ts';
import type { LatencyDistribution } from './latency-distribution.ts';
import { areEnough, type CumulatedLatencies, latencyAboveLogE, latencyRatio } from './latency-ratio.ts';
import { pairsNeeded } from './pairs-needed.ts';
import { shareAboveLogE, shareEstimate } from './share.ts';

/** What is known of an endpoint. */
export interface EndpointFacts {
  /** Of its pairs those that are mismatches: beyond rules, and beyond what is known as noise. */
  counts: PairCounts;
  /** What `EndpointEvidence` says against 'no more mismatches than noise'; null where there is no noise to hold them against. */
  noiseLogE: number | null;
  errors: PairedErrors;
  /** Of the pairs in which both sides answered; null where latencies are not judged. */
  latencies: { baseline: LatencyDistribution; candidate: LatencyDistribution } | null;
}

export interface Criterion {
  /** Null where there is too little for an estimate. */
  estimate: Estimate | null;
  /** Logarithm of an e-value against 'no worse than the policy allows'. */
  logE: number;
  /** Shown to be within the policy. */
  within: boolean;
  /** What to say when it is worse than allowed, and when that is open. */
  worse: string;
  open: string;
  /** Pairs until it is decided; null when that cannot be told. */
  pairsNeeded: (logENeeded: number) => number | null;
}

/** Of the probability of error, what the share of mismatches may spend; noise pairs have the rest. */
const mismatchPart = 0.9;

/** The share of mismatches. */
export function mismatchCriterion({ counts, noiseLogE }: Readonly<EndpointFacts>, policy: Readonly<VerdictPolicy>): Criterion {
  const { candidatePairs, candidateDiffer, noisePairs, noiseDiffer } = counts;
  const { maxMismatch } = policy;
  const alpha = 1 - policy.confidence;
  const estimate = beyondNoise(counts, alpha);
  const text = percentEstimate(estimate);
  const noise = noisePairs === 0 ? '' : `; of ${plural(noisePairs, 'noise pair')} ${percent(noiseDiffer / noisePairs)}`;
  const grownLogE = (growth: number): number =>
    noiseLogE === null ? shareAboveLogE(candidateDiffer * growth, candidatePairs * growth, maxMismatch) : noiseLogE * growth;
  const isWithin = (growth: number): boolean => beyondNoise(grown(counts, growth), alpha).high <= maxMismatch;
  return {
    estimate,
    logE: grownLogE(1),
    within: isWithin(1),
    worse: `${text} of ${plural(candidatePairs, 'pair')} differ, more than ${percent(maxMismatch)}${noise}`,
    open: `${text} of ${plural(candidatePairs, 'pair')} differ, ${percent(maxMismatch)} may${noise}`,
    pairsNeeded: (logENeeded) =>
      pairsNeeded(candidatePairs, (growth) => grownLogE(growth) >= logENeeded || isWithin(growth)),
  };
}

/** The increase of errors. */
export function errorCriterion({ errors }: Readonly<EndpointFacts>, policy: Readonly<VerdictPolicy>): Criterion {
  const { maxErrorIncrease } = policy;
  const alpha = 1 - policy.confidence;
  const estimate = increaseEstimate(errors, alpha);
  const text = increaseText(estimate);
  const isWithin = (of: PairedErrors): boolean =>
    (of.candidateOnly - of.baselineOnly) / of.pairs <= maxErrorIncrease && isIncreaseOut(of, maxErrorIncrease, alpha);
  return {
    estimate,
    logE: increaseAboveLogE(errors, maxErrorIncrease),
    within: isWithin(errors),
    worse: `errors changed by ${text} of the pairs, more than ${increase(maxErrorIncrease)}`,
    open: `errors changed by ${text} of the pairs, ${increase(maxErrorIncrease)} is allowed`,
    pairsNeeded: (logENeeded) =>
      pairsNeeded(errors.pairs, (growth) => {
        const more = {
          pairs: errors.pairs * growth,
          baselineOnly: errors.baselineOnly * growth,
          candidateOnly: errors.candidateOnly * growth,
          both: errors.both * growth,
        };
        return isWithin(more) || increaseAboveLogE(more, maxErrorIncrease) >= logENeeded;
      }),
  };
}

/** The ratio of latencies at quantile `q`. */
export function latencyCriterion(
  name: string,
  q: number,
  latencies: CumulatedLatencies,
  policy: Readonly<VerdictPolicy>,
): Criterion {
  const { maxLatencyRatio } = policy;
  const alpha = 1 - policy.confidence;
  const estimate = latencyRatio(latencies, q, alpha);
  const logE = latencyAboveLogE(latencies, q, maxLatencyRatio);
  const pairs = latencies.baseline.at(-1) ?? 0;
  const allowed = ratio(maxLatencyRatio);
  const text = estimate === null ? 'clearly more' : ratioEstimate(estimate);
  return {
    estimate,
    logE,
    within: estimate !== null && estimate.high <= maxLatencyRatio,
    worse: `latency at ${name} is ${text}, more than ${allowed}`,
    open:
      estimate === null
        ? `${plural(pairs, 'answer')} on both sides are too few for latency at ${name}`
        : `latency at ${name} is ${text}, ${allowed} is allowed`,
    pairsNeeded: (logENeeded) =>
      pairsNeeded(pairs, (growth) => {
        if (estimate === null) return areEnough(pairs * growth, q, alpha);
        return logE * growth >= logENeeded || narrowed(estimate.value, estimate.high, growth) <= maxLatencyRatio;
      }),
  };
}

/** What an interval's bound comes to with so many times the pairs: its distance shrinks with their square root. */
function narrowed(value: number, bound: number, growth: number): number {
  return value * (bound / value) ** (1 / Math.sqrt(growth));
}

/** Mismatches that are no noise: where noise pairs have none, all. */
function beyondNoise(counts: Readonly<PairCounts>, alpha: number): Estimate {
  const candidate = shareEstimate(counts.candidateDiffer, counts.candidatePairs, alpha * mismatchPart);
  if (counts.noiseDiffer === 0) return candidate;
  const noise = shareEstimate(counts.noiseDiffer, counts.noisePairs, alpha * (1 - mismatchPart));
  return {
    value: Math.max(0, candidate.value - noise.value),
    low: Math.max(0, candidate.low - noise.high),
    high: Math.max(0, candidate.high - noise.low),
  };
}

function grown(counts: Readonly<PairCounts>, growth: number): PairCounts {
  return {
    candidatePairs: counts.candidatePairs * growth,
    candidateDiffer: counts.candidateDiffer * growth,
    noisePairs: counts.noisePairs * growth,
    noiseDiffer: counts.noiseDiffer * growth,
  };
}
