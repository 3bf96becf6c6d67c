import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../src/compare/report.ts';
import { RunStore } from '../src/store/run-store.ts';
import { runCliHere } from './support/cli-here.ts';
import { judgedPair } from './support/judged-pairs.ts';
import { program, runCli } from './support/mirror.ts';
import { emptyReport, regressionReport, reportWith, safeReport } from './support/run-reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-report-'));
const regression = join(folder, 'regression');
const safe = join(folder, 'safe');
const insufficient = join(folder, 'insufficient');

async function makeRun(run: string, report: RunReport): Promise<void> {
  const store = await RunStore.create(run, { version: '1', startedUs: 0, sanitized: true });
  await store.append([judgedPair(1), judgedPair(2, 'c1')]);
  await store.saveReport(report, 0);
  await store.close(0);
}

beforeAll(async () => {
  await makeRun(regression, regressionReport());
  await makeRun(safe, safeReport());
  await makeRun(insufficient, emptyReport());
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('doubletake report', () => {
  test.each([
    ['SAFE', 0, safe],
    ['REGRESSION', 1, regression],
    ['INSUFFICIENT', 3, insufficient],
  ])('%s ends with exit code %d', async (verdict, code, run) => {
    const { stdout, ...ended } = await runCli(['report', run]);
    expect(ended).toEqual({ code, stderr: '' });
    expect(stdout.split(' ')[0]).toBe(verdict);
  });

  test.each([
    ['html', /^<!doctype html>\n[^]*<\/html>\n$/],
    ['markdown', /^## ❌ REGRESSION\n/],
    ['junit', /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites>[^]*<\/testsuites>\n$/],
  ])('writes %s', async (format, expected) => {
    const { code, stdout } = await runCliHere(['report', regression, '--format', format]);
    expect(code).toBe(1);
    expect(stdout).toMatch(expected);
  });

  test('--format json is the contract, also from the path of the file itself', async () => {
    const { code, stdout } = await runCli(['report', join(regression, 'run.duckdb'), '--format', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual(regressionReport());
  });

  test('--output writes a file and prints nothing; --parquet exports beside it', async () => {
    const [output, parquet] = [join(folder, 'report.html'), join(folder, 'tables')];
    expect(await runCli(['report', regression, '--format', 'html', '--output', output, '--parquet', parquet])).toEqual({ code: 1, stdout: '', stderr: '' });
    expect(readFileSync(output, 'utf8')).toMatch(/^<!doctype html>/);
    expect(existsSync(join(parquet, 'pairs.parquet'))).toBe(true);
  });

  test('a reader that goes away does not change the verdict', async () => {
    const large = join(folder, 'large');
    await makeRun(large, reportWith('x'.repeat(16_000)));
    const shell = `set -o pipefail; "$1" "$2" report "$3" --format html | head -c 1 >/dev/null`;
    expect(() => execFileSync('bash', ['-c', shell, 'bash', process.execPath, program, large])).toThrow(expect.objectContaining({ status: 1 }));
  });

  test.each<[string, string[], RegExp]>([
    ['no run', [join(folder, 'none')], /none: there is no such folder; give that of --run \[DT_RUN_NOT_FOUND\]/],
    ['an unknown format', [safe, '--format', 'pdf'], /terminal, html, markdown, json, junit/],
    ['a file that cannot be written', [safe, '--output', join(folder, 'no', 'folder')], /--output .* cannot be written: .* \[DT_REPORT_FILE\]/],
    ['no argument', [], /missing required argument 'RUN'/],
  ])('%s is one line and exit code 2', async (_, args, expected) => {
    const { code, stdout, stderr } = await runCliHere(['report', ...args]);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 2, stdout: '', lines: 2 });
    expect(stderr).toMatch(expected);
  });

  test('while the run is being written it shows what it has come to so far, and says so', async () => {
    const run = join(folder, 'running');
    const script = `
      import { RunStore } from ${JSON.stringify(new URL('../src/store/run-store.ts', import.meta.url).href)};
      import { regressionReport } from ${JSON.stringify(new URL('support/run-reports.ts', import.meta.url).href)};
      const store = await RunStore.create(process.argv[1], { version: '1', startedUs: 0, sanitized: true });
      process.stdin.on('data', async () => { await store.saveReport(regressionReport(), 0); process.stdout.write('saved'); });
      process.stdout.write('made');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, run], { stdio: ['pipe', 'pipe', 'inherit'] });
    const said = (): Promise<unknown> => new Promise((resolve) => child.stdout.once('data', resolve));
    try {
      await said();
      expect(await runCli(['report', run])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('[DT_RUN_IN_USE]') as string });
      child.stdin.write('x');
      await said();
      const { code, stdout, stderr } = await runCli(['report', run]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `doubletake: warning: the run in ${run} is being written by another process (PID ${child.pid}); this is what it has come to so far\n`,
      });
      expect(stdout).toMatch(/^REGRESSION/);
      expect(await runCli(['report', run, '--parquet', join(folder, 'p')])).toMatchObject({ code: 2, stderr: expect.stringContaining('[DT_RUN_IN_USE]') as string });
    } finally {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  });
});

test('no other command loads DuckDB', () => {
  const preload = join(folder, 'preload.mjs');
  writeFileSync(
    preload,
    `import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier.includes('duckdb')) process.stderr.write('DuckDB was asked for\\n');
      return next(specifier, context);
    } });`,
  );
  const asked = (...args: string[]): string => {
    const script = '"$@" 2>&1 || true';
    return execFileSync('bash', ['-c', script, 'bash', process.execPath, '--import', preload, program, ...args], { encoding: 'utf8' });
  };
  expect(asked('mirror', '--vxlan', '127.0.0.1:0', '--target', 'http://127.0.0.1:1')).not.toContain('DuckDB');
  expect(asked('report', safe)).toContain('DuckDB was asked for');
});
