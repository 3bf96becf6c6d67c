/**
 * Questions to the store of a run, which is being written or has ended: bounded in rows, time and number. Pairs of one
 * version are left out; they show no difference between two.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DifferenceKind } from '../compare/difference.ts';
import type { ClusteredDifference } from '../compare/difference.ts';
import type { Answer, AnswerFailure, Pair } from '../compare/pair.ts';
import type { Quantiles } from '../compare/report.ts';
import type { RuleReach } from '../compare/rules/rule-reach.ts';
import { type EntryFacts, pairEntry } from './pair-entry.ts';
import { QueryLane } from './query-lane.ts';
import { conditionsOf, type RequestEntry, type RequestFilter } from './request-filter.ts';

const minutesMax = 2_000;
const examplesMax = 3;
const previewClustersMax = 100;
const previewEndpointsMax = 1_000;

/** A pair of which more or less is kept. */
export interface KeptPair {
  /** Where its messages are not kept, its request is empty, and its answers have neither headers nor bodies. */
  pair: Pair;
  messages: 'none' | 'cut' | 'whole';
  endpoint: string;
  mismatch: boolean;
  differences: readonly ClusteredDifference[];
  limited: string | null;
}

/** What is stored of a cluster. */
export interface StoredCluster {
  examples: KeptPair[];
  /** Requests by the minute, of those stored; `t` in seconds since the epoch, the oldest first. */
  timeline: { t: number; count: number }[];
  latencyMs: { baseline: Quantiles; candidate: Quantiles } | null;
}

/** What a rule would hide; all counts are of requests. */
export interface StoredPreview {
  /** Of the endpoints that the rule is for. */
  pairs: number;
  hiddenDifferences: number;
  /** Pairs that would be equal, and those that would still differ. */
  hiddenPairs: number;
  remainingPairs: number;
  /** The same of each in which it finds something, the most first. */
  endpoints: { endpoint: string; hiddenPairs: number; remainingPairs: number }[];
  /** Those that it touches. */
  clusters: { id: string; hiddenShare: number }[];
}

export class RunQueries {
  readonly #lane: QueryLane;

  /** `connect` opens connections to the run's database. Every method rejects with DT_BUSY as `QueryLane.ask` does. */
  constructor(connect: () => Promise<DuckDBConnection>, msMax?: number) {
    this.#lane = new QueryLane(connect, msMax);
  }

  /** Compared requests, the newest first. */
  requests(filter: RequestFilter): Promise<RequestEntry[]> {
    const { conditions, values } = conditionsOf(filter);
    return this.#lane.ask(
      `SELECT pair, epoch_us(time)::DOUBLE AS time_us, method, target, endpoint, session, mismatch, baseline_status, candidate_status,
        baseline_failure, candidate_failure, baseline_total_ms, candidate_total_ms, limited
      FROM pairs WHERE ${conditions.join(' AND ')} ORDER BY time DESC, pair DESC LIMIT ${Math.trunc(filter.limit)}`,
      values,
      (row) => pairEntry(factsOf(row), filter.contents),
    );
  }

  /** One pair with what is kept of its messages; null when it is not stored. */
  async pair(id: string): Promise<KeptPair | null> {
    const [found] = await this.#pairs('p.pair = $id', id);
    return found ?? null;
  }

  /** What is stored of a cluster; `example` is the pair that the report shows, for want of others. */
  async cluster(id: string, example: string): Promise<StoredCluster> {
    const [examples, timeline, latencies] = await Promise.all([
      this.#pairs('e.cluster = $id', id),
      this.#lane.ask(
        `SELECT epoch(date_trunc('minute', time)) AS t, sum(weight) AS count FROM pairs
        WHERE kind = 'candidate' AND pair IN (SELECT pair FROM differences WHERE cluster = $id)
        GROUP BY t ORDER BY t DESC LIMIT ${minutesMax}`,
        { id },
        ({ t, count }) => ({ t: Number(t), count: Number(count) }),
      ),
      this.#lane.ask(
        `SELECT count(*) AS pairs, quantile_cont(baseline_total_ms, [0.5, 0.9, 0.99]) AS baseline,
          quantile_cont(candidate_total_ms, [0.5, 0.9, 0.99]) AS candidate
        FROM pairs WHERE kind = 'candidate' AND baseline_failure IS NULL AND candidate_failure IS NULL
          AND pair IN (SELECT pair FROM differences WHERE cluster = $id)`,
        { id },
        ({ pairs, baseline, candidate }) => (Number(pairs) === 0 ? null : { baseline: quantilesOf(baseline), candidate: quantilesOf(candidate) }),
      ),
    ]);
    return {
      examples: examples.length > 0 ? examples : await this.#pairs('p.pair = $id', example),
      timeline: timeline.toReversed(),
      latencyMs: latencies[0] ?? null,
    };
  }

  /** What a rule would hide of what is stored, weighted to requests. */
  async preview(reach: RuleReach): Promise<StoredPreview> {
    const [endpoints, places] = await Promise.all([this.#endpoints(reach), this.#places(reach)]);
    const of = { endpoints: JSON.stringify(endpoints.map(({ endpoint }) => endpoint)), places: JSON.stringify(places) };
    const touched = `WITH places AS (SELECT place.path, place.kind FROM (SELECT unnest(from_json($places, '[{"path":"VARCHAR","kind":"VARCHAR"}]')) AS place)),
      touched AS (
        SELECT pairs.pair, pairs.endpoint, pairs.weight, pairs.differences, differences.cluster, ${hidesIn(reach)} AS hides
        FROM differences JOIN places ON places.path = differences.path AND places.kind = differences.kind JOIN pairs ON pairs.pair = differences.pair
        WHERE pairs.kind = 'candidate' AND pairs.endpoint IN (SELECT unnest(from_json($endpoints, '["VARCHAR"]')))
      )`;
    const [hidden, clusters] =
      places.length === 0 || endpoints.length === 0
        ? [[], []]
        : await Promise.all([
            this.#lane.ask(
              `${touched}, whole AS (
                SELECT endpoint, weight, differences, count(*) FILTER (hides) AS hidden FROM touched GROUP BY pair, endpoint, weight, differences
              )
              SELECT endpoint, sum(weight * hidden) AS differences, coalesce(sum(weight) FILTER (hidden > 0 AND hidden >= differences), 0) AS pairs
              FROM whole GROUP BY endpoint`,
              of,
              (row) => ({ endpoint: String(row['endpoint']), differences: Number(row['differences']), pairs: Number(row['pairs']) }),
            ),
            this.#lane.ask(
              `${touched} SELECT cluster, sum(weight) FILTER (hides) / sum(weight) AS share FROM touched WHERE cluster IS NOT NULL
              GROUP BY cluster HAVING bool_or(hides) ORDER BY sum(weight) FILTER (hides) DESC, cluster LIMIT ${previewClustersMax}`,
              of,
              (row) => ({ id: String(row['cluster']), hiddenShare: Number(row['share']) }),
            ),
          ]);
    const differing = new Map(endpoints.map((each) => [each.endpoint, each.differing]));
    const hiddenPairs = sum(hidden.map(({ pairs }) => pairs));
    return {
      pairs: sum(endpoints.map(({ pairs }) => pairs)),
      hiddenDifferences: sum(hidden.map(({ differences }) => differences)),
      hiddenPairs,
      remainingPairs: sum([...differing.values()]) - hiddenPairs,
      endpoints: hidden
        .map(({ endpoint, pairs }) => ({ endpoint, hiddenPairs: pairs, remainingPairs: (differing.get(endpoint) ?? 0) - pairs }))
        .toSorted((a, b) => b.hiddenPairs - a.hiddenPairs || b.remainingPairs - a.remainingPairs)
        .slice(0, previewEndpointsMax),
      clusters,
    };
  }

  close(): Promise<void> {
    return this.#lane.close();
  }

  /** Those that the rule is for, with their pairs and those of them that differ. */
  async #endpoints(reach: RuleReach): Promise<{ endpoint: string; pairs: number; differing: number }[]> {
    const all = await this.#lane.ask(
      `SELECT endpoint, sum(weight) AS pairs, coalesce(sum(weight) FILTER (differences > 0), 0) AS differing FROM pairs WHERE kind = 'candidate' GROUP BY endpoint`,
      {},
      (row) => ({ endpoint: String(row['endpoint']), pairs: Number(row['pairs']), differing: Number(row['differing']) }),
    );
    return all.filter(({ endpoint }) => reach.isFor(endpoint));
  }

  /** Where the rule may hide something. */
  async #places(reach: RuleReach): Promise<{ path: string; kind: DifferenceKind }[]> {
    const all = await this.#lane.ask('SELECT DISTINCT path, kind FROM differences', {}, (row) => ({
      path: String(row['path']),
      kind: String(row['kind']) as DifferenceKind,
    }));
    return all.filter(({ path, kind }) => reach.covers(path, kind));
  }

  async #pairs(condition: string, id: string): Promise<KeptPair[]> {
    const rows = await this.#lane.ask(
      `SELECT DISTINCT ON (p.pair) p.*, epoch_us(p.time)::DOUBLE AS time_us, e.request, e.baseline_head, e.baseline_body, e.candidate_head, e.candidate_body, e.cut
      FROM pairs p LEFT JOIN examples e ON e.pair = p.pair
      WHERE p.kind = 'candidate' AND ${condition} ORDER BY p.time LIMIT ${examplesMax}`,
      { id },
      keptOf,
    );
    return Promise.all(
      rows.map(async (kept) => {
        const differences = await this.#lane.ask('SELECT * FROM differences WHERE pair = $id', { id: kept.pair.id }, differenceOf);
        return { ...kept, differences };
      }),
    );
  }
}

/** Whether a difference at a place that the rule covers is hidden, as SQL: by its values where there is a tolerance. */
function hidesIn({ tolerance }: RuleReach): string {
  if (tolerance === null) return 'true';
  const [from, to] = ['baseline', 'candidate'].map((side) => `try_cast(differences.${side} AS DOUBLE)`);
  const distance = `abs(${from} - ${to})`;
  return `coalesce(baseline_type = 'number' AND candidate_type = 'number'
    AND (${distance} <= ${tolerance.absolute} OR ${distance} <= ${tolerance.relative}::DOUBLE * greatest(abs(${from}), abs(${to}))), false)`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

type Row = Record<string, unknown>;

function factsOf(row: Row): EntryFacts {
  const answerFacts = (side: 'baseline' | 'candidate'): EntryFacts['pair']['candidate'] => ({
    status: numberOf(row[`${side}_status`]) ?? 0,
    failure: textOf(row[`${side}_failure`]) as AnswerFailure | null,
    totalMs: numberOf(row[`${side}_total_ms`]) ?? 0,
  });
  return {
    pair: {
      id: String(row['pair']),
      timeUs: Number(row['time_us']),
      session: String(row['session']),
      method: String(row['method']),
      target: String(row['target']),
      baseline: answerFacts('baseline'),
      candidate: answerFacts('candidate'),
    },
    endpoint: String(row['endpoint']),
    mismatch: row['mismatch'] === true,
    limited: textOf(row['limited']),
  };
}

function keptOf(row: Row): KeptPair {
  const request = bytesOf(row['request']);
  const { pair, ...facts } = factsOf(row);
  return {
    ...facts,
    pair: {
      ...pair,
      kind: 'candidate',
      host: String(row['host']),
      request: request ?? Buffer.alloc(0),
      probability: Number(row['probability']),
      baseline: { ...pair.baseline, ...messageOf(row, 'baseline') },
      candidate: { ...pair.candidate, ...messageOf(row, 'candidate') },
    },
    messages: request === null ? 'none' : row['cut'] === true ? 'cut' : 'whole',
    differences: [],
  };
}

function messageOf(row: Row, side: 'baseline' | 'candidate'): Omit<Answer, 'status' | 'failure' | 'totalMs'> {
  const [, ...lines] = (textOf(row[`${side}_head`]) ?? '').split('\n');
  return {
    headers: lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    body: bytesOf(row[`${side}_body`]),
    bodyBytes: Number(row[`${side}_bytes`] ?? 0),
    bodySha256: null,
    firstByteMs: numberOf(row[`${side}_first_byte_ms`]) ?? 0,
  };
}

function differenceOf(row: Row): ClusteredDifference {
  return {
    cluster: textOf(row['cluster']),
    kind: String(row['kind']) as DifferenceKind,
    path: String(row['path']),
    place: String(row['place']),
    baseline: textOf(row['baseline']),
    candidate: textOf(row['candidate']),
    baselineType: textOf(row['baseline_type']),
    candidateType: textOf(row['candidate_type']),
  };
}

function quantilesOf(values: unknown): Quantiles {
  const [p50 = null, p90 = null, p99 = null] = Array.isArray(values) ? values.map(numberOf) : [];
  return { p50, p90, p99 };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function bytesOf(value: unknown): Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null;
}
