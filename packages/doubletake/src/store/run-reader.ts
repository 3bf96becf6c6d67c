/** Reads a run that has ended, or one that was killed: DuckDB takes up what its log holds. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunReport } from '../compare/report.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { type Database, firstLine, openDatabase, quoted, StoreError } from './database.ts';
import { RunQueries } from './run-queries.ts';
import { databaseName, reportName, schemaVersion, tables } from './schema.ts';

export interface RunFacts {
  startedMs: number;
  /** Whether all that is stored was made safe; not, where that is not known. */
  sanitized: boolean;
  /** Null for a run that was killed. */
  ledger: Partial<LedgerReport> | null;
}

export class RunReader {
  readonly #path: string;
  readonly #exportFolder: string | null;
  readonly #database: Database;

  /**
   * Opens the run in a folder, or its file. Throws StoreError: DT_RUN_NOT_FOUND, DT_RUN_NOT_RECOGNISED when it is
   * something else or of another version, DT_RUN_IN_USE while another process writes it, DT_RUN_UNREADABLE.
   *
   * @param exportFolder - where `exportParquet` will write: a run may come from anywhere, and what it holds can reach no
   *   other files.
   */
  static async open(path: string, exportFolder: string | null = null): Promise<RunReader> {
    const file = fileOf(path);
    const folder = exportFolder === null ? null : resolve(exportFolder);
    let database: Database | null = null;
    try {
      database = await openDatabase(file, 'READ_ONLY');
      const { connection } = database;
      if (folder !== null) await connection.run(`SET allowed_directories = [${quoted(`${folder}/`)}]`);
      await connection.run('SET enable_external_access = false');
      const found = await connection.runAndReadAll('SELECT schema_version FROM runs LIMIT 1').catch(() => null);
      const version = Number(found?.getRowsJS()[0]?.[0]);
      if (Number.isNaN(version)) throw new StoreError('DT_RUN_NOT_RECOGNISED', `${path} is a database, but no run of doubletake`);
      if (version !== schemaVersion) {
        throw new StoreError('DT_RUN_NOT_RECOGNISED', `${path} was written by another version of doubletake, whose tables are different (${version}, not ${schemaVersion})`);
      }
      return new RunReader(path, folder, database);
    } catch (error) {
      database?.close();
      throw readError(path, error);
    }
  }

  private constructor(path: string, exportFolder: string | null, database: Database) {
    this.#path = path;
    this.#exportFolder = exportFolder;
    this.#database = database;
  }

  /** What the run says of itself. Throws StoreError DT_RUN_UNREADABLE. */
  async facts(): Promise<RunFacts> {
    try {
      // Runs of earlier versions lack some of the columns.
      const [row = {}] = (await this.#database.connection.runAndReadAll('SELECT *, epoch_ms(started) AS started_ms FROM runs LIMIT 1')).getRowObjectsJS();
      return {
        startedMs: Number(row['started_ms'] ?? 0),
        sanitized: row['sanitized'] === true,
        ledger: typeof row['ledger'] === 'string' ? (JSON.parse(row['ledger']) as Partial<LedgerReport>) : null,
      };
    } catch (error) {
      throw readError(this.#path, error);
    }
  }

  /** Queries of what is stored; to be closed before the reader is. */
  queries(): RunQueries {
    return new RunQueries(() => this.#database.connect());
  }

  /** The last report that was saved. Throws StoreError DT_RUN_NO_REPORT, DT_RUN_UNREADABLE. */
  async report(): Promise<RunReport> {
    const { connection } = this.#database;
    try {
      const rows = (await connection.runAndReadAll('SELECT report::VARCHAR FROM report LIMIT 1')).getRowsJS();
      const [text] = rows[0] ?? [];
      if (typeof text !== 'string') throw new StoreError('DT_RUN_NO_REPORT', `the run in ${this.#path} ended before it was judged`);
      return parseReport(text);
    } catch (error) {
      throw readError(this.#path, error);
    }
  }

  /** Writes each table to the folder as a Parquet file of its name, over older ones. Throws StoreError DT_REPORT_FILE. */
  async exportParquet(): Promise<void> {
    const folder = this.#exportFolder;
    if (folder === null) throw new Error('the run was opened without a folder to export to');
    try {
      mkdirSync(folder, { recursive: true });
      for (const table of Object.keys(tables)) {
        const file = quoted(join(folder, `${table}.parquet`));
        await this.#database.connection.run(`COPY ${table} TO ${file} (FORMAT parquet, COMPRESSION zstd)`);
      }
    } catch (error) {
      throw new StoreError('DT_REPORT_FILE', `${folder} cannot be written: ${firstLine(error)}`, { cause: error });
    }
  }

  close(): void {
    this.#database.close();
  }
}

/** What a run that is still being written had come to when it last said so; null when it has not yet. */
export function reportSoFar(path: string): RunReport | null {
  try {
    return parseReport(readFileSync(join(path, reportName), 'utf8'));
  } catch {
    return null;
  }
}

/** Throws where it is no report: nothing that is damaged is to pass for SAFE. */
function parseReport(text: string): RunReport {
  const report = JSON.parse(text) as Partial<RunReport> | null;
  const lists = [report?.reasons, report?.endpoints, report?.clusters, report?.rules, report?.warnings];
  const known = report?.verdict === 'SAFE' || report?.verdict === 'REGRESSION' || report?.verdict === 'INSUFFICIENT';
  if (!known || !lists.every(Array.isArray)) throw new Error('its report is damaged');
  return report as RunReport;
}

function fileOf(path: string): string {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw new StoreError('DT_RUN_NOT_FOUND', `${path}: there is no such folder; give that of --run`);
  if (!kind.isDirectory()) return path;
  const file = join(path, databaseName);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    const newest = newestRunIn(path);
    const hint = newest === null ? 'give the folder of --run' : `the newest of the runs in it is ${newest}`;
    throw new StoreError('DT_RUN_NOT_FOUND', `${path} holds no run: there is no ${databaseName} in it; ${hint}`);
  }
  return file;
}

/** Of the folders in `path` that hold runs, the one whose run was begun last; null when there is none, or none can be seen. */
function newestRunIn(path: string): string | null {
  try {
    const runs = readdirSync(path).flatMap((name) => {
      const folder = join(path, name);
      const database = statSync(join(folder, databaseName), { throwIfNoEntry: false });
      return database === undefined ? [] : [{ folder, begunMs: database.birthtimeMs }];
    });
    return runs.toSorted((a, b) => a.begunMs - b.begunMs).at(-1)?.folder ?? null;
  } catch {
    return null;
  }
}

function readError(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const said = firstLine(error);
  if (/Conflicting lock|Could not set lock/.test(said)) {
    const process = /\(PID \d+\)/.exec(said)?.[0] ?? '';
    return new StoreError('DT_RUN_IN_USE', `the run in ${path} is being written by another process ${process}`.trimEnd(), { cause: error });
  }
  if (/not a valid DuckDB database/.test(said)) return new StoreError('DT_RUN_NOT_RECOGNISED', `${path} is no run of doubletake`, { cause: error });
  return new StoreError('DT_RUN_UNREADABLE', `the run in ${path} cannot be read: ${said}`, { cause: error });
}
