/**
 * The store of a run: one DuckDB file, which one thread owns while the run goes on, beside it the report so far.
 *
 * A batch is one transaction, on the disk when `append` is done: after a kill -9 the file holds whole batches, and DuckDB
 * puts it in order when it is next opened. What is kept is bounded: equal pairs and pairs of well-known clusters are
 * thinned out (retention.ts), examples are few and cut, and beyond `bytesMax` no more pairs are stored, which is counted.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBTimestampValue } from '@duckdb/node-api';
import { jsonReport } from '../compare/report-text/json.ts';
import type { RunReport } from '../compare/report.ts';
import type { CountTree, LedgerReport } from '../ledger/report.ts';
import { type Database, firstLine, loadDuckDb, openDatabase, StoreError } from './database.ts';
import { clusterRow, endpointRow } from './report-rows.ts';
import { RunQueries } from './run-queries.ts';
import { Retention, type RetentionLimits } from './retention.ts';
import { boundedText, differenceRow, exampleRow, type JudgedPair, pairRow, RowWriter, whole } from './rows.ts';
import { databaseName, reportName, schemaVersion, type Table, tables } from './schema.ts';

export interface StoreLimits extends RetentionLimits {
  /** Of each pair; `pairs.differences` has the whole number. */
  differencesPerPair: number;
  examplesPerCluster: number;
  /** Of each body of an example. */
  exampleBytesMax: number;
  /** Of all pairs, differences and examples, before compression. */
  bytesMax: number;
}

export const defaultLimits: StoreLimits = {
  equalPairs: 100_000,
  pairsPerCluster: 1_000,
  clustersMax: 10_000,
  differencesPerPair: 50,
  examplesPerCluster: 3,
  exampleBytesMax: 65_536,
  bytesMax: 2 * 1_024 ** 3,
};

export interface RunOptions {
  /** Of doubletake. */
  version: string;
  /** Microseconds since the epoch. */
  startedUs: number;
  /** Whether what is stored was made safe (policy.sanitize). */
  sanitized: boolean;
  limits?: Partial<StoreLimits>;
}

/** Pairs by what became of them: stored, left out because enough like them are, left out because the store is full. */
export interface StoreCounts {
  stored: number;
  thinned: number;
  full: number;
}

export class RunStore {
  /** Of all pairs that were appended. */
  readonly counts: StoreCounts = { stored: 0, thinned: 0, full: 0 };
  readonly #folder: string;
  readonly #database: Database;
  readonly #writers: Map<string, RowWriter>;
  readonly #timestamp: (timeUs: number) => DuckDBTimestampValue;
  readonly #limits: StoreLimits;
  readonly #retention: Retention;
  readonly #examples = new Map<string, number>();
  /** Transactions do not overlap. */
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Makes a run in `folder`, which is made when it is not there, for its owner alone. Throws StoreError: DT_RUN_EXISTS
   * when a run is there already, DT_RUN_WRITE when it cannot be written, DT_RUN_DUCKDB without DuckDB.
   */
  static async create(folder: string, options: RunOptions): Promise<RunStore> {
    const file = join(folder, databaseName);
    if (existsSync(file)) {
      throw new StoreError('DT_RUN_EXISTS', `${folder} holds a run already; give another folder, such as ${folder}/{{time}}, or move that one away`);
    }
    const { DuckDBTimestampValue: Timestamp } = await loadDuckDb();
    let database: Database | null = null;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      database = await openDatabase(file, 'READ_WRITE');
      const writers = new Map<string, RowWriter>();
      for (const [table, columns] of Object.entries(tables)) {
        await database.connection.run(`CREATE TABLE ${table} (${columns})`);
        writers.set(table, new RowWriter(await database.connection.createAppender(table)));
      }
      const store = new RunStore(folder, database, writers, (timeUs) => new Timestamp(whole(timeUs)), options);
      await store.#transaction(() => {
        store.#writer('runs').write([BigInt(schemaVersion), options.version, store.#timestamp(options.startedUs), null, options.sanitized, null]);
      });
      return store;
    } catch (error) {
      database?.close();
      throw writeError(folder, error);
    }
  }

  private constructor(
    folder: string,
    database: Database,
    writers: Map<string, RowWriter>,
    timestamp: (timeUs: number) => DuckDBTimestampValue,
    { limits }: RunOptions,
  ) {
    this.#folder = folder;
    this.#database = database;
    this.#writers = writers;
    this.#timestamp = timestamp;
    this.#limits = { ...defaultLimits, ...limits };
    this.#retention = new Retention(this.#limits);
  }

  /** Queries of what is stored, beside the appending; to be closed before the store is. */
  queries(): RunQueries {
    return new RunQueries(() => this.#database.connect());
  }

  /** Stores what is to be kept of a batch. Throws StoreError DT_RUN_WRITE; then nothing of the batch is stored. */
  append(batch: readonly JudgedPair[]): Promise<void> {
    return this.#transaction(() => {
      for (const judged of batch) this.#appendPair(judged);
    });
  }

  /**
   * Writes what the run has come to, in place of what it had come to before. Throws as `append`.
   *
   * @param currentEndpoint - the present name of an endpoint that had another when its pairs were stored.
   */
  async saveReport(report: RunReport, nowUs: number, currentEndpoint = (name: string) => name): Promise<void> {
    const text = jsonReport(report);
    await this.#transaction(async () => {
      await this.#renameEndpoints(currentEndpoint);
      for (const table of ['endpoints', 'clusters', 'report']) await this.#database.connection.run(`DELETE FROM ${table}`);
      for (const endpoint of report.endpoints) this.#writer('endpoints').write(endpointRow(endpoint));
      for (const cluster of report.clusters) {
        this.#writer('clusters').write(clusterRow(cluster, this.#timestamp(Date.parse(cluster.firstSeen) * 1_000)));
      }
      this.#writer('report').write([this.#timestamp(nowUs), text]);
    });
    try {
      const file = join(this.#folder, reportName);
      // Readers see the one or the other, never half of it.
      writeFileSync(`${file}.part`, text, { mode: 0o600 });
      renameSync(`${file}.part`, file);
    } catch (error) {
      throw writeError(this.#folder, error);
    }
  }

  /** Writes the ledger and its counters, in place of those before. Throws as `append`. */
  saveLedger(ledger: LedgerReport): Promise<void> {
    return this.#transaction(async () => {
      await this.#database.connection.run('DELETE FROM ledger');
      for (const [counter, value] of counters(ledger as unknown as CountTree)) this.#writer('ledger').write([counter, value]);
      await this.#database.connection.run('UPDATE runs SET ledger = $1', [JSON.stringify(ledger)]);
    });
  }

  /** Notes that what comes from now on was not made safe. Throws as `append`. */
  noteUnsanitized(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#database.connection.run('UPDATE runs SET sanitized = false');
    });
  }

  /** Moves what was appended from DuckDB's log into the file, which makes both small. Throws as `append`. */
  checkpoint(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#database.connection.run('CHECKPOINT');
    });
  }

  /** Notes the end and closes the file. What was appended is safe, even where the note finds no room. */
  async close(endedUs: number): Promise<void> {
    if (this.#closed) return;
    const note = this.#exclusive(async () => {
      await this.#database.connection.run('UPDATE runs SET ended = make_timestamp($1::BIGINT)', [whole(endedUs)]);
    });
    this.#closed = true;
    try {
      await note;
    } finally {
      for (const writer of this.#writers.values()) writer.close();
      this.#database.close();
    }
  }

  async #renameEndpoints(currentEndpoint: (name: string) => string): Promise<void> {
    const { connection } = this.#database;
    const rows = (await connection.runAndReadAll('SELECT DISTINCT endpoint FROM pairs')).getRowsJS();
    for (const [name] of rows) {
      if (typeof name !== 'string') continue;
      const current = boundedText(currentEndpoint(name));
      if (current !== name) await connection.run('UPDATE pairs SET endpoint = $1 WHERE endpoint = $2', [current, name]);
    }
  }

  #appendPair(judged: JudgedPair): void {
    const { pair, differences } = judged;
    if (this.#bytes() >= this.#limits.bytesMax) {
      this.counts.full++;
      return;
    }
    const clusters = [...new Set(differences.flatMap(({ cluster }) => cluster ?? []))];
    const weight = this.#retention.weigh(pair.id, differences.length > 0, clusters);
    if (weight === null) {
      this.counts.thinned++;
      return;
    }
    this.counts.stored++;
    this.#writer('pairs').write(pairRow(judged, weight, this.#timestamp(pair.timeUs)));
    for (const difference of differences.slice(0, this.#limits.differencesPerPair)) {
      this.#writer('differences').write(differenceRow(pair.id, difference));
    }
    // What one version answered to itself shows no difference between two.
    if (judged.pair.kind === 'candidate') for (const cluster of clusters) this.#appendExample(cluster, judged);
  }

  #appendExample(cluster: string, { pair }: JudgedPair): void {
    const kept = this.#examples.get(cluster) ?? 0;
    if (kept >= this.#limits.examplesPerCluster || (kept === 0 && this.#examples.size >= this.#limits.clustersMax)) return;
    this.#examples.set(cluster, kept + 1);
    this.#writer('examples').write(exampleRow(cluster, pair, this.#limits.exampleBytesMax));
  }

  #bytes(): number {
    return this.#writer('pairs').bytes + this.#writer('differences').bytes + this.#writer('examples').bytes;
  }

  #writer(table: Table): RowWriter {
    const writer = this.#writers.get(table);
    if (writer === undefined) throw new Error(`there is no table ${table}`);
    return writer;
  }

  #transaction(write: () => void | Promise<void>): Promise<void> {
    return this.#exclusive(async () => {
      const { connection } = this.#database;
      await connection.run('BEGIN');
      try {
        await write();
        for (const writer of this.#writers.values()) writer.flush();
        await connection.run('COMMIT');
      } catch (error) {
        for (const writer of this.#writers.values()) writer.discard();
        // A commit that failed has ended the transaction itself.
        await connection.run('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  #exclusive(work: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the run is closed'));
    const done = this.#last.then(async () => {
      try {
        await work();
      } catch (error) {
        throw writeError(this.#folder, error);
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }
}

/** Every number of a tree with its path: `outcomes.filtered.health`. */
function* counters(tree: CountTree, place = ''): Generator<[string, number]> {
  for (const [name, branch] of Object.entries(tree)) {
    const path = place === '' ? name : `${place}.${name}`;
    if (typeof branch === 'number') yield [path, branch];
    else if (typeof branch === 'object' && branch !== null) yield* counters(branch, path);
  }
}

function writeError(folder: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const said = firstLine(error);
  const reason = /No space left on device|ENOSPC/.test(said) ? 'the disk is full' : said;
  return new StoreError('DT_RUN_WRITE', `the run in ${folder} cannot be written: ${reason}`, { cause: error });
}
