import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RunStore } from '../src/store/run-store.ts';
import { ask } from './support/dashboard-server.ts';
import { difference, judgedPair } from './support/judged-pairs.ts';
import { ledgerOf } from './support/ledgers.ts';
import { eventually, program, runCli } from './support/mirror.ts';
import { clusterReport, regressionReport } from './support/run-reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-finished-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makeRun(name: string, sanitized: boolean): Promise<string> {
  const run = join(folder, name);
  const store = await RunStore.create(run, { version: '1', startedUs: 1_795_000_000_000_000, sanitized });
  const { differences: _, ...rest } = judgedPair(1, 'c1');
  await store.append([{ ...rest, differences: [difference('c1', { baseline: 'canary' })] }, judgedPair(2)]);
  await store.saveReport({ ...regressionReport(), clusters: [clusterReport({ id: 'c1' }), clusterReport({ id: 'c2', accepted: true })] }, 0);
  await store.saveLedger({ ...ledgerOf(), captured: 4_321 });
  await store.close(0);
  return run;
}

interface Served {
  get: (path: string) => ReturnType<typeof ask>;
  post: (path: string, json: unknown) => ReturnType<typeof ask>;
  stop: () => Promise<number | null>;
}

async function serve(run: string, ...flags: string[]): Promise<Served> {
  const child = spawn(process.execPath, [program, 'report', run, '--dashboard', '127.0.0.1:0', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close');
  const at = await eventually('the ready line', () => {
    if (child.exitCode !== null) throw new Error(stderr);
    return /ready dashboard=(\S+)/.exec(stderr)?.[1] ?? null;
  });
  return {
    get: (path) => ask(at, path),
    post: (path, json) => ask(at, path, { method: 'POST', json }),
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

test('report --dashboard shows a run that has ended, and controls nothing', async () => {
  const { get, post, stop } = await serve(await makeRun('safe', true));
  expect((await get('/api/overview')).json).toMatchObject({ mode: 'finished', startedAt: '2026-11-18T11:06:40.000Z', comparison: { verdict: 'REGRESSION' } });
  expect((await get('/api/clusters')).json).toMatchObject({ clusters: [{ id: 'c1', accepted: false }, { id: 'c2', accepted: true }] });
  expect((await get('/api/clusters/c1')).json).toMatchObject({ examples: [{ id: 'dt-1', hidden: null, differences: [{ from: 'canary' }] }] });
  expect((await get('/api/requests?outcome=differs')).json).toMatchObject({ requests: [{ id: 'dt-1', compared: 'differs' }], next: null });
  expect((await get('/api/requests/dt-2')).json).toMatchObject({ pair: { id: 'dt-2' }, replayable: [] });
  expect((await get('/api/rules')).json).toMatchObject({ file: null, accepted: [{ cluster: 'c2' }] });
  expect((await post('/api/rules/preview', { name: 'x', path: '$.items', ignore: true })).json).toMatchObject({ hiddenPairs: 1, remainingPairs: 0 });
  expect((await post('/api/rules', { name: 'x', path: '$.items', ignore: true })).status).toBeGreaterThanOrEqual(400);
  expect((await post('/api/control/replay', { replay: 'stopped' })).status).toBeGreaterThanOrEqual(400);
  expect((await get('/api/traffic')).status).toBe(200);
  expect(await stop()).toBe(1);
});

test('contents of a run that nothing made safe are shown when they are asked for', async () => {
  const run = await makeRun('unsafe', false);
  const hidden = await serve(run);
  const { text } = await hidden.get('/api/clusters/c1');
  expect(text).toContain('--show-unsanitized');
  expect(text).not.toContain('canary');
  await hidden.stop();
  const open = await serve(run, '--show-unsanitized');
  expect((await open.get('/api/clusters/c1')).text).toContain('canary');
  await open.stop();
});

test('--dashboard goes with no other form of the report', async () => {
  expect(await runCli(['report', folder, '--dashboard', '--format', 'json'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--format') });
  expect(await runCli(['report', folder, '--dashboard', '127.0.0.1:0'])).toMatchObject({ code: 2, stderr: expect.stringContaining('DT_RUN_NOT_FOUND') });
});
