/** What is known of one endpoint: its pairs, the places that differ, and which differences come together in one pair. */
import type { Difference } from '../difference.ts';
import {
  classOf,
  FieldProfile,
  type NoiseClass,
  type PairSource,
  type PairTotals,
  type RequestContext,
} from '../noise/field-profile.ts';
import type { Pair } from '../pair.ts';
import type { EndpointRules } from '../rules/compare-rules.ts';
import { EndpointEvidence, type EvidenceOptions } from '../statistics/endpoint-evidence.ts';
import { LatencyDistribution } from '../statistics/latency-distribution.ts';

const fieldsMax = 2_000;
const OTHER_PATH = '(other)';
/** Sets of clusters that come together in a pair, of one endpoint; pairs with any other set are judged when they come. */
const setsMax = 1_000;

/** What all endpoints together still have room for. */
export interface Rooms {
  /** Places with a profile. */
  fields: number;
  clusterSets: number;
}

/** Pairs with the same set of clusters. Whether they are mismatches is decided anew whenever it is asked for. */
interface ClusterSet {
  clusters: readonly number[];
  /** Of candidate pairs, and of pairs of one version. */
  candidate: number;
  noise: number;
}

export class EndpointState {
  name: string;
  readonly rules: EndpointRules;
  readonly totals: PairTotals;
  readonly fields = new Map<string, FieldProfile>();
  /** Places with their class that differ more often than noise explains, by the latest report. */
  readonly excess = new Set<string>();
  evidence: EndpointEvidence;
  latencies = { baseline: new LatencyDistribution(), candidate: new LatencyDistribution() };
  readonly errors = { pairs: 0, baselineOnly: 0, candidateOnly: 0, both: 0 };
  readonly #rooms: Rooms;
  readonly #sets = new Map<string, ClusterSet>();
  /** Mismatches among pairs whose sets found no room. */
  readonly #decided = { candidate: 0, noise: 0 };

  /** `noiseOfCandidate` as in `PairTotals`. */
  constructor(name: string, rules: EndpointRules, evidence: Readonly<EvidenceOptions>, noiseOfCandidate: boolean, rooms: Rooms) {
    this.name = name;
    this.#rooms = rooms;
    this.totals = { candidate: 0, noise: 0, own: 0, noiseOfCandidate };
    this.rules = rules;
    this.evidence = new EndpointEvidence(evidence);
  }

  /** The profile of a place; those beyond the bound share one. */
  field(path: string): FieldProfile {
    const known = this.fields.get(path);
    if (known !== undefined) return known;
    const isFull = this.fields.size >= fieldsMax || this.#rooms.fields <= 0;
    if (isFull && path !== OTHER_PATH) return this.field(OTHER_PATH);
    this.#rooms.fields--;
    const field = new FieldProfile(path);
    this.fields.set(path, field);
    return field;
  }

  /** Learns from a difference of the pair with the number `serial`. */
  learn(difference: Difference, source: PairSource, serial: number, context: RequestContext): FieldProfile {
    const field = this.field(difference.path);
    field.add(difference, source, serial, context);
    return field;
  }

  /** Why differences of a kind at a path are noise, in words; null when they are not. */
  noiseReason(path: string, noiseClass: NoiseClass): string | null {
    const field = this.fields.get(path);
    if (field === undefined || this.excess.has(fieldKey(path, noiseClass))) return null;
    const reason = field.noiseReason(noiseClass, this.totals);
    // Where elements come and go by themselves, one array may happen to be the beginning of the other.
    return reason === null && noiseClass === 'length' ? this.noiseReason(`${path}[*]`, 'presence') : reason;
  }

  /** Whether a noise pair's difference says nothing about noise, since the candidate alone differs from itself there. */
  isOfCandidate(path: string, noiseClass: NoiseClass): boolean {
    return this.fields.get(path)?.isOfCandidate(noiseClass, this.totals) === true;
  }

  /** Counts latencies and errors of a candidate pair. */
  measure({ baseline, candidate }: Pair): void {
    const [before, after] = [baseline, candidate].map(({ failure, status }) => failure !== null || status >= 500);
    this.errors.pairs++;
    if (before && after) this.errors.both++;
    else if (before) this.errors.baselineOnly++;
    else if (after) this.errors.candidateOnly++;
    if (baseline.failure !== null || candidate.failure !== null) return;
    this.latencies.baseline.push(baseline.totalMs);
    this.latencies.candidate.push(candidate.totalMs);
  }

  /** Counts a pair by the clusters that it is in, each once and in order; `mismatch` is what is thought of it now. */
  count(clusters: readonly number[], kind: Pair['kind'], mismatch: boolean): void {
    const key = clusters.join();
    let set = this.#sets.get(key);
    if (set === undefined) {
      if (this.#sets.size >= setsMax || this.#rooms.clusterSets <= 0) {
        if (mismatch) this.#decided[kind]++;
        return;
      }
      this.#rooms.clusterSets--;
      set = { clusters, candidate: 0, noise: 0 };
      this.#sets.set(key, set);
    }
    set[kind]++;
  }

  /** Pairs of which some cluster counts. */
  mismatches(kind: Pair['kind'], counts: (cluster: number) => boolean): number {
    let mismatches = this.#decided[kind];
    for (const set of this.#sets.values()) if (set[kind] > 0 && set.clusters.some(counts)) mismatches += set[kind];
    return mismatches;
  }

  /** Gives back the room that it had; to be called when it is used no more. */
  release(): void {
    this.#rooms.fields += this.fields.size;
    this.#rooms.clusterSets += this.#sets.size;
    this.evidence.release();
  }

  /** Adds what is known of another endpoint that is the same now. What cannot be added is taken from the larger one. */
  merge(other: EndpointState): void {
    if (other.totals.candidate > this.totals.candidate) {
      this.evidence = other.evidence;
      this.latencies = other.latencies;
    }
    for (const source of ['candidate', 'noise', 'own'] as const) this.totals[source] += other.totals[source];
    for (const name of ['pairs', 'baselineOnly', 'candidateOnly', 'both'] as const) this.errors[name] += other.errors[name];
    // The other one gives back the room that it had.
    this.#rooms.fields += other.fields.size;
    this.#rooms.clusterSets += other.#sets.size;
    for (const field of other.fields.values()) this.field(field.path).merge(field);
    for (const kind of ['candidate', 'noise'] as const) this.#decided[kind] += other.#decided[kind];
    for (const [key, set] of other.#sets) {
      const same = this.#sets.get(key);
      if (same === undefined) {
        this.#rooms.clusterSets--;
        this.#sets.set(key, set);
      } else {
        for (const kind of ['candidate', 'noise'] as const) same[kind] += set[kind];
      }
    }
  }
}

/** A place with the class of its differences: what is tested by itself. */
export function fieldKey(path: string, noiseClass: NoiseClass): string {
  return `${noiseClass} ${path}`;
}

/** The same of a difference. */
export function keyOfDifference({ path, kind }: Difference): string {
  return fieldKey(path, classOf(kind));
}
