/**
 * What pairs come to: each is compared, what it differs in is gathered, and the whole is judged when it is asked for.
 *
 * Whether a difference is noise, or lies in other data, becomes known with time. So a pair is remembered by the clusters
 * that it is in, and a report counts the pairs of which some cluster counts by what is known then. What `push` says of a
 * pair is what is known when it comes; the tests go by that, since they may not be told what they have seen anew.
 */
import type { CompareRule } from '../config/compare-schema.ts';
import { type Cluster, ClusterBook } from './clusters/cluster-book.ts';
import { headerOf, readRequest } from './clusters/request-parts.ts';
import { timeOfAnswer, type Transition, transitionOf } from './clusters/transition.ts';
import { compareAnswers } from './diff/compare-answers.ts';
import type { DiffOptions } from './diff/options.ts';
import type { ClusteredDifference, Comparison, Difference } from './difference.ts';
import { EndpointNames } from './endpoints/endpoint-names.ts';
import { isTimeOfAnswer } from './noise/answer-time.ts';
import { classOf, type FieldProfile, type PairSource, type RequestContext } from './noise/field-profile.ts';
import { isSafe, OwnAnswers } from './noise/own-answers.ts';
import type { Answer, Pair } from './pair.ts';
import type { RunReport } from './report.ts';
import { CompareRules } from './rules/compare-rules.ts';
import { AcceptedClusters } from './analysis/accepted-clusters.ts';
import { EndpointState, keyOfDifference } from './analysis/endpoint-state.ts';
import { JudgedAnew } from './analysis/judged-anew.ts';
import { ModelFields } from './analysis/model-fields.ts';
import type { AnalysisOptions } from './analysis/options.ts';
import { type Facts, runReport } from './analysis/run-report.ts';
import { isLacked, StateEvidence } from './analysis/state-evidence.ts';

/** All endpoints together: places that have a profile and are tested by themselves, and sets of clusters in pairs. */
const fieldsMax = 100_000;
const clusterSetsMax = 200_000;
/** Pairs of one version made on purpose, beyond which those that came about by chance are not needed. */
const noisePairsEnough = 20;
/** Where so many noise pairs were to be expected and none came, none will. */
const noisePairsMissed = 10;
/** Of those that come about by chance all are compared up to so many of an endpoint, then one in so many pairs. */
const ownPairsAll = 300;
const ownShare = 16;

/** What is known of a pair when it comes. */
export interface PairOutcome {
  /** Its endpoint's name; it may have another by the time of the report (`currentEndpoint`). */
  endpoint: string;
  /** What differs beyond noise and rules. */
  differences: readonly ClusteredDifference[];
  /** What differs and is noise. */
  noise: readonly Difference[];
  /** The candidate answers differently, and neither noise nor other data explains it. */
  mismatch: boolean;
  /** What kept the bodies from being compared in full. */
  limited: string | null;
}

export class Analysis {
  readonly #options: AnalysisOptions;
  readonly #names: EndpointNames;
  #rules: CompareRules;
  readonly #ruleOptions: DiffOptions;
  readonly #accepted: AcceptedClusters;
  readonly #anew = new JudgedAnew();
  readonly #book = new ClusterBook();
  readonly #own: OwnAnswers;
  readonly #state = new StateEvidence();
  readonly #models: ModelFields;
  readonly #room = { left: fieldsMax };
  readonly #rooms = { fields: fieldsMax, clusterSets: clusterSetsMax };
  readonly #excluded = new Map<string, number>();
  #endpoints = new Map<string, EndpointState>();
  #merges = 0;
  #serial = 0;
  #truncated = 0;
  #fromUs = Infinity;
  #toUs = -Infinity;
  #logENeeded = Infinity;

  constructor(options: AnalysisOptions) {
    const { rules, bodyBytesMax, ownHosts, accepted = [] } = options;
    this.#options = options;
    this.#names = new EndpointNames(options.endpoints);
    this.#ruleOptions = ownHosts === undefined ? { bodyBytesMax } : { bodyBytesMax, ownHosts };
    this.#rules = new CompareRules(rules, this.#ruleOptions);
    this.#accepted = new AcceptedClusters(accepted);
    this.#own = new OwnAnswers(options.sameRequestWithinMs);
    this.#models = new ModelFields(options.models, bodyBytesMax);
  }

  /** Compares a pair and learns from it. */
  push(pair: Pair): PairOutcome {
    const endpoint = this.#endpointOf(pair);
    const { limited, differences, noise, mismatch } = this.#compare(endpoint, pair, pair.kind);
    if (pair.kind === 'candidate') {
      endpoint.measure(pair);
      this.#models.push(endpoint.name, pair);
      this.#fromUs = Math.min(this.#fromUs, pair.timeUs);
      this.#toUs = Math.max(this.#toUs, pair.timeUs);
      const before = this.#own.push(pair, this.#wantsOwn(endpoint));
      if (before !== null) this.#compareOwn(endpoint, pair, before);
    }
    return { endpoint: endpoint.name, differences, noise, mismatch, limited };
  }

  /**
   * From now on these rules hold, and these clusters, by their ids, are accepted. Endpoints for which that changes
   * something are judged anew: a test may not be told afterwards what it has seen. `nowUs` is since the epoch.
   */
  setRules(rules: readonly CompareRule[], accepted: readonly string[], nowUs: number): void {
    const pairs = [...this.#endpoints.values()].reduce((sum, { totals }) => sum + totals.candidate, 0);
    this.#rules = new CompareRules(rules, this.#ruleOptions, { rules: this.#rules, pairs });
    const otherwise = this.#accepted.replace(accepted);
    const touched = new Set<string>();
    for (const { id, endpoint } of this.#book.clusters()) if (otherwise.has(id)) touched.add(endpoint);
    for (const [name, { rules: known }] of this.#endpoints) if (!this.#rules.of(name).isSame(known)) touched.add(name);
    if (touched.size === 0) return;
    this.#book.forget(touched);
    for (const name of touched) {
      this.#endpoints.get(name)?.release();
      this.#endpoints.set(name, this.#newEndpoint(name));
      this.#state.forget(name);
    }
    this.#anew.note(touched, nowUs);
  }

  /** What differs between two answers by the rules that hold for an endpoint now; nothing is learned from it. */
  compareOnce(endpoint: string, baseline: Answer, candidate: Answer): readonly Difference[] {
    const rules = this.#rules.of(this.#names.currentName(endpoint));
    return rules.apply(compareAnswers(baseline, candidate, rules.options), false);
  }

  /** Counts pairs that could not be compared, by why: `incomplete`, `no_baseline`, `sampled_down` … */
  exclude(reason: string, pairs = 1): void {
    this.#excluded.set(reason, (this.#excluded.get(reason) ?? 0) + pairs);
  }

  /** The present name of an endpoint that an outcome had. */
  currentEndpoint(name: string): string {
    return this.#names.currentName(name);
  }

  /**
   * Whether requests of an endpoint should be sent twice more often, so that what differs can be told from noise; by the
   * latest report.
   */
  wantsNoise(endpoint: string): boolean {
    return this.#endpoints.get(this.#names.currentName(endpoint))?.evidence.wantsNoise(this.#logENeeded) ?? false;
  }

  /** What all pairs came to, by what is known now. */
  report(): RunReport {
    const facts: Facts = {
      policy: this.#options.policy,
      // By then it is most unlikely that chance has sent none twice.
      pairsUntilNoise: this.#options.noiseShare > 0 ? noisePairsMissed / this.#options.noiseShare : 0,
      endpoints: [...this.#endpoints.values()],
      clusters: [...this.#book.clusters()],
      stateOf: (cluster) => this.#stateOf(cluster),
      isNoise: (cluster) => this.#isNoise(cluster),
      isAccepted: ({ id }) => this.#accepted.has(id),
      clusterAt: (index) => this.#book.at(index),
      fromUs: this.#fromUs,
      toUs: this.#toUs,
      rules: this.#rules,
      anew: this.#anew.texts(),
      models: this.#models.reports(),
      excluded: this.#excluded,
      truncated: this.#truncated,
      unclustered: this.#book.unclustered,
    };
    const { report, logENeeded } = runReport(facts);
    this.#logENeeded = logENeeded;
    return report;
  }

  #endpointOf(pair: Pair): EndpointState {
    const { headers, body } = isSafe(pair.method) ? { headers: [], body: null } : readRequest(pair.request);
    const name = this.#names.nameOf(pair.method, pair.target, headerOf(headers, 'content-type'), body);
    if (this.#names.merges !== this.#merges) this.#rename();
    let endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) {
      endpoint = this.#newEndpoint(name);
      this.#endpoints.set(name, endpoint);
    }
    return endpoint;
  }

  #newEndpoint(name: string): EndpointState {
    const { policy, noiseShare, reference } = this.#options;
    const evidence = {
      allowed: policy.maxMismatch,
      allowedOfField: policy.maxMismatch,
      expectsNoise: noiseShare > 0 || reference !== undefined,
      room: this.#room,
    };
    return new EndpointState(name, this.#rules.of(name), evidence, reference === undefined, this.#rooms);
  }

  /** Endpoints that have become one are added up. */
  #rename(): void {
    this.#merges = this.#names.merges;
    const currentName = (name: string): string => this.#names.currentName(name);
    const before = this.#endpoints;
    this.#endpoints = new Map();
    for (const [name, endpoint] of before) {
      const current = currentName(name);
      const same = this.#endpoints.get(current);
      if (same !== undefined) {
        same.merge(endpoint);
      } else if (current === name) {
        this.#endpoints.set(name, endpoint);
      } else {
        // Under another name there may be other rules.
        const renamed = this.#newEndpoint(current);
        renamed.merge(endpoint);
        this.#endpoints.set(current, renamed);
      }
    }
    this.#book.rename(currentName, (from, to) => this.#accepted.rename(from, to));
    this.#state.rename(currentName);
  }

  #wantsOwn({ totals: { own } }: EndpointState): boolean {
    return own < ownPairsAll || this.#serial % ownShare === 0;
  }

  /** Two answers of the baseline to the same request, as a pair of one version. */
  #compareOwn(endpoint: EndpointState, pair: Pair, before: Answer): void {
    this.#compare(endpoint, { ...pair, kind: 'noise', candidate: pair.baseline, baseline: before }, 'own');
  }

  #compare(endpoint: EndpointState, pair: Pair, source: PairSource): Compared {
    this.#serial++;
    endpoint.totals[source]++;
    const comparison = compareAnswers(pair.baseline, pair.candidate, endpoint.rules.options);
    const isCandidate = source === 'candidate';
    if (isCandidate) {
      this.#state.note(endpoint.name, pair);
      if (comparison.limited !== null) this.exclude(comparison.limited);
      if (comparison.truncated) this.#truncated++;
      for (const path of comparison.compared) endpoint.fields.get(path)?.compare();
    }
    const all = endpoint.rules.apply(comparison, isCandidate);
    const found = all.length === 0 ? [] : this.#gather(endpoint, pair, source, all);
    const telling = source === 'noise' ? found.filter((each) => isOfBoth(endpoint, each)) : found;
    return this.#decide(endpoint, pair, source, comparison, telling);
  }

  /** Learns from what differs, and finds the cluster of each difference that may matter. */
  #gather(endpoint: EndpointState, pair: Pair, source: PairSource, differences: readonly Difference[]): Found[] {
    const context: RequestContext = {
      timeUs: pair.timeUs,
      target: pair.target,
      request: pair.request,
      safe: isSafe(pair.method),
    };
    const counted = new Set<Cluster>();
    const found = differences.map((difference) => {
      const field = endpoint.fields.get(difference.path);
      const profile = endpoint.learn(difference, source, this.#serial, context);
      // The first difference at a place is also the first time that the place is known.
      if (field === undefined && source === 'candidate') profile.compare();
      const isNoisy = endpoint.noiseReason(difference.path, 'value') !== null;
      const transition = isTimeOfAnswer(difference, pair) ? timeOfAnswer : wordedFor(transitionOf(difference), difference, profile, isNoisy);
      if (transition.zone !== undefined) profile.countZone(transition.zone);
      const cluster = this.#book.find(endpoint.name, difference, transition, pair);
      if (cluster !== null && !counted.has(cluster)) {
        counted.add(cluster);
        if (source === 'candidate') this.#book.count(cluster, pair, difference);
        else cluster.noisePairs++;
      }
      return { difference, cluster };
    });
    // However often that comes, it is not held against anything.
    return found.filter(({ cluster }) => cluster?.transition.harmless !== true);
  }

  /** What is thought of the pair by what is known now. */
  #decide(endpoint: EndpointState, pair: Pair, source: PairSource, { limited }: Comparison, found: readonly Found[]): Compared {
    const verdicts = new Map<Cluster, boolean>();
    const counts = (cluster: Cluster | null): boolean => {
      if (cluster === null) return true;
      let verdict = verdicts.get(cluster);
      if (verdict === undefined) {
        verdict = !this.#isNoise(cluster);
        verdicts.set(cluster, verdict);
      }
      return verdict;
    };
    const kept = found.filter(({ cluster }) => counts(cluster));
    const noise = found.filter(({ cluster }) => !counts(cluster));
    const isAccepted = ({ cluster }: Found): boolean => cluster !== null && this.#accepted.has(cluster.id);
    const mismatch = kept.some((each) => each.cluster === null || (!isAccepted(each) && this.#stateOf(each.cluster) === null));
    const indexes = Array.from(verdicts.keys(), ({ index }) => index).toSorted((a, b) => a - b);
    // What found no cluster always counts.
    if (found.some(({ cluster }) => cluster === null)) indexes.push(-1);
    if (indexes.length > 0) endpoint.count(indexes, pair.kind, mismatch);
    if (source !== 'own' || endpoint.totals.noise < noisePairsEnough) {
      const tested = this.#accepted.size === 0 ? found : found.filter((each) => !isAccepted(each));
      endpoint.evidence.push(pair.kind, mismatch, tested.map(({ difference }) => keyOfDifference(difference)));
    }
    return {
      limited,
      differences: kept.map(({ difference, cluster }) => ({ ...difference, cluster: cluster?.id ?? null })),
      noise: noise.map(({ difference }) => difference),
      mismatch,
    };
  }

  #isNoise({ endpoint: name, path, kind, transition, pairs, noisePairs }: Cluster): boolean {
    if (transition.harmless === true) return true;
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined || endpoint.noiseReason(path, classOf(kind)) === null) return false;
    if (!transition.departs || noisePairs > 0) return true;
    const field = endpoint.fields.get(path);
    if (transition.zone !== undefined) return field?.isZone(pairs) === false;
    return transition.shape !== null && field?.hasShape(transition.shape) === true;
  }

  /** Why a cluster lies in other data, in words; null when it does not. */
  #stateOf({ endpoint, kind, transition }: Cluster): string | null {
    if (kind !== 'status' || transition.text === null) return null;
    const [from, to] = transition.text.split(' -> ').map(Number);
    if (from < 400 && isLacked(to)) return this.#state.reason(endpoint, 'candidate');
    return isLacked(from) && to < 400 ? this.#state.reason(endpoint, 'baseline') : null;
  }
}

interface Found {
  difference: Difference;
  /** Null when there was no room for another. */
  cluster: Cluster | null;
}

function isOfBoth(endpoint: EndpointState, { difference }: Found): boolean {
  return !endpoint.isOfCandidate(difference.path, classOf(difference.kind));
}

type Compared = Omit<PairOutcome, 'endpoint'>;

/** The transition as the place's other values have it: those of a place with ever new words have no words in common. */
function wordedFor(transition: Transition, difference: Difference, profile: FieldProfile, isNoisy: boolean): Transition {
  const { kind, candidate, candidateType } = difference;
  const { text, departs } = transition;
  if (kind !== 'value' || departs) return transition;
  if (text !== null) return !text.includes(' -> ') || profile.tellsApart(text) ? transition : { ...transition, text: null };
  if (!isNoisy || candidateType === 'number' || !profile.isOutOfLengths(candidate ?? '')) return transition;
  return { text: 'length', cause: 'the value is far shorter or longer than any of the baseline\'s', departs: true, shape: null };
}
