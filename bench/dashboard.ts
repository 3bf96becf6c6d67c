/**
 * `npm run bench:dashboard`: what open pages cost the pipeline. One mirror replays a recording to nginx as fast as it can and
 * compares the answers; windows with no page and with ten take turns. See README.md in this folder.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clockTicksPerSecond, sampleProcess } from './measure.ts';
import { findNginx, type Nginx, startNginx } from './nginx.ts';
import { startScript } from './script.ts';
import { writeRecording } from './write-recording.ts';

const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));
const requests = 100_000;
const endpoints = 300;
const tabs = 10;
const warmUpMs = 8_000;
/** Between two windows, for pages to come and go. */
const settleMs = 500;

/** Answers that differ from nginx's in several ways, so that there is something in the tables. */
function answerOf(index: number): Buffer {
  const body = JSON.stringify({ id: index, name: `thing ${index % 50}`, price: index % 1_000 });
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "${index}"\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

function requestOf(index: number): string {
  return `GET /things${index % endpoints}/${index} HTTP/1.1\r\nHost: shop.example\r\nAccept: application/json\r\n\r\n`;
}

interface Window {
  perSecond: number;
  /** Of the mirror's whole process, for a request. */
  cpuUs: number;
  /** Of the threads that serve pages, and of those that do not, in processors. */
  serving: number;
  others: number;
}

/** As Linux shortens the names of the threads that mirror and compare; V8 collects garbage mostly for these. */
const pipelineThread = /^(?:doubletake-|V8Worker)/;

/** Processor time of the main thread, of libuv's and of DuckDB's, and of all others. */
function threadTimes(processId: number): { servingUs: number; othersUs: number } {
  const times = { servingUs: 0, othersUs: 0 };
  for (const task of readdirSync(`/proc/${processId}/task`)) {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${processId}/task/${task}/stat`, 'latin1')) ?? [];
    const fields = rest.split(' ');
    const us = ((Number(fields[11]) + Number(fields[12])) * 1e6) / clockTicksPerSecond;
    if (pipelineThread.test(name)) times.othersUs += us;
    else times.servingUs += us;
  }
  return times;
}

async function measure(nginx: Nginx, processId: number, ms: number): Promise<Window> {
  const look = async () => ({ requests: await nginx.requests(), sample: sampleProcess(processId), threads: threadTimes(processId), ms: performance.now() });
  const before = await look();
  await delay(ms);
  const after = await look();
  const replayed = after.requests - before.requests;
  return {
    perSecond: (replayed * 1_000) / (after.ms - before.ms),
    cpuUs: (after.sample.userUs + after.sample.systemUs - before.sample.userUs - before.sample.systemUs) / replayed,
    serving: (after.threads.servingUs - before.threads.servingUs) / 1_000 / (after.ms - before.ms),
    others: (after.threads.othersUs - before.threads.othersUs) / 1_000 / (after.ms - before.ms),
  };
}

async function withTabs<T>(at: string, measured: () => Promise<T>): Promise<T> {
  const script = startScript('tabs.ts', [at, tabs], 60_000);
  await script.nextLine();
  await delay(settleMs);
  const result = await measured();
  script.stop();
  await delay(settleMs);
  return result;
}

function middle(numbers: readonly number[], share = 0.5): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor((numbers.length - 1) * share)] ?? Number.NaN;
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' }, seconds: { type: 'string', default: '2' } } });
const nginxProgram = findNginx();
if (nginxProgram === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-dashboard-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const recording = join(folder, 'recording');
writeRecording(recording, { requests, apartUs: 10, requestOf, answerOf });
const nginx = await startNginx(nginxProgram);
const config = join(folder, 'config.json');
writeFileSync(config, JSON.stringify({ compare: { endpoints: Array.from({ length: endpoints }, (_, index) => `/things${index}/{id}`) } }));
const flags = ['--target', nginx.url.origin, '--speed', 'max', '--loop', '--run', join(folder, 'run'), '--dashboard', '127.0.0.1:0', '--quiet'];
const args = ['replay', recording, '--config', config, ...flags];
const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
process.on('exit', () => child.kill('SIGKILL'));
let at = '';
for await (const line of createInterface({ input: child.stderr })) {
  at = /^ready .*dashboard=(\S+)/.exec(line)?.[1] ?? '';
  if (at !== '') break;
}
child.stderr.resume();
await delay(warmUpMs);
process.stdout.write(`load of the machine: ${loadavg()[0]?.toFixed(1)}\n`);
const without: Window[] = [];
const beside: Window[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const ms = Number(values.seconds) * 1_000;
  // Which comes first changes, so that a drift counts for neither.
  for (const open of round % 2 === 0 ? [false, true] : [true, false]) {
    // oxlint-disable-next-line no-await-in-loop -- windows take turns
    if (open) beside.push(await withTabs(at, () => measure(nginx, child.pid ?? 0, ms)));
    // oxlint-disable-next-line no-await-in-loop -- as above
    else without.push(await measure(nginx, child.pid ?? 0, ms));
  }
}
const size = async (path: string): Promise<number> => (await (await fetch(`http://${at}${path}`)).text()).length;
process.stdout.write(`tables: ${await size('/api/endpoints')} bytes of endpoints, ${await size('/api/clusters')} of differences\n`);
child.kill('SIGTERM');
await nginx.stop();
const average = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const servingOf = (windows: readonly Window[]): number => average(windows.map(({ serving }) => serving));
for (const [name, windows] of [['no page', without], [`${tabs} pages`, beside]] as const) {
  const perSecond = windows.map((window) => window.perSecond);
  process.stdout.write(
    `${name.padEnd(9)} ${Math.round(middle(perSecond))}/s (quarters ${Math.round(middle(perSecond, 0.25))} to ${Math.round(middle(perSecond, 0.75))}), ` +
      `${middle(windows.map(({ cpuUs }) => cpuUs)).toFixed(1)} µs CPU a request; threads that serve pages ${(servingOf(windows) * 100).toFixed(2)} % of a processor, ` +
      `the others ${(average(windows.map(({ others }) => others)) * 100).toFixed(0)} %\n`,
  );
}
const all = average(without.map(({ serving, others }) => serving + others));
process.stdout.write(`serving the pages takes ${((100 * (servingOf(beside) - servingOf(without))) / all).toFixed(2)} % of what the mirror takes\n`);
for (const [what, of] of [
  ['requests a second', ({ perSecond }: Window) => perSecond],
  ['CPU a request', ({ cpuUs }: Window) => cpuUs],
] as const) {
  const ratios = without.map((window, round) => (100 * of(beside[round] ?? window)) / of(window));
  process.stdout.write(`with pages, ${what}: ${middle(ratios).toFixed(1)} % of what it is without (quarters ${middle(ratios, 0.25).toFixed(1)} to ${middle(ratios, 0.75).toFixed(1)} %)\n`);
}
process.exit(0);
