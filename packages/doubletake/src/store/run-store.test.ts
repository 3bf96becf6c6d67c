import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, describe, expect, test } from 'vitest';
import { answer, difference, judgedPair } from '../../test/support/judged-pairs.ts';
import { regressionReport, reportWith, safeReport } from '../../test/support/run-reports.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { reportSoFar, RunReader } from './run-reader.ts';
import { type RunOptions, RunStore } from './run-store.ts';
import { databaseName, tables } from './schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-store-'));
let runs = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options: RunOptions = { version: '1.2.3', startedUs: 1_795_000_000_000_000, sanitized: true };

function freeFolder(): string {
  return join(folder, `run ${runs++}`);
}

/** What users see: the file in any DuckDB. */
async function query(file: string, sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(file, file === ':memory:' ? {} : { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const queryRun = (run: string, sql: string): Promise<unknown[]> => query(join(run, databaseName), sql);

describe('the store of a run', () => {
  test('gives back what was put in', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    const failed = answer({ status: 0, failure: 'timeout', body: null, bodyBytes: 0, firstByteMs: 0, totalMs: 30_000 });
    await store.append([
      judgedPair(1),
      judgedPair(2, 'c1', { differences: [difference('c1'), difference(null, { path: '$.id' })], limited: 'too_large' }),
    ]);
    const third = judgedPair(3, 'c2');
    await store.append([{ ...third, pair: { ...third.pair, probability: 0.25, candidate: failed } }]);
    await store.saveReport(regressionReport(), options.startedUs);
    await store.close(options.startedUs + 60e6);
    expect(store.counts).toEqual({ stored: 3, thinned: 0, full: 0 });

    expect(await queryRun(run, 'FROM runs')).toEqual([
      { schema_version: 1, doubletake_version: '1.2.3', started: '2026-11-18 11:06:40', ended: '2026-11-18 11:07:40', sanitized: true, ledger: null },
    ]);
    expect(await queryRun(run, 'FROM pairs ORDER BY pair OFFSET 2')).toEqual([
      {
        pair: 'dt-3', time: '2026-11-18 11:06:40.003', kind: 'candidate', endpoint: 'GET /users/{id}', session: '10.0.2.5:41234>10.0.1.2:80',
        method: 'GET', host: 'shop.test', target: '/users/3', probability: 0.25, weight: 4, mismatch: true, differences: 1, limited: null,
        baseline_status: 200, baseline_failure: null, baseline_bytes: '8', baseline_first_byte_ms: 4.25, baseline_total_ms: 5.5,
        candidate_status: null, candidate_failure: 'timeout', candidate_bytes: '0', candidate_first_byte_ms: 0, candidate_total_ms: 30_000,
      },
    ]);
    expect(await queryRun(run, 'SELECT pair, cluster, path, place, baseline, candidate FROM differences ORDER BY pair, path')).toEqual([
      { pair: 'dt-2', cluster: null, path: '$.id', place: '$.items[3].price', baseline: '12.5', candidate: '12.6' },
      { pair: 'dt-2', cluster: 'c1', path: '$.items[*].price', place: '$.items[3].price', baseline: '12.5', candidate: '12.6' },
      { pair: 'dt-3', cluster: 'c2', path: '$.items[*].price', place: '$.items[3].price', baseline: '12.5', candidate: '12.6' },
    ]);
    expect(await queryRun(run, 'SELECT cluster, pair, decode(request) AS request, baseline_head, decode(baseline_body) AS body, candidate_head, candidate_body, cut FROM examples WHERE cluster = \'c2\'')).toEqual([
      {
        cluster: 'c2', pair: 'dt-3', request: 'GET /users/3 HTTP/1.1\r\nHost: shop.test\r\n\r\n', baseline_head: '200\nContent-Type: application/json',
        body: '{"id":1}', candidate_head: 'timeout\nContent-Type: application/json', candidate_body: null, cut: false,
      },
    ]);
    expect(await queryRun(run, 'SELECT endpoint, verdict, pairs, mismatch_high, latency_ratio_p99, candidate_p99_ms, candidate_only_errors FROM endpoints WHERE verdict <> \'SAFE\' ORDER BY pairs')).toEqual([
      { endpoint: 'DELETE /carts/{id}/items/{id}', verdict: 'INSUFFICIENT', pairs: '78', mismatch_high: null, latency_ratio_p99: null, candidate_p99_ms: null, candidate_only_errors: '0' },
      { endpoint: 'POST /orders', verdict: 'REGRESSION', pairs: '1702', mismatch_high: 0.024, latency_ratio_p99: 1.84, candidate_p99_ms: 332.9, candidate_only_errors: '9' },
      { endpoint: 'GET /users/{id}', verdict: 'REGRESSION', pairs: '5012', mismatch_high: 0.0277, latency_ratio_p99: 1.04, candidate_p99_ms: 32.6, candidate_only_errors: '0' },
    ]);
    expect(await queryRun(run, 'SELECT cluster, pairs, significant, first_seen, report->>\'$.verdict\' AS verdict FROM clusters, report WHERE kind = \'status\'')).toEqual([
      { cluster: 'c2', pairs: '9', significant: true, first_seen: '2026-11-21 14:00:12.25', verdict: 'REGRESSION' },
    ]);
  });

  test('a later report takes the place of an earlier one, in the file and beside it', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    await store.saveReport(regressionReport(), options.startedUs);
    expect(reportSoFar(run)).toEqual(regressionReport());
    await store.saveReport(safeReport(), options.startedUs);
    expect(reportSoFar(run)).toEqual(safeReport());
    await store.close(options.startedUs);
    const reader = await RunReader.open(run);
    expect(await reader.report()).toEqual(safeReport());
    reader.close();
    expect(await queryRun(run, 'SELECT count(*) AS n FROM clusters')).toEqual([{ n: '0' }]);
  });

  test('pairs follow endpoints that turn out to be one', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    await store.append([judgedPair(1, null, { endpoint: 'GET /users/ada' }), judgedPair(2, null, { endpoint: 'GET /users/{id}' }), judgedPair(3, null, { endpoint: 'GET /' })]);
    await store.saveReport(safeReport(), options.startedUs, (name) => (name === 'GET /users/ada' ? 'GET /users/{id}' : name));
    await store.append([judgedPair(4)]);
    await store.close(options.startedUs);
    expect(await queryRun(run, 'SELECT endpoint, count(*) AS n FROM pairs GROUP BY ALL ORDER BY ALL')).toEqual([
      { endpoint: 'GET /', n: '1' },
      { endpoint: 'GET /users/{id}', n: '3' },
    ]);
  });

  test('the ledger stands in it, counter by counter', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    const ledger = { captured: 5, outcomes: { replayed: 3, filtered: { 'a.b': 2 } }, replay: 'running' } as unknown as LedgerReport;
    await store.saveLedger(ledger);
    await store.saveLedger(ledger);
    await store.close(options.startedUs);
    expect(await queryRun(run, 'FROM ledger ORDER BY counter')).toEqual([
      { counter: 'captured', value: 5 },
      { counter: 'outcomes.filtered.a.b', value: 2 },
      { counter: 'outcomes.replayed', value: 3 },
    ]);
  });

  test('hostile texts stay texts, and are bounded', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    const text = '\'); DROP TABLE pairs; -- \u0000\ud800\u202e"\n😀';
    const long = 'x'.repeat(1_000_000);
    const { pair } = judgedPair(1);
    await store.append([
      judgedPair(1, text, { endpoint: text, pair: { ...pair, id: text, session: long, method: text, host: text, target: long, request: Buffer.alloc(1_000_000) } }),
      { ...judgedPair(2), pair: { ...judgedPair(2).pair, timeUs: Number.NaN, baseline: answer({ firstByteMs: Number.NaN, bodyBytes: Number.POSITIVE_INFINITY }) } },
      judgedPair(3, 'many', { differences: Array.from({ length: 200 }, () => difference('many', { baseline: long })) }),
    ]);
    await store.saveReport(reportWith(text), options.startedUs);
    await store.close(options.startedUs);
    const cleaned = text.toWellFormed();
    expect(await queryRun(run, 'SELECT pair, length(session) AS session, length(target) AS target FROM pairs WHERE mismatch AND pair <> \'dt-3\'')).toEqual([
      { pair: cleaned, session: '1024', target: '2048' },
    ]);
    expect(await queryRun(run, 'SELECT octet_length(request) AS bytes, cut FROM examples WHERE cluster <> \'many\'')).toEqual([{ bytes: '65536', cut: true }]);
    expect(await queryRun(run, 'SELECT count(*) AS n, max(length(baseline)) AS length FROM differences WHERE cluster = \'many\'')).toEqual([{ n: '50', length: '1024' }]);
    const reader = await RunReader.open(run);
    expect(await reader.report()).toEqual(reportWith(text));
    reader.close();
    expect(statSync(join(run, databaseName)).size).toBeLessThan(4_000_000);
  });

  test('equal pairs are thinned out, and a full store takes no more', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, { ...options, limits: { equalPairs: 100, bytesMax: 200_000 } });
    await store.append(Array.from({ length: 2_000 }, (_, index) => judgedPair(index)));
    const { stored, thinned, full } = store.counts;
    expect([stored > 300 && stored < 700, stored + thinned, full]).toEqual([true, 2_000, 0]);
    await store.append(Array.from({ length: 2_000 }, (_, index) => judgedPair(index, `cluster ${index}`)));
    expect(store.counts.full).toBeGreaterThan(500);
    await store.close(options.startedUs);
    const [row] = (await queryRun(run, 'SELECT count(*)::INTEGER AS n, sum(weight) AS stands_for FROM pairs WHERE NOT mismatch')) as { n: number; stands_for: number }[];
    expect(row?.n).toBe(stored);
    expect(row?.stands_for).toBeGreaterThan(1_500);
    expect(row?.stands_for).toBeLessThan(2_500);
  });

  test('examples are few', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    await store.append(Array.from({ length: 20 }, (_, index) => judgedPair(index, 'c')));
    await store.close(options.startedUs);
    expect(await queryRun(run, 'SELECT count(*) AS n FROM examples')).toEqual([{ n: '3' }]);
  });

  test('what is asked for at the same time happens one after the other', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    await Promise.all([
      ...Array.from({ length: 10 }, (_, batch) => store.append([judgedPair(batch)])),
      store.saveReport(safeReport(), options.startedUs),
      store.checkpoint(),
      store.close(options.startedUs),
    ]);
    expect(await queryRun(run, 'SELECT count(*) AS n FROM pairs')).toEqual([{ n: '10' }]);
    await expect(store.append([])).rejects.toThrow('closed');
  });

  test('writes every table as Parquet, and nothing else', async () => {
    const run = freeFolder();
    const store = await RunStore.create(run, options);
    await store.append([judgedPair(1), judgedPair(2, 'c1')]);
    await store.saveReport(regressionReport(), options.startedUs);
    await store.close(options.startedUs);
    const parquet = join(freeFolder(), 'it\'s parquet');
    const reader = await RunReader.open(run, parquet);
    await reader.exportParquet();
    await reader.exportParquet();
    reader.close();
    for (const table of Object.keys(tables)) expect(existsSync(join(parquet, `${table}.parquet`))).toBe(true);
    const pairs = `'${join(parquet, 'pairs.parquet').replaceAll('\'', '\'\'')}'`;
    expect(await query(':memory:', `SELECT pair, time, mismatch FROM ${pairs} ORDER BY pair`)).toEqual([
      { pair: 'dt-1', time: '2026-11-18 11:06:40.001', mismatch: false },
      { pair: 'dt-2', time: '2026-11-18 11:06:40.002', mismatch: true },
    ]);
    writeFileSync(join(folder, 'a file'), '');
    const blocked = await RunReader.open(run, join(folder, 'a file', 'below'));
    await expect(blocked.exportParquet()).rejects.toMatchObject({ code: 'DT_REPORT_FILE' });
    blocked.close();
  });
});

/** Appends batches of 100 pairs in another process, saying how many are safe after each; until it is killed. */
const writer = `
  import { RunStore } from ${JSON.stringify(new URL('run-store.ts', import.meta.url).href)};
  import { judgedPair } from ${JSON.stringify(new URL('../../test/support/judged-pairs.ts', import.meta.url).href)};
  const store = await RunStore.create(process.argv[1], { version: '1', startedUs: 0, sanitized: true });
  for (let batch = 0; batch < 100_000; batch++) {
    await store.append(Array.from({ length: 100 }, (_, index) => judgedPair(batch * 100 + index, 'c' + batch)));
    if (batch === 20) await store.checkpoint();
    process.stdout.write(String((batch + 1) * 100) + '\\n');
  }
`;

/** Starts it; resolves once `pairs` of them are safe. `kill` resolves with how many it had said are. */
async function startWriter(run: string, pairs: number): Promise<{ pid: number; kill: () => Promise<number> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, run], { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) });
  let said = '';
  const done = (): number => Number(said.trimEnd().split('\n').at(-1));
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error('the writer ended')));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = said.slice(-100) + text;
      if (done() >= pairs) resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    kill: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve(done()));
        child.kill('SIGKILL');
      }),
  };
}

describe('when things go wrong', () => {
  test('kill -9 while batches are appended loses none of those that were said to be safe, and halves none', async () => {
    const run = freeFolder();
    const { kill } = await startWriter(run, 4_000);
    const safe = await kill();
    const [row] = (await queryRun(run, 'SELECT count(*)::INTEGER AS n, (SELECT count(*)::INTEGER FROM differences) AS m FROM pairs')) as { n: number; m: number }[];
    expect(row?.n).toBeGreaterThanOrEqual(safe);
    expect((row?.n ?? 0) % 100).toBe(0);
    expect(row?.m).toBe(row?.n);
    const reader = await RunReader.open(run);
    await expect(reader.report()).rejects.toMatchObject({ code: 'DT_RUN_NO_REPORT' });
    reader.close();
  });

  test('a run that is being written says so, and by whom', async () => {
    const run = freeFolder();
    const { pid, kill } = await startWriter(run, 100);
    await expect(RunReader.open(run)).rejects.toMatchObject({ code: 'DT_RUN_IN_USE', message: `the run in ${run} is being written by another process (PID ${pid})` });
    await kill();
  });

  test('a run is never written over', async () => {
    const run = freeFolder();
    await (await RunStore.create(run, options)).close(0);
    await expect(RunStore.create(run, options)).rejects.toMatchObject({ code: 'DT_RUN_EXISTS' });
  });

  test('a folder that cannot be made is said', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(RunStore.create(join(folder, 'file', 'run'), options)).rejects.toMatchObject({ code: 'DT_RUN_WRITE', message: expect.not.stringContaining('\n') as string });
  });

  test.each<[string, string, (run: string) => unknown]>([
    ['DT_RUN_NOT_FOUND', 'nothing', () => {}],
    ['DT_RUN_NOT_FOUND', 'an empty folder', (run) => mkdirSync(run)],
    ['DT_RUN_NOT_RECOGNISED', 'text', (run) => writeFileSync(run, 'no database at all'.repeat(1_000))],
    ['DT_RUN_NOT_RECOGNISED', 'an empty file', (run) => writeFileSync(run, '')],
    ['DT_RUN_NOT_RECOGNISED', 'another database', (run) => madeWith(run, 'CREATE TABLE a (b INTEGER)')],
    ['DT_RUN_NOT_RECOGNISED', 'a run of another version', (run) => madeWith(run, 'CREATE TABLE runs AS SELECT 99 AS schema_version')],
    ['DT_RUN_UNREADABLE', 'a damaged run', async (run) => {
      await madeWith(run, 'CREATE TABLE runs AS SELECT range AS schema_version FROM range(100000)');
      const bytes = readFileSync(run);
      writeFileSync(run, bytes.fill(0x55, 4_096 * 3, 4_096 * 40));
    }],
  ])('%s for %s', async (code, _, make) => {
    const run = freeFolder();
    await make(run);
    await expect(RunReader.open(run)).rejects.toMatchObject({ code, message: expect.stringMatching(/^.*run \d+.*$/) as string });
  });

  test.each(['{}', 'null', '"SAFE"', '{"verdict":"SAFE"}', '{"verdict":"FINE","reasons":[],"endpoints":[],"clusters":[],"rules":[],"warnings":[]}', '{'])('a report that is none does not pass for SAFE: %s', async (text) => {
    const run = freeFolder();
    await madeWith(run, `CREATE TABLE runs AS SELECT 1 AS schema_version; CREATE TABLE report AS SELECT '${text}' AS report`);
    const reader = await RunReader.open(run);
    await expect(reader.report()).rejects.toMatchObject({ code: 'DT_RUN_UNREADABLE' });
    reader.close();
  });

  test('a run that somebody made up reaches no other file', async () => {
    const run = freeFolder();
    const secret = join(folder, 'secret');
    writeFileSync(secret, '{"verdict":"SAFE"}');
    await madeWith(run, `CREATE TABLE runs AS SELECT 1 AS schema_version; CREATE VIEW report AS SELECT content AS report FROM read_text('${secret}')`);
    const reader = await RunReader.open(run);
    await expect(reader.report()).rejects.toMatchObject({ code: 'DT_RUN_UNREADABLE', message: expect.stringContaining('disabled by configuration') as string });
    reader.close();
  });

  test.skipIf(process.getuid?.() !== 0)('a full disk is one clear error, and what was stored stays', async () => {
    const disk = freeFolder();
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    try {
      const store = await RunStore.create(disk, options);
      let safe = 0;
      const fill = async (): Promise<void> => {
        for (;;) {
          const body = Buffer.from(Array.from({ length: 4_000 }, () => Math.random()).join());
          await store.append(Array.from({ length: 10 }, (_, index) => {
            const judged = judgedPair(safe + index, `c${safe + index}`);
            return { ...judged, pair: { ...judged.pair, request: body } };
          }));
          safe += 10;
        }
      };
      await expect(fill()).rejects.toMatchObject({ code: 'DT_RUN_WRITE', message: `the run in ${disk} cannot be written: the disk is full` });
      await store.close(0).catch(() => {});
      expect(safe).toBeGreaterThan(0);
      expect(await queryRun(disk, 'SELECT count(*)::INTEGER AS n FROM pairs')).toEqual([{ n: safe }]);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});

async function madeWith(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

const page = readFileSync(new URL('../../../../docs/run-store.md', import.meta.url), 'utf8');

test('docs/run-store.md describes every table and column, in order', async () => {
  const described = [...page.matchAll(/^(?:## `(\w+)`|\| `(\w+)` \| (\w+) \|)/gm)].map(([, table, column, type]) => table ?? `${column} ${type}`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const there: string[] = [];
  for (const [table, columns] of Object.entries(tables)) {
    await connection.run(`CREATE TABLE ${table} (${columns})`);
    const rows = (await connection.runAndReadAll(`SELECT name || ' ' || type FROM pragma_table_info('${table}')`)).getRowsJS();
    there.push(table, ...rows.flat().filter((column) => typeof column === 'string'));
  }
  connection.closeSync();
  instance.closeSync();
  expect(described).toEqual(there);
});

test('the queries in docs/run-store.md work', async () => {
  const run = freeFolder();
  const store = await RunStore.create(run, options);
  await store.append([judgedPair(1), judgedPair(2, 'c1')]);
  await store.close(options.startedUs);
  const queries = Array.from(page.matchAll(/^```sql\n([^]*?)^```$/gm), ([, text = '']) => text.split(';').filter((sql) => sql.trim() !== '')).flat();
  expect(queries.length).toBeGreaterThan(2);
  const results = [];
  for (const sql of queries) results.push(await queryRun(run, sql));
  expect(results).toEqual([
    [{ hour: '2026-11-18 11:00:00', endpoint: 'GET /users/{id}', share: 0.5 }],
    [],
    [{ baseline: '12.5', candidate: '12.6', requests: 1 }],
  ]);
});
