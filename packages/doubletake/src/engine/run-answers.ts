/**
 * What the dashboard asks about a run, answered where the run is: in the analysis thread while it goes on, in the main
 * thread once it has ended. What may not be seen does not leave here.
 */
import { type ShownPair, shownPair } from '../compare/shown/shown-pair.ts';
import type { Quantiles } from '../compare/report.ts';
import type { Difference } from '../compare/difference.ts';
import type { Answer } from '../compare/pair.ts';
import { RuleReach } from '../compare/rules/rule-reach.ts';
import type { CompareRule } from '../config/compare-schema.ts';
import { DoubletakeError } from '../errors.ts';
import { pairEntry } from '../store/pair-entry.ts';
import { compareEntries, isWanted, type RequestEntry, type RequestFilter } from '../store/request-filter.ts';
import type { JudgedPair } from '../store/rows.ts';
import type { KeptPair, RunQueries, StoredPreview } from '../store/run-queries.ts';
import type { RecentPairs } from './recent-pairs.ts';

/** What is known of a cluster beside its report. */
export interface ClusterFound {
  examples: ShownPair[];
  timeline: { t: number; count: number }[];
  latencyMs: { baseline: Quantiles; candidate: Quantiles } | null;
}

/** A compared request. */
export interface RequestFound {
  entry: RequestEntry;
  /** Whether its messages are there. */
  messages: KeptPair['messages'];
  pair: ShownPair;
}

/** A request as it went out to the candidate. */
export interface StoredRequest {
  id: string;
  method: string;
  bytes: Uint8Array;
}

/** The questions. Each rejects with a `DoubletakeError` DT_BUSY where the answer would take too much. */
export interface RunQuestions {
  /** `example` is the pair that the report shows. */
  cluster(id: string, example: string): Promise<ClusterFound>;
  /** Compared requests, the newest first. */
  requests(filter: Omit<RequestFilter, 'contents'>): Promise<RequestEntry[]>;
  /** Null when it was not compared, or is no longer kept. */
  request(id: string): Promise<RequestFound | null>;
  /** The request of a pair as it went out, to be sent again; null when it is not kept. */
  sentRequest(id: string): Promise<StoredRequest | null>;
  /** A pair with another answer of the candidate; null when it is not kept. */
  answeredAgain(id: string, answer: Answer): Promise<ShownPair | null>;
  /** What a rule would hide of what is stored; rejects with DT_NOT_FOUND where nothing is. */
  preview(rule: CompareRule): Promise<StoredPreview>;
}

/** What differs between two answers of an endpoint. */
type Compare = (endpoint: string, baseline: Answer, candidate: Answer) => readonly Difference[];

export class RunAnswers implements RunQuestions {
  readonly #queries: RunQueries | null;
  readonly #recent: RecentPairs | null;
  readonly #hidden: string | null;
  readonly #compare: Compare;

  /** `hidden` says why contents may not be seen; null shows them. `compare` says what differs, by the rules in force. */
  constructor(queries: RunQueries | null, recent: RecentPairs | null, hidden: string | null, compare: Compare = () => []) {
    this.#compare = compare;
    this.#queries = queries;
    this.#recent = recent;
    this.#hidden = hidden;
  }

  async cluster(id: string, example: string): Promise<ClusterFound> {
    const stored = await this.#queries?.cluster(id, example);
    const kept = stored?.examples ?? this.#recentOf(id);
    return {
      examples: kept.map((each) => shownPair(each.pair, each, this.#hidden)),
      timeline: stored?.timeline ?? [],
      latencyMs: stored?.latencyMs ?? null,
    };
  }

  async requests(wanted: Omit<RequestFilter, 'contents'>): Promise<RequestEntry[]> {
    const filter = { ...wanted, contents: this.#hidden === null };
    const stored = (await this.#queries?.requests(filter)) ?? [];
    const known = new Set(stored.map(({ id }) => id));
    const recent = [...(this.#recent ?? [])].flatMap((judged) => {
      const entry = pairEntry(judged, filter.contents);
      return !known.has(entry.id) && isWanted(filter, entry, valuesOf(judged)) ? [entry] : [];
    });
    return [...stored, ...recent].toSorted(compareEntries).slice(0, filter.limit);
  }

  async sentRequest(id: string): Promise<StoredRequest | null> {
    const kept = await this.#kept(id);
    if (kept === null || kept.pair.request.length === 0) return null;
    // A copy of its own: a part of a larger buffer would be copied with all of it.
    return { id, method: kept.pair.method, bytes: Uint8Array.from(kept.pair.request) };
  }

  async answeredAgain(id: string, answer: Answer): Promise<ShownPair | null> {
    const kept = await this.#kept(id);
    if (kept === null) return null;
    // Between threads a Buffer becomes plain bytes.
    const candidate = { ...answer, body: answer.body === null ? null : Buffer.from(answer.body) };
    const differences = this.#compare(kept.endpoint, kept.pair.baseline, candidate);
    const pair = { ...kept.pair, candidate };
    return shownPair(pair, { ...kept, differences: differences.map((each) => ({ ...each, cluster: null })) }, this.#hidden);
  }

  async request(id: string): Promise<RequestFound | null> {
    const kept = await this.#kept(id);
    if (kept === null) return null;
    return {
      entry: pairEntry(kept, this.#hidden === null),
      messages: kept.messages,
      pair: shownPair(kept.pair, kept, this.#hidden),
    };
  }

  preview(rule: CompareRule): Promise<StoredPreview> {
    const queries = this.#queries;
    if (queries === null) {
      return Promise.reject(new DoubletakeError('DT_NOT_FOUND', 'nothing is stored that the rule could be tried on: give --run DIR'));
    }
    return queries.preview(new RuleReach(rule));
  }

  async #kept(id: string): Promise<KeptPair | null> {
    return this.#recent?.get(id) ?? (await this.#queries?.pair(id)) ?? null;
  }

  /** Examples of a cluster where nothing is stored. */
  #recentOf(cluster: string): KeptPair[] {
    const found: KeptPair[] = [];
    for (const { pair, differences } of this.#recent ?? []) {
      const kept = differences.some((each) => each.cluster === cluster) ? (this.#recent?.get(pair.id) ?? null) : null;
      if (kept !== null) found.push(kept);
      if (found.length === examplesMax) break;
    }
    return found;
  }
}

const examplesMax = 3;

function* valuesOf({ differences }: JudgedPair): Generator<string> {
  for (const { baseline, candidate } of differences) {
    if (baseline !== null) yield baseline;
    if (candidate !== null) yield candidate;
  }
}
