import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { planted } from '../src/demo/shop-answers.ts';
import { reportSoFar } from '../src/store/run-reader.ts';
import { eventually, program, runCli } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-demo-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A demo that goes on until it is told to stop, with what it says as it comes. */
function startDemo(...flags: string[]) {
  const child = spawn(process.execPath, [program, 'demo', '--dashboard', '0', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (more: string) => (said.out += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (said.errors += more));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, said, ended };
}

test('doubletake demo finds the three faults within a minute and nothing else, and ends in good order on a signal', async () => {
  const run = join(folder, 'run');
  const { child, said, ended } = startDemo('--run', run);
  try {
    const text = await eventually('the three faults', () => (planted.every(({ endpoint, path }) => said.out.includes(`✗ ${endpoint} ${path}: `)) ? said.out : null), 60_000);
    const [, dashboard = ''] = /dashboard +(\S+)/.exec(text) ?? [];
    const read = async (path: string): Promise<string> => (await fetch(dashboard + path)).text();
    // It asks the comparison every few seconds.
    await expect.poll(() => read('metrics'), { timeout: 15_000 }).toContain('doubletake_verdict{verdict="REGRESSION"} 1\n');
    expect(JSON.parse(await read('api/overview'))).toMatchObject({ comparison: { verdict: 'REGRESSION' }, problem: null });
  } finally {
    child.kill('SIGINT');
  }
  expect([await ended, said.errors]).toEqual([0, '']);
  const text = said.out;
  expect(text).toBe(stripVTControlCharacters(text));
  expect(text).toContain('Every request has exactly one outcome; the sums add up.');
  expect(text).toContain('3 of 3 faults of the next version were found:');
  expect(text).toContain('What is no fault was taken for none:');
  expect(text).toMatch(/The mirror saw every one of them: \d+ were replayed/);

  const report = reportSoFar(run);
  const significant = report?.clusters.filter((cluster) => cluster.significant).map(({ endpoint, path }) => `${endpoint} ${path}`);
  expect(significant?.toSorted()).toEqual(planted.map(({ endpoint, path }) => `${endpoint} ${path}`).toSorted());
  // Personal data of the shoppers went nowhere.
  expect(JSON.stringify(report)).not.toMatch(/mail\.example\.org|hunter\d|4111111111111111|Lovelace/);
  expect(readFileSync(join(run, 'mirror.yaml'), 'utf8')).toContain('presets: [auth, pii, payment]');
  expect(existsSync(join(run, 'ledger.json'))).toBe(false);
}, 90_000);

test('--for ends it by itself with the report, a taken folder is refused before anything is shown', async () => {
  const run = join(folder, 'short');
  const { code, stdout, stderr } = await runCli(['demo', '--for', '1s', '--dashboard', '0', '--run', run]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('Every request has exactly one outcome; the sums add up.');
  expect(stdout).toContain('INSUFFICIENT');
  const configuration = readFileSync(join(run, 'mirror.yaml'), 'utf8');
  const again = await runCli(['demo', '--for', '1s', '--dashboard', '0', '--run', run]);
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(again.stderr).toContain('DT_RUN_EXISTS');
  expect(readFileSync(join(run, 'mirror.yaml'), 'utf8')).toBe(configuration);
});

test.skipIf(process.platform !== 'linux')('a mirror that dies ends it, and it says so', async () => {
  const { child, said, ended } = startDemo();
  try {
    await eventually('the demo', () => (said.out.includes('production answered') ? true : null));
    process.kill(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()), 'SIGKILL');
    expect(await ended).toBe(4);
  } finally {
    child.kill('SIGKILL');
  }
  expect(said.errors).toContain('the mirror did not end well');
  expect(said.out).toMatch(/Production answered \d+ requests/);
});
