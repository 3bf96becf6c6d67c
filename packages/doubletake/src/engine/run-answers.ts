/**
 * What the dashboard asks about a run, answered where the run is: in the analysis thread while it goes on, in the main
 * thread once it has ended. What may not be seen does not leave here.
 */
import { type ShownPair, shownPair, withoutQuery } from '../compare/shown/shown-pair.ts';
import type { Quantiles } from '../compare/report.ts';
import type { CompareRule } from '../config/compare-schema.ts';
import { DoubletakeError } from '../errors.ts';
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

/** The questions. Each rejects with a `DoubletakeError` DT_BUSY where the answer would take too much. */
export interface RunQuestions {
  /** `example` is the pair that the report shows. */
  cluster(id: string, example: string): Promise<ClusterFound>;
  /** Compared requests, the newest first. */
  requests(filter: Omit<RequestFilter, 'contents'>): Promise<RequestEntry[]>;
  /** Null when it was not compared, or is no longer kept. */
  request(id: string): Promise<RequestFound | null>;
  /** What a rule would hide of what is stored; rejects with DT_NOT_FOUND where nothing is. */
  preview(rule: CompareRule): Promise<StoredPreview>;
}

export class RunAnswers implements RunQuestions {
  readonly #queries: RunQueries | null;
  readonly #recent: RecentPairs | null;
  readonly #hidden: string | null;

  /** `hidden` says why contents may not be seen; null shows them. */
  constructor(queries: RunQueries | null, recent: RecentPairs | null, hidden: string | null) {
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
      const entry = entryOf(judged, filter.contents);
      return !known.has(entry.id) && isWanted(filter, entry, valuesOf(judged)) ? [entry] : [];
    });
    return [...stored, ...recent].toSorted(compareEntries).slice(0, filter.limit);
  }

  async request(id: string): Promise<RequestFound | null> {
    const kept = this.#recent?.get(id) ?? (await this.#queries?.pair(id)) ?? null;
    if (kept === null) return null;
    return {
      entry: entryOf(kept, this.#hidden === null),
      messages: kept.messages,
      pair: shownPair(kept.pair, kept, this.#hidden),
    };
  }

  preview(rule: CompareRule): Promise<StoredPreview> {
    const queries = this.#queries;
    if (queries === null) {
      return Promise.reject(new DoubletakeError('DT_NOT_FOUND', 'nothing is stored that the rule could be tried on: give --run DIR'));
    }
    return queries.preview(rule);
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

function entryOf({ pair, endpoint, mismatch, limited }: JudgedPair, contents: boolean): RequestEntry {
  const { baseline, candidate } = pair;
  return {
    id: pair.id,
    timeUs: Math.trunc(pair.timeUs),
    method: pair.method,
    target: contents ? pair.target : withoutQuery(pair.target),
    endpoint,
    outcome: candidate.failure === null ? 'replayed' : `failed.${candidate.failure}`,
    production: baseline.status === 0 ? null : baseline.status,
    candidate: candidate.status === 0 ? null : candidate.status,
    compared: mismatch ? 'differs' : 'equal',
    client: contents ? pair.session : '',
    productionMs: baseline.failure === null ? baseline.totalMs : null,
    candidateMs: candidate.failure === null ? candidate.totalMs : null,
    labels: limited === null ? [] : [limited],
  };
}

function* valuesOf({ differences }: JudgedPair): Generator<string> {
  for (const { baseline, candidate } of differences) {
    if (baseline !== null) yield baseline;
    if (candidate !== null) yield candidate;
  }
}
