/**
 * DuckDB, loaded when a run is opened and never before: it brings 70 MB of machine code that a mirror without comparison
 * has no use for. It may neither load extensions nor, when it reads, open other files: a run may come from anywhere.
 */
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { DoubletakeError } from '../errors.ts';

export type StoreErrorCode =
  | 'DT_RUN_DUCKDB'
  | 'DT_RUN_EXISTS'
  | 'DT_RUN_IN_USE'
  | 'DT_RUN_NOT_FOUND'
  | 'DT_RUN_NOT_RECOGNISED'
  | 'DT_RUN_NO_REPORT'
  | 'DT_RUN_UNREADABLE'
  | 'DT_RUN_WRITE'
  | 'DT_REPORT_FILE';

export class StoreError extends DoubletakeError<StoreErrorCode> {
  override name = 'StoreError';
}

/** An open database and its first connection. */
export interface Database {
  connection: DuckDBConnection;
  /** One more, whose queries do not wait for those of the first. To be closed before the database is. */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** Loads DuckDB. Throws StoreError DT_RUN_DUCKDB where there is none. */
export async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new StoreError(
      'DT_RUN_DUCKDB',
      `comparisons are kept in DuckDB, which cannot be loaded on ${process.platform}-${process.arch}: ${firstLine(error)}`,
      { cause: error },
    );
  }
}

/** Opens the database in `file`. What DuckDB throws goes on as it is. */
export async function openDatabase(file: string, mode: 'READ_ONLY' | 'READ_WRITE'): Promise<Database> {
  const { DuckDBInstance: Instance } = await loadDuckDb();
  const instance: DuckDBInstance = await Instance.create(file, {
    access_mode: mode,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    memory_limit: '512MB',
    // Nothing of the traffic is to lie about in a folder for temporary files.
    temp_directory: '',
    threads: mode === 'READ_ONLY' ? '2' : '1',
  });
  let connection: DuckDBConnection | null = null;
  try {
    connection = await instance.connect();
  } finally {
    if (connection === null) instance.closeSync();
  }
  const opened = connection;
  return {
    connection: opened,
    connect: () => instance.connect(),
    close() {
      opened.closeSync();
      instance.closeSync();
    },
  };
}

/** A text as it stands in SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\'')}'`;
}

/** What DuckDB says, in one line. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
