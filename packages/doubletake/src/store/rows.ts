/** Rows of the tables, written through DuckDB's appender; each function counts the bytes of text it wrote. */
import type { DuckDBAppender, DuckDBTimestampValue } from '@duckdb/node-api';
import type { ClusteredDifference } from '../compare/difference.ts';
import type { Answer, Pair } from '../compare/pair.ts';

/** A pair with what the analysis made of it when it came. */
export interface JudgedPair {
  pair: Pair;
  endpoint: string;
  mismatch: boolean;
  /** Beyond noise and rules. */
  differences: readonly ClusteredDifference[];
  /** What kept the bodies from being compared in full; null for nothing. */
  limited: string | null;
}

type Cell = string | number | bigint | boolean | Uint8Array | DuckDBTimestampValue | null;

/** What a row costs beside its texts, roughly. */
const rowBytes = 64;
const targetLengthMax = 2_048;
const textLengthMax = 1_024;

/** Writes rows to one table. */
export class RowWriter {
  readonly #appender: DuckDBAppender;
  /** Bytes written so far, before compression. */
  bytes = 0;

  constructor(appender: DuckDBAppender) {
    this.#appender = appender;
  }

  /** A whole row, in the order of the columns. Half surrogate pairs become U+FFFD. */
  write(cells: readonly Cell[]): void {
    const appender = this.#appender;
    this.bytes += rowBytes;
    for (const cell of cells) {
      if (cell === null) appender.appendNull();
      else if (typeof cell === 'string') {
        this.bytes += cell.length;
        appender.appendVarchar(cell);
      } else if (typeof cell === 'number') appender.appendDouble(cell);
      else if (typeof cell === 'bigint') appender.appendBigInt(cell);
      else if (typeof cell === 'boolean') appender.appendBoolean(cell);
      else if (cell instanceof Uint8Array) {
        this.bytes += cell.length;
        appender.appendBlob(cell);
      } else appender.appendTimestamp(cell);
    }
    appender.endRow();
  }

  /** Hands the rows to the transaction. */
  flush(): void {
    this.#appender.flushSync();
  }

  /** Forgets the rows that were not handed over. */
  discard(): void {
    this.#appender.clear();
  }

  close(): void {
    this.#appender.closeSync();
  }
}

export function pairRow({ pair, endpoint, mismatch, differences, limited }: JudgedPair, weight: number, time: DuckDBTimestampValue): Cell[] {
  return [
    boundedText(pair.id),
    time,
    pair.kind,
    boundedText(endpoint),
    boundedText(pair.session),
    boundedText(pair.method),
    boundedText(pair.host),
    boundedText(pair.target, targetLengthMax),
    pair.probability,
    weight / pair.probability,
    mismatch,
    differences.length,
    limited,
    ...answerCells(pair.baseline),
    ...answerCells(pair.candidate),
  ];
}

function answerCells({ status, failure, bodyBytes, firstByteMs, totalMs }: Answer): Cell[] {
  return [status === 0 ? null : status, failure, whole(bodyBytes), firstByteMs, totalMs];
}

export function differenceRow(pair: string, difference: ClusteredDifference): Cell[] {
  const { cluster, kind, path, place, baseline, candidate, baselineType, candidateType } = difference;
  const texts = [path, place, baseline, candidate, baselineType, candidateType];
  return [boundedText(pair), cluster, kind, ...texts.map((text) => (text === null ? null : boundedText(text)))];
}

/** Bodies in the content coding in which they came; at most `bytesMax` of each, and whether something was cut. */
export function exampleRow(cluster: string, { id, request, baseline, candidate }: Pair, bytesMax: number): Cell[] {
  const bodies = [request, baseline.body, candidate.body];
  const [requestBytes, baselineBody, candidateBody] = bodies.map((body) => (body === null ? null : body.subarray(0, bytesMax)));
  const cut = [request.length, baseline.bodyBytes, candidate.bodyBytes].some((bytes) => bytes > bytesMax) || bodies.some((body) => body !== null && body.length > bytesMax);
  return [
    cluster,
    boundedText(id),
    requestBytes ?? null,
    headOf(baseline, bytesMax),
    baselineBody ?? null,
    headOf(candidate, bytesMax),
    candidateBody ?? null,
    cut,
  ];
}

function headOf({ status, failure, headers }: Answer, lengthMax: number): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return boundedText([failure ?? String(status), ...lines].join('\n'), lengthMax);
}

/** As texts stand in the tables. */
export function boundedText(text: string, lengthMax = textLengthMax): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

/** For a column of whole numbers. */
export function whole(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}
