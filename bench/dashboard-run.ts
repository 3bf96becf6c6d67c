/**
 * `npm run bench:run`: how long the dashboard's questions to a large run take: 1,000 endpoints, 10,000 clusters,
 * 1,000,000 stored pairs. Each is asked of a run that has ended, and of one that is being written meanwhile.
 *
 * `-- --keep DIR` only writes such a run to a new folder, to be looked at with `doubletake report DIR --dashboard`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeLargeRun } from '../packages/doubletake/test/support/large-run.ts';
import { RuleReach } from '../packages/doubletake/src/compare/rules/rule-reach.ts';
import { openDatabase } from '../packages/doubletake/src/store/database.ts';
import { RunReader } from '../packages/doubletake/src/store/run-reader.ts';
import { RunQueries } from '../packages/doubletake/src/store/run-queries.ts';
import { databaseName } from '../packages/doubletake/src/store/schema.ts';
import { percentile } from './measure.ts';

const size = { pairs: 1_000_000, endpoints: 1_000, clusters: 10_000 };
const times = 7;
const page = { limit: 101, contents: true };

const questions: Readonly<Record<string, (queries: RunQueries) => Promise<unknown>>> = {
  'first page of requests': (queries) => queries.requests(page),
  'page in the middle': (queries) => queries.requests({ ...page, before: { timeUs: 1_795_000_500_000_000, id: 'dt-500000' } }),
  'by path': (queries) => queries.requests({ ...page, path: '/things7/99' }),
  'by glob': (queries) => queries.requests({ ...page, path: '/things7*/*page=7' }),
  'by status': (queries) => queries.requests({ ...page, status: '5xx' }),
  'those that differ': (queries) => queries.requests({ ...page, outcome: 'differs' }),
  'by a rare text': (queries) => queries.requests({ ...page, text: '812.75' }),
  'by a text in everything': (queries) => queries.requests({ ...page, text: '5' }),
  'by a text in nothing': (queries) => queries.requests({ ...page, text: 'nowhere' }),
  'one request': (queries) => queries.pair('dt-500000'),
  'one difference': (queries) => queries.cluster('c77', 'dt-308'),
  'preview of a rule at one place': (queries) => queries.preview(new RuleReach({ name: 'r', path: '$.items[*].field0_3', ignore: true })),
  'preview of a rule at all places': (queries) => queries.preview(new RuleReach({ name: 'r', path: '**', ignore: true })),
  'preview of a tolerance': (queries) => queries.preview(new RuleReach({ name: 'r', path: '$.items[*].*', tolerance: { relative: 0.01 } })),
};

async function measure(title: string, queries: RunQueries): Promise<void> {
  process.stdout.write(`\n${title.padEnd(36)} median ms   worst\n`);
  for (const [name, ask] of Object.entries(questions)) {
    const took = new Float64Array(times);
    for (let time = 0; time < times; time++) {
      const startMs = performance.now();
      await ask(queries);
      took[time] = performance.now() - startMs;
    }
    took.sort();
    process.stdout.write(`${name.padEnd(36)} ${percentile(took, 0.5).toFixed(0).padStart(9)} ${(took.at(-1) ?? 0).toFixed(0).padStart(7)}\n`);
  }
}

const { values } = parseArgs({ options: { keep: { type: 'string' } } });
if (values.keep !== undefined) {
  await writeLargeRun(values.keep, size);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-'));
  try {
    process.stdout.write(`load average ${loadavg()[0]?.toFixed(1)}\n`);
    await writeLargeRun(join(folder, 'run'), size);
    const reader = await RunReader.open(join(folder, 'run'));
    const ended = reader.queries();
    await measure('a run that has ended', ended);
    await ended.close();
    reader.close();

    const database = await openDatabase(join(folder, 'run', databaseName), 'READ_WRITE');
    const live = new RunQueries(() => database.connect());
    let batches = 0;
    let writing = true;
    const writer = (async () => {
      for (; writing; batches++) await database.connection.run('INSERT INTO pairs SELECT * FROM pairs LIMIT 64');
    })();
    await measure('a run that is being written', live);
    writing = false;
    await writer;
    process.stdout.write(`\n${batches} batches of 64 pairs were written meanwhile\n`);
    await live.close();
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
