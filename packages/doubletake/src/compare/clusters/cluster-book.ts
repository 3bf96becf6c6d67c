/**
 * All differences, gathered by what they have in common: endpoint, path, kind and transition. Thousands of differences
 * are a few clusters. Differences of noise pairs are gathered in the same clusters, and counted apart.
 */
import { hash } from 'node:crypto';
import type { Difference, DifferenceKind } from '../difference.ts';
import type { Pair } from '../pair.ts';
import type { ClusterExample } from '../report.ts';
import { bytesOfExample, pairExample, type PairExample, sizeOf } from './example.ts';
import { weightOf } from './risk.ts';
import type { Transition } from './transition.ts';

const clustersMax = 10_000;
const exampleBytesMax = 67_108_864;
/** A smaller example takes the place of a larger one when it is half as large; not for ever. */
const examplesTriedMax = 6;

export interface Cluster {
  /** Place in the book. */
  index: number;
  /** Of the endpoint's present name. */
  id: string;
  endpoint: string;
  path: string;
  kind: DifferenceKind;
  transition: Transition;
  weight: number;
  /** Candidate pairs, and pairs of one version. */
  pairs: number;
  noisePairs: number;
  firstUs: number;
  example: ClusterExample | null;
  exampleSize: number;
  examplesTried: number;
  /** The cluster that this one has become part of, since their endpoints are one now. */
  mergedInto: Cluster | null;
}

export class ClusterBook {
  /** By index; null where one was forgotten. */
  readonly #clusters: (Cluster | null)[] = [];
  #byKey = new Map<string, Cluster>();
  #forgotten = 0;
  #exampleBytes = 0;
  #unclustered = 0;
  /** Of the pair that was shown last. */
  #latest: { pair: Pair; example: PairExample } | null = null;

  /** Differences that found no room. */
  get unclustered(): number {
    return this.#unclustered;
  }

  /** Those that there are, in the order in which they were first seen. */
  clusters(): Iterable<Cluster> {
    return this.#byKey.values();
  }

  /** The cluster at a place, or what it is part of now. */
  at(index: number): Cluster | null {
    let cluster = this.#clusters[index] ?? null;
    while (cluster !== null && cluster.mergedInto !== null) cluster = cluster.mergedInto;
    return cluster;
  }

  /** The cluster of a difference, without counting it; null when there is no room for another. */
  find(endpoint: string, difference: Difference, transition: Transition, pair: Pair): Cluster | null {
    const key = keyOf(endpoint, difference.path, difference.kind, transition.text);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#clusters.length - this.#forgotten >= clustersMax) {
      this.#unclustered++;
      return null;
    }
    const { path, kind } = difference;
    const cluster: Cluster = {
      index: this.#clusters.length,
      id: idOf(key),
      endpoint,
      path,
      kind,
      transition,
      weight: weightOf(kind, transition.text, transition.cause),
      pairs: 0,
      noisePairs: 0,
      firstUs: pair.timeUs,
      example: null,
      exampleSize: Infinity,
      examplesTried: 0,
      mergedInto: null,
    };
    this.#clusters.push(cluster);
    this.#byKey.set(key, cluster);
    return cluster;
  }

  /** Counts a candidate pair; one pair counts once in each cluster. */
  count(cluster: Cluster, pair: Pair, difference: Difference): void {
    // What is seen out of order, or in noise pairs alone before.
    cluster.firstUs = cluster.pairs === 0 ? pair.timeUs : Math.min(cluster.firstUs, pair.timeUs);
    cluster.pairs++;
    const size = sizeOf(pair);
    if (size * 2 > cluster.exampleSize || cluster.examplesTried >= examplesTriedMax) return;
    cluster.examplesTried++;
    if (this.#latest?.pair !== pair) this.#latest = { pair, example: pairExample(pair) };
    this.#show(cluster, { ...this.#latest.example, from: difference.baseline, to: difference.candidate }, size);
  }

  /** Clusters of these endpoints begin anew when they are next seen. */
  forget(endpoints: ReadonlySet<string>): void {
    for (const [index, cluster] of this.#clusters.entries()) {
      if (cluster === null || !endpoints.has(cluster.endpoint)) continue;
      this.#show(cluster, null, Infinity);
      this.#clusters[index] = null;
      this.#forgotten++;
    }
    for (const [key, { endpoint }] of this.#byKey) if (endpoints.has(endpoint)) this.#byKey.delete(key);
  }

  /** Endpoints have other names now: what has become the same is added up. `renamed` hears of other ids. */
  rename(currentName: (endpoint: string) => string, renamed: (from: string, to: string) => void): void {
    const before = this.#byKey;
    this.#byKey = new Map();
    for (const cluster of before.values()) {
      const name = currentName(cluster.endpoint);
      const isRenamed = name !== cluster.endpoint;
      cluster.endpoint = name;
      const key = keyOf(cluster.endpoint, cluster.path, cluster.kind, cluster.transition.text);
      const same = this.#byKey.get(key);
      if (isRenamed) renamed(cluster.id, idOf(key));
      if (same === undefined) {
        if (isRenamed) cluster.id = idOf(key);
        this.#byKey.set(key, cluster);
      } else {
        this.#merge(same, cluster);
      }
    }
  }

  #merge(into: Cluster, from: Cluster): void {
    into.pairs += from.pairs;
    into.noisePairs += from.noisePairs;
    into.firstUs = Math.min(into.firstUs, from.firstUs);
    const { example, exampleSize } = from;
    from.mergedInto = into;
    this.#show(from, null, Infinity);
    if (example !== null && exampleSize < into.exampleSize) this.#show(into, example, exampleSize);
  }

  #show(cluster: Cluster, example: ClusterExample | null, size: number): void {
    if (cluster.example !== null) this.#exampleBytes -= bytesOfExample(cluster.example);
    const isTooMuch = example !== null && this.#exampleBytes + bytesOfExample(example) > exampleBytesMax;
    const kept = isTooMuch ? withoutTexts(example) : example;
    cluster.example = kept;
    cluster.exampleSize = size;
    if (kept !== null) this.#exampleBytes += bytesOfExample(kept);
  }
}

function withoutTexts(example: ClusterExample): ClusterExample {
  return { ...example, request: '', baseline: null, candidate: null, curl: '' };
}

function keyOf(endpoint: string, path: string, kind: string, transition: string | null): string {
  return `${endpoint}\n${path}\n${kind}\n${transition ?? ''}`;
}

function idOf(key: string): string {
  return hash('sha256', key, 'hex').slice(0, 12);
}
