import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { QueryLane } from './query-lane.ts';

let database: Database;

beforeAll(async () => {
  database = await openDatabase(':memory:', 'READ_WRITE');
});

afterAll(() => database.close());

/** Counts for a long time. */
const endless = 'SELECT count(*) FROM range(1000000000000)';
const soon = 'SELECT $x::INTEGER AS x';
const xOf = ({ x }: Record<string, unknown>): unknown => x;

function open(msMax?: number): QueryLane {
  return new QueryLane(() => database.connect(), msMax);
}

test('what takes too long is interrupted, and others go on', async () => {
  const lane = open(30);
  await expect(lane.ask(endless, {}, xOf)).rejects.toMatchObject({ code: 'DT_BUSY' });
  await lane.close();
  const other = open();
  expect(await other.ask(soon, { x: 1 }, xOf)).toEqual([1]);
  await other.close();
});

test('the line has an end', async () => {
  const lane = open();
  const asked = await Promise.allSettled(Array.from({ length: 60 }, (_, x) => lane.ask(soon, { x }, xOf)));
  const answered = asked.flatMap((each, x) => (each.status === 'fulfilled' ? [[each.value, [x]]] : []));
  for (const [found, expected] of answered) expect(found).toEqual(expected);
  expect(answered.length).toBeGreaterThan(10);
  expect(answered.length).toBeLessThan(60);
  for (const each of asked) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'DT_BUSY' });
  await lane.close();
});

test('a close ends what is asked and what waits, and nothing is asked after it', async () => {
  const lane = open();
  const asked = Promise.allSettled(Array.from({ length: 4 }, () => lane.ask(endless, {}, xOf)));
  await lane.close();
  for (const each of await asked) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'DT_BUSY' } });
  await expect(lane.ask(soon, { x: 1 }, xOf)).rejects.toMatchObject({ code: 'DT_BUSY' });
});

test('what memory cannot hold is refused as such, and a mistake of ours stays one', async () => {
  await database.connection.run("SET memory_limit = '32MB'");
  const lane = open();
  const huge = 'SELECT count(*) FROM (SELECT DISTINCT md5(x::VARCHAR) || repeat(chr(97), 500) AS t FROM range(200000) AS r(x))';
  await expect(lane.ask(huge, {}, xOf)).rejects.toMatchObject({ code: 'DT_BUSY', message: expect.stringContaining('memory') });
  await expect(lane.ask('SELECT nothing', {}, xOf)).rejects.toThrow(/nothing/);
  await lane.close();
});
