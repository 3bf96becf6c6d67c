/**
 * The verdict on a run, from all its endpoints.
 *
 * REGRESSION: some endpoint is worse than the policy allows. All statements of all endpoints are one family under e-BH,
 * so of the endpoints called a regression at most a share of 1 - confidence are none, in the mean; and when none is,
 * the chance that one is called so is at most that.
 *
 * SAFE: every endpoint is shown to be within the policy. Each is tested with the whole 1 - confidence, since a wrong SAFE
 * takes an endpoint outside the policy that is shown to be within it (an intersection-union test: Berger 1982).
 *
 * Endpoints with fewer pairs than the policy's `minPairs` are not judged one by one, but together, as one more endpoint:
 * it can be a REGRESSION like any other; it stands in the way of SAFE only when it has more than a tenth of the pairs.
 */
import { percent, plural } from '../report-text/figures.ts';
import type { Verdict, VerdictPolicy } from '../report.ts';
import type { PairCounts } from './discordance-test.ts';
import type { EndpointFacts } from './criteria.ts';
import { rejectionThreshold } from './e-benjamini-hochberg.ts';
import type { PairedErrors } from './error-increase.ts';
import { criteriaList, type EndpointCriteria, endpointCriteria, type EndpointJudgement, judgeCriteria, tooFew } from './judge-endpoint.ts';
import { shareAboveLogE } from './share.ts';

export interface NamedFacts extends EndpointFacts {
  /** `GET /users/{id}`. */
  endpoint: string;
}

export interface RunJudgement {
  verdict: Verdict;
  /** The weightiest first; at most `reasonsMax`, and how many more there are. */
  reasons: string[];
  pairsNeeded: number | null;
  /** In the order of the facts. */
  endpoints: EndpointJudgement[];
  /** Logarithm of the e-value from which on a statement holds: for `EndpointEvidence.wantsNoise`. */
  logENeeded: number;
}

/** Of all pairs, the share that may belong to endpoints which have too few to be judged one by one. */
const thinShareMax = 0.1;
const reasonsMax = 10;

interface Judged {
  name: string;
  pairs: number;
  criteria: EndpointCriteria;
  judgement: EndpointJudgement;
}

export function judgeRun(facts: readonly Readonly<NamedFacts>[], policy: Readonly<VerdictPolicy>): RunJudgement {
  const isThin = ({ counts }: EndpointFacts): boolean => counts.candidatePairs < policy.minPairs;
  const criteria = facts.map((of) => (isThin(of) ? null : endpointCriteria(of, policy)));
  const thin = facts.filter((of) => isThin(of) && of.counts.candidatePairs > 0);
  const together = thin.length === 0 ? null : endpointCriteria(pooled(thin, policy), policy);

  const family = [...criteria, together].flatMap((of) => (of === null ? [] : criteriaList(of)));
  const alpha = 1 - policy.confidence;
  const threshold = rejectionThreshold(family.map(({ logE }) => Math.exp(logE)), alpha);
  const logENeeded = Math.log(Number.isFinite(threshold) ? threshold : Math.max(1, family.length) / alpha);

  const endpoints = facts.map(({ counts }, index) => {
    const of = criteria[index] ?? null;
    return of === null ? tooFew(counts.candidatePairs, policy.minPairs) : judgeCriteria(of, logENeeded);
  });
  const judged = facts.flatMap(({ endpoint: name, counts }, index): Judged[] => {
    const [of, judgement] = [criteria[index], endpoints[index]];
    return of === null || of === undefined || judgement === undefined ? [] : [{ name, pairs: counts.candidatePairs, criteria: of, judgement }];
  });
  const pairs = sum(facts.map(({ counts }) => counts.candidatePairs));
  if (together !== null) {
    const thinPairs = sum(thin.map(({ counts }) => counts.candidatePairs));
    const judgement = judgeCriteria(together, logENeeded);
    if (judgement.verdict === 'REGRESSION' || thinPairs > thinShareMax * pairs) {
      const share = percent(thinPairs / pairs);
      const name = `${plural(thin.length, 'endpoint')} of fewer than ${plural(policy.minPairs, 'pair')}, ${share} of all pairs`;
      judged.push({ name, pairs: thinPairs, criteria: together, judgement });
    }
  }
  return { ...verdictOf(judged, pairs), endpoints, logENeeded };
}

function verdictOf(judged: readonly Judged[], pairs: number): Pick<RunJudgement, 'verdict' | 'reasons' | 'pairsNeeded'> {
  if (judged.length === 0) return { verdict: 'INSUFFICIENT', reasons: ['no pairs were compared'], pairsNeeded: null };
  const worse = judged.filter(({ judgement }) => judgement.verdict === 'REGRESSION');
  if (worse.length > 0) return { verdict: 'REGRESSION', reasons: reasonsOf(worse, strongest), pairsNeeded: null };
  const open = judged.filter(({ judgement }) => judgement.verdict === 'INSUFFICIENT');
  if (open.length > 0) {
    return { verdict: 'INSUFFICIENT', reasons: reasonsOf(open, ({ pairs: of }) => of), pairsNeeded: runNeeds(open, pairs) };
  }
  const reason = `${plural(judged.length, 'endpoint')} ${judged.length === 1 ? 'is' : 'are'} shown to be within the policy`;
  return { verdict: 'SAFE', reasons: [reason], pairsNeeded: null };
}

/** Pairs of all endpoints until the open ones have theirs, if each goes on to have its share. */
function runNeeds(open: readonly Judged[], pairs: number): number | null {
  let most = 0;
  for (const { judgement, pairs: of } of open) {
    if (judgement.pairsNeeded === null) return null;
    most = Math.max(most, Math.ceil((judgement.pairsNeeded * pairs) / of));
  }
  return most;
}

function reasonsOf(judged: readonly Judged[], weight: (of: Judged) => number): string[] {
  const sorted = judged.toSorted((a, b) => weight(b) - weight(a));
  const reasons = sorted.slice(0, reasonsMax).map(({ name, judgement }) => `${name}: ${judgement.reason}`);
  if (sorted.length > reasonsMax) reasons.push(`and ${plural(sorted.length - reasonsMax, 'more endpoint')}`);
  return reasons;
}

/** By the strongest evidence of any criterion. */
function strongest({ criteria }: Judged): number {
  return Math.max(...criteriaList(criteria).map(({ logE }) => logE));
}

/** Thin endpoints as one. Their latencies have nothing in common and are left out. */
function pooled(thin: readonly EndpointFacts[], policy: Readonly<VerdictPolicy>): EndpointFacts {
  const counts: PairCounts = { candidatePairs: 0, candidateDiffer: 0, noisePairs: 0, noiseDiffer: 0 };
  const errors: PairedErrors = { pairs: 0, baselineOnly: 0, candidateOnly: 0, both: 0 };
  for (const of of thin) {
    counts.candidatePairs += of.counts.candidatePairs;
    counts.candidateDiffer += of.counts.candidateDiffer;
    counts.noisePairs += of.counts.noisePairs;
    counts.noiseDiffer += of.counts.noiseDiffer;
    errors.pairs += of.errors.pairs;
    errors.baselineOnly += of.errors.baselineOnly;
    errors.candidateOnly += of.errors.candidateOnly;
    errors.both += of.errors.both;
  }
  const isWithoutNoise = thin.every(({ noiseLogE }) => noiseLogE === null);
  return { counts, noiseLogE: isWithoutNoise ? null : meanLogE(thin, policy), errors, latencies: null };
}

/** Of the e-values of their mismatches: the mean of e-values is one, however they depend on each other. */
function meanLogE(thin: readonly EndpointFacts[], { maxMismatch }: Readonly<VerdictPolicy>): number {
  const logEs = thin.map(
    ({ counts, noiseLogE }) => noiseLogE ?? shareAboveLogE(counts.candidateDiffer, counts.candidatePairs, maxMismatch),
  );
  const largest = Math.max(...logEs);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(sum(logEs.map((logE) => Math.exp(logE - largest))) / logEs.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
