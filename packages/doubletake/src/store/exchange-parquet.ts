/**
 * Exchanges as a Parquet file, which DuckDB, Athena, Spark and others read (docs/recording.md describes the columns; a
 * test compares). They go through a database file beside it, so that memory stays bounded; it is removed in the end.
 */
import { rmSync } from 'node:fs';
import { firstLine, loadDuckDb, openDatabase, quoted, StoreError } from './database.ts';
import { boundedText, RowWriter, whole } from './rows.ts';

export const exchangeColumns = `
  connection VARCHAR, position INTEGER, time TIMESTAMP, method VARCHAR, host VARCHAR, target VARCHAR, version VARCHAR,
  request_headers VARCHAR, request_body BLOB, request_body_bytes BIGINT, request_outcome VARCHAR, status INTEGER,
  response_headers VARCHAR, response_body BLOB, response_body_bytes BIGINT, response_outcome VARCHAR,
  first_byte_ms DOUBLE, total_ms DOUBLE, tunnel BIGINT, fidelity VARCHAR, probability DOUBLE`;

export interface ExchangeRow {
  connection: string;
  index: number;
  /** Microseconds since the epoch. */
  timeUs: number;
  method: string;
  host: string;
  target: string;
  version: string;
  request: MessageCells;
  /** Null when none was seen. */
  response: (MessageCells & { status: number }) | null;
  /** From the request's last byte to the response's first and last, milliseconds; null without a response. */
  firstByteMs: number | null;
  totalMs: number | null;
  tunnel: number;
  /** Names of `Fidelity`, with commas between them; empty for an exchange that is whole. */
  fidelity: string;
  probability: number;
}

export interface MessageCells {
  /** Names and values, in order. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Content without its transfer coding; null where it was not recorded. */
  body: Buffer | null;
  bodyBytes: number;
  outcome: string;
}

const targetCharsMax = 65_536;
const headerCharsMax = 1_048_576;
/** Rows are handed to the database after so many bytes. */
const flushBytesMax = 16_777_216;

/** Writes `file`, over an older one, and returns the number of rows. Throws StoreError DT_REPORT_FILE, DT_RUN_DUCKDB. */
export async function writeExchangeParquet(file: string, rows: AsyncIterable<ExchangeRow>): Promise<number> {
  const { DuckDBTimestampValue: Timestamp } = await loadDuckDb();
  const scratch = `${file}.${process.pid}.part`;
  let written = 0;
  try {
    const database = await openDatabase(scratch, 'READ_WRITE');
    try {
      await database.connection.run(`CREATE TABLE exchanges (${exchangeColumns})`);
      const writer = new RowWriter(await database.connection.createAppender('exchanges'));
      let flushedBytes = 0;
      for await (const row of rows) {
        writer.write(cellsOf(row, new Timestamp(whole(row.timeUs))));
        written++;
        if (writer.bytes - flushedBytes < flushBytesMax) continue;
        writer.flush();
        flushedBytes = writer.bytes;
      }
      writer.flush();
      writer.close();
      await database.connection.run(`COPY exchanges TO ${quoted(file)} (FORMAT parquet, COMPRESSION zstd)`);
    } finally {
      database.close();
    }
    return written;
  } catch (error) {
    if (!(error instanceof Error) || error instanceof StoreError || 'code' in error) throw error;
    throw new StoreError('DT_REPORT_FILE', `${file} cannot be written: ${firstLine(error)}`, { cause: error });
  } finally {
    for (const left of [scratch, `${scratch}.wal`]) rmSync(left, { force: true });
  }
}

function cellsOf(row: ExchangeRow, time: Parameters<RowWriter['write']>[0][number]): Parameters<RowWriter['write']>[0] {
  const { request, response } = row;
  return [
    row.connection,
    row.index,
    time,
    boundedText(row.method),
    boundedText(row.host),
    boundedText(row.target, targetCharsMax),
    boundedText(row.version),
    ...messageCells(request),
    response?.status ?? null,
    ...(response === null ? [null, null, null, null] : messageCells(response)),
    row.firstByteMs,
    row.totalMs,
    whole(row.tunnel),
    row.fidelity,
    row.probability,
  ];
}

function messageCells({ headers, body, bodyBytes, outcome }: MessageCells): Parameters<RowWriter['write']>[0] {
  return [boundedText(JSON.stringify(headers), headerCharsMax), body, whole(bodyBytes), outcome];
}
