/** The report of a run, from what an analysis knows. */
import type { Cluster } from '../clusters/cluster-book.ts';
import { riskOf } from '../clusters/risk.ts';
import { classOf, type NoiseClass } from '../noise/field-profile.ts';
import type { ClusterReport, EndpointReport, ModelReport, NoiseReport, RunReport, Verdict, VerdictPolicy } from '../report.ts';
import type { CompareRules } from '../rules/compare-rules.ts';
import { eBenjaminiHochberg } from '../statistics/e-benjamini-hochberg.ts';
import { increaseAboveLogE } from '../statistics/error-increase.ts';
import { judgeRun } from '../statistics/judge-run.ts';
import { type LatencyDistribution, quantileMs } from '../statistics/latency-distribution.ts';
import { type EndpointState, fieldKey } from './endpoint-state.ts';

const clustersMax = 1_000;
const noiseMax = 1_000;
/** An endpoint's e-value over its places is taken over at least this many. */
const placesMin = 64;

export interface Facts {
  policy: VerdictPolicy;
  endpoints: readonly EndpointState[];
  clusters: readonly Cluster[];
  stateOf: (cluster: Cluster) => string | null;
  isNoise: (cluster: Cluster) => boolean;
  isAccepted: (cluster: Cluster) => boolean;
  /** Null for what found no cluster. */
  clusterAt: (index: number) => Cluster | null;
  /** So many pairs of an endpoint are waited for noise pairs; then it is taken for one that has none. */
  pairsUntilNoise: number;
  /** Capture times of the first and the last pair; infinite when there is none. */
  fromUs: number;
  toUs: number;
  rules: CompareRules;
  /** About endpoints that are judged anew. */
  anew: readonly string[];
  models: ModelReport[];
  excluded: ReadonlyMap<string, number>;
  truncated: number;
  unclustered: number;
}

/** A place of an endpoint with a class of differences, and what speaks against 'no more than noise and what is allowed'. */
interface Place {
  endpoint: EndpointState;
  key: string;
  logE: number;
}

/** The report, and the logarithm of the e-value from which on statements hold. Marks what noise does not explain. */
export function runReport(facts: Facts): { report: RunReport; logENeeded: number } {
  const { policy, endpoints } = facts;
  const placesByEndpoint = endpoints.map((endpoint) => placesOf(endpoint, facts));
  const places = placesByEndpoint.flat();
  const rejected = eBenjaminiHochberg(places.map(({ logE }) => Math.exp(logE)), 1 - policy.confidence);
  const significant = new Set<string>();
  for (const endpoint of endpoints) endpoint.excess.clear();
  for (const [index, { endpoint, key }] of places.entries()) {
    if (!rejected[index]) continue;
    significant.add(`${endpoint.name}\n${key}`);
    endpoint.excess.add(key);
  }
  const counts = verdicts(facts);
  const mismatches = endpoints.map((endpoint) => endpoint.mismatches('candidate', counts));
  const run = judgeRun(
    endpoints.map((endpoint, index) => ({
      endpoint: endpoint.name,
      counts: {
        candidatePairs: endpoint.totals.candidate,
        candidateDiffer: mismatches[index],
        noisePairs: endpoint.totals.noise + endpoint.totals.own,
        noiseDiffer: endpoint.mismatches(
          'noise',
          (cluster) => counts(cluster) && !isOfCandidate(endpoint, facts.clusterAt(cluster)),
        ),
      },
      noiseLogE: noiseLogE(endpoint, placesByEndpoint[index], facts),
      errors: endpoint.errors,
      latencies: endpoint.latencies,
    })),
    policy,
  );
  const reports = endpoints.map((endpoint, index): EndpointReport => {
    const { verdict, reason, pairsNeeded, mismatch, latencyRatio, errors } = run.endpoints[index];
    const { pairs: _, ...counted } = endpoint.errors;
    return {
      endpoint: endpoint.name,
      pairs: endpoint.totals.candidate,
      mismatches: mismatches[index],
      mismatch,
      latencyRatio,
      latencyMs: { baseline: quantiles(endpoint.latencies.baseline), candidate: quantiles(endpoint.latencies.candidate) },
      errors: { ...counted, increase: errors.increase },
      verdict,
      reason,
      pairsNeeded,
    };
  });
  const pairs = sum(reports.map((report) => report.pairs));
  const state = statePairs(facts);
  const report: RunReport = {
    verdict: run.verdict,
    reasons: run.reasons,
    pairs,
    mismatches: sum(mismatches),
    pairsNeeded: run.pairsNeeded,
    from: time(facts.fromUs),
    to: time(facts.toUs),
    policy,
    endpoints: reports.toSorted((a, b) => urgency[a.verdict] - urgency[b.verdict] || b.pairs - a.pairs),
    clusters: clusterReports(facts, significant),
    rules: facts.rules.reports(),
    noise: noiseReports(endpoints),
    models: facts.models,
    excluded: { ...Object.fromEntries(facts.excluded), ...(state > 0 ? { state } : {}) },
    warnings: warnings(facts, pairs, state),
  };
  return { report, logENeeded: run.logENeeded };
}

const urgency: Readonly<Record<Verdict, number>> = { REGRESSION: 0, INSUFFICIENT: 1, SAFE: 2 };

/**
 * Two tests of each place, of which the mean counts: whether it differs more often than by itself, and whether it differs
 * one way more often than the other (McNemar's question, which needs no noise pairs: the answers of two versions that
 * are alike are as likely the other way round).
 */
function placesOf(endpoint: EndpointState, facts: Facts): Place[] {
  const { maxMismatch } = facts.policy;
  const pairs = endpoint.totals.candidate;
  return endpoint.evidence.fields().map(({ path: key, logE, counts }) => {
    const [noiseClass, path] = splitKey(key);
    const field = endpoint.fields.get(path);
    // What looks like noise is not held to the policy as long as there is no noise to hold it against.
    const isLikeNoise = field !== undefined && field.noiseReason(noiseClass, endpoint.totals) !== null;
    const waits = counts.noisePairs === 0 && (isLikeNoise || pairs < facts.pairsUntilNoise);
    // A reference's name for itself is as far from the baseline's as the candidate's is.
    const hasWays = noiseClass !== 'value' || endpoint.totals.noiseOfCandidate;
    const [one, other] = hasWays ? (field?.ways(noiseClass) ?? [0, 0]) : [0, 0];
    const ways = { pairs, baselineOnly: one, candidateOnly: other, both: 0 };
    const back = { ...ways, baselineOnly: other, candidateOnly: one };
    const logs = [waits ? 0 : logE, increaseAboveLogE(ways, maxMismatch), increaseAboveLogE(back, maxMismatch)];
    return { endpoint, key, logE: logSum(logs) - Math.log(logs.length) };
  });
}

function splitKey(key: string): [noiseClass: NoiseClass, path: string] {
  const space = key.indexOf(' ');
  return [key.slice(0, space) as NoiseClass, key.slice(space + 1)];
}

/** Whether a cluster, by its index, makes a pair a mismatch. */
function verdicts({ clusterAt, isNoise, isAccepted, stateOf }: Facts): (index: number) => boolean {
  const known = new Map<Cluster, boolean>();
  return (index) => {
    const cluster = clusterAt(index);
    if (cluster === null) return true;
    let counts = known.get(cluster);
    if (counts === undefined) {
      counts = !isNoise(cluster) && !isAccepted(cluster) && stateOf(cluster) === null;
      known.set(cluster, counts);
    }
    return counts;
  };
}

function isOfCandidate(endpoint: EndpointState, cluster: Cluster | null): boolean {
  return cluster !== null && endpoint.isOfCandidate(cluster.path, classOf(cluster.kind));
}

/**
 * Logarithm of an e-value against 'the endpoint differs no more often than noise and what is allowed'; null where no
 * noise pair has been compared. Half of it goes by the pairs that differ beyond noise, half by the places: a noisy place
 * that differs more often than it does by itself shows there alone. A mean of e-values is an e-value.
 */
function noiseLogE({ evidence, totals }: EndpointState, places: readonly Place[], facts: Facts): number | null {
  const { noiseLogE: known, counts } = evidence.mismatch;
  const waits = counts.noisePairs === 0 && totals.candidate < facts.pairsUntilNoise;
  const whole = waits ? 0 : known;
  if (whole === null) return null;
  const weight = Math.log(Math.max(placesMin, places.length));
  const logs = [whole, logSum(places.map(({ logE }) => logE)) - weight];
  return logSum(logs) - Math.LN2;
}

/** Logarithm of a sum, from logarithms. */
function logSum(logs: readonly number[]): number {
  const largest = Math.max(-Infinity, ...logs);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(sum(logs.map((log) => Math.exp(log - largest))));
}

function quantiles(latencies: LatencyDistribution): EndpointReport['latencyMs']['baseline'] {
  const { total } = latencies;
  if (total === 0) return { p50: null, p90: null, p99: null };
  const cumulated = latencies.cumulated();
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((q) => quantileMs(cumulated, q * total));
  return { p50, p90, p99 };
}

function clusterReports({ clusters, endpoints, isNoise, isAccepted, stateOf }: Facts, significant: ReadonlySet<string>): ClusterReport[] {
  const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
  const shown = clusters.filter((cluster) => cluster.pairs > 0 && !isNoise(cluster));
  const states = new Map(shown.map((cluster) => [cluster, stateOf(cluster)]));
  // What counts comes before what is accepted or lies in other data.
  const isApart = (cluster: Cluster): number => (states.get(cluster) === null && !isAccepted(cluster) ? 0 : 1);
  return shown
    .toSorted((a, b) => isApart(a) - isApart(b) || b.weight - a.weight || b.pairs - a.pairs)
    .slice(0, clustersMax)
    .flatMap((cluster): ClusterReport[] => {
      const { id, endpoint, path, kind, transition, pairs, weight, firstUs, example } = cluster;
      const state = states.get(cluster) ?? null;
      if (example === null) return [];
      return [
        {
          id,
          endpoint,
          path,
          kind,
          transition: transition.text,
          count: pairs,
          share: pairs / Math.max(1, byName.get(endpoint)?.totals.candidate ?? 0),
          risk: state === null ? riskOf(weight) : 'low',
          cause: state ?? transition.cause,
          origin: state === null ? 'code' : 'state',
          significant: significant.has(`${endpoint}\n${fieldKey(path, classOf(kind))}`),
          ...(isAccepted(cluster) ? { accepted: true as const } : {}),
          firstSeen: time(firstUs) ?? '',
          example,
        },
      ];
    });
}

function noiseReports(endpoints: readonly EndpointState[]): NoiseReport[] {
  const reports: NoiseReport[] = [];
  for (const endpoint of endpoints) {
    for (const [key, { pairs, reason }] of noiseOf(endpoint)) {
      const [of, path] = splitKey(key);
      reports.push({ endpoint: endpoint.name, path, of, reason, pairs });
    }
  }
  return reports.toSorted((a, b) => b.pairs - a.pairs).slice(0, noiseMax);
}

function noiseOf(endpoint: EndpointState): Map<string, { pairs: number; reason: string }> {
  const noise = new Map<string, { pairs: number; reason: string }>();
  for (const { path: key } of endpoint.evidence.fields()) {
    const [of, path] = splitKey(key);
    const reason = endpoint.noiseReason(path, of);
    const pairs = endpoint.fields.get(path)?.differ(of, 'candidate') ?? 0;
    if (reason !== null && pairs > 0) noise.set(key, { pairs, reason });
  }
  return noise;
}

function statePairs({ clusters, stateOf }: Facts): number {
  return sum(clusters.filter((cluster) => cluster.pairs > 0 && stateOf(cluster) !== null).map(({ pairs }) => pairs));
}

function warnings({ rules, anew, truncated, unclustered, endpoints }: Facts, pairs: number, state: number): string[] {
  const found: string[] = [...anew, ...rules.warnings(pairs)];
  if (state > 0) found.push(`${state} pairs differ because the two environments hold different data; they do not count`);
  if (truncated > 0) found.push(`${truncated} pairs differ in more places than are looked at`);
  if (unclustered > 0) found.push(`${unclustered} differences are beyond the clusters that are kept; they count`);
  const repeated = sum(endpoints.map(({ totals }) => totals.noise + totals.own));
  if (pairs > 0 && repeated === 0) {
    found.push('no request was answered twice by one version: what is noise is told by its looks alone');
  }
  return found;
}

function time(us: number): string | null {
  return Number.isFinite(us) ? new Date(us / 1_000).toISOString() : null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
