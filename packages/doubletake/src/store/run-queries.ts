/**
 * Questions to the store of a run, which is being written or has ended: bounded in rows, time and number. Pairs of one
 * version are left out; they show no difference between two.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DifferenceKind } from '../compare/difference.ts';
import type { Answer, AnswerFailure, Pair } from '../compare/pair.ts';
import type { Quantiles } from '../compare/report.ts';
import { withoutQuery } from '../compare/shown/shown-pair.ts';
import { QueryLane } from './query-lane.ts';
import { conditionsOf, type RequestEntry, type RequestFilter } from './request-filter.ts';
import type { ClusteredDifference } from './rows.ts';

const minutesMax = 2_000;
const examplesMax = 3;

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
        candidate_failure, baseline_total_ms, candidate_total_ms, limited
      FROM pairs WHERE ${conditions.join(' AND ')} ORDER BY time DESC, pair DESC LIMIT ${Math.trunc(filter.limit)}`,
      { values },
      (row) => entryOf(row, filter.contents),
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
        { values: { id } },
        ({ t, count }) => ({ t: Number(t), count: Number(count) }),
      ),
      this.#lane.ask(
        `SELECT count(*) AS pairs, quantile_cont(baseline_total_ms, [0.5, 0.9, 0.99]) AS baseline,
          quantile_cont(candidate_total_ms, [0.5, 0.9, 0.99]) AS candidate
        FROM pairs WHERE kind = 'candidate' AND baseline_failure IS NULL AND candidate_failure IS NULL
          AND pair IN (SELECT pair FROM differences WHERE cluster = $id)`,
        { values: { id } },
        ({ pairs, baseline, candidate }) => (Number(pairs) === 0 ? null : { baseline: quantilesOf(baseline), candidate: quantilesOf(candidate) }),
      ),
    ]);
    return {
      examples: examples.length > 0 ? examples : await this.#pairs('p.pair = $id', example),
      timeline: timeline.toReversed(),
      latencyMs: latencies[0] ?? null,
    };
  }

  close(): Promise<void> {
    return this.#lane.close();
  }

  async #pairs(condition: string, id: string): Promise<KeptPair[]> {
    const rows = await this.#lane.ask(
      `SELECT DISTINCT ON (p.pair) p.*, epoch_us(p.time)::DOUBLE AS time_us, e.request, e.baseline_head, e.baseline_body, e.candidate_head, e.candidate_body, e.cut
      FROM pairs p LEFT JOIN examples e ON e.pair = p.pair
      WHERE p.kind = 'candidate' AND ${condition} ORDER BY p.time LIMIT ${examplesMax}`,
      { values: { id } },
      keptOf,
    );
    return Promise.all(
      rows.map(async (kept) => {
        const differences = await this.#lane.ask('SELECT * FROM differences WHERE pair = $id', { values: { id: kept.pair.id } }, differenceOf);
        return { ...kept, differences };
      }),
    );
  }
}

type Row = Record<string, unknown>;

function entryOf(row: Row, contents: boolean): RequestEntry {
  const failure = textOf(row['candidate_failure']);
  const target = String(row['target']);
  return {
    id: String(row['pair']),
    timeUs: Number(row['time_us']),
    method: String(row['method']),
    target: contents ? target : withoutQuery(target),
    endpoint: String(row['endpoint']),
    outcome: failure === null ? 'replayed' : `failed.${failure}`,
    production: numberOf(row['baseline_status']),
    candidate: numberOf(row['candidate_status']),
    compared: row['mismatch'] === true ? 'differs' : 'equal',
    client: contents ? String(row['session']) : '',
    productionMs: row['baseline_status'] === null ? null : numberOf(row['baseline_total_ms']),
    candidateMs: failure === null ? numberOf(row['candidate_total_ms']) : null,
    labels: [textOf(row['limited'])].flatMap((limited) => limited ?? []),
  };
}

function keptOf(row: Row): KeptPair {
  const request = bytesOf(row['request']);
  return {
    pair: {
      kind: 'candidate',
      id: String(row['pair']),
      timeUs: Number(row['time_us']),
      session: String(row['session']),
      method: String(row['method']),
      host: String(row['host']),
      target: String(row['target']),
      request: request ?? Buffer.alloc(0),
      probability: Number(row['probability']),
      baseline: answerOf(row, 'baseline'),
      candidate: answerOf(row, 'candidate'),
    },
    messages: request === null ? 'none' : row['cut'] === true ? 'cut' : 'whole',
    endpoint: String(row['endpoint']),
    mismatch: row['mismatch'] === true,
    differences: [],
    limited: textOf(row['limited']),
  };
}

function answerOf(row: Row, side: 'baseline' | 'candidate'): Answer {
  const [, ...lines] = (textOf(row[`${side}_head`]) ?? '').split('\n');
  return {
    status: numberOf(row[`${side}_status`]) ?? 0,
    failure: textOf(row[`${side}_failure`]) as AnswerFailure | null,
    headers: lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    body: bytesOf(row[`${side}_body`]),
    bodyBytes: Number(row[`${side}_bytes`] ?? 0),
    bodySha256: null,
    firstByteMs: numberOf(row[`${side}_first_byte_ms`]) ?? 0,
    totalMs: numberOf(row[`${side}_total_ms`]) ?? 0,
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
