/**
 * `npm run bench:proxy`: what a request through the tee proxy costs, and how much longer it takes than without, with nginx
 * as production. See README.md in this folder.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AskerReport } from './asker.ts';
import { clockTicksPerSecond } from './measure.ts';
import { findNginx, startNginx } from './nginx.ts';
import { warmUpSeconds } from './scenarios.ts';
import { startScript } from './script.ts';

interface Scenario {
  name: string;
  requestsPerSecond: number;
  connections: number;
  flags: readonly string[];
}

const scenarios: readonly Scenario[] = [
  { name: 'copied', requestsPerSecond: 1_000, connections: 64, flags: ['--percentage', '0'] },
  { name: 'copied', requestsPerSecond: 7_000, connections: 64, flags: ['--percentage', '0'] },
  { name: 'copied', requestsPerSecond: 15_000, connections: 64, flags: ['--percentage', '0'] },
  { name: 'replayed', requestsPerSecond: 7_000, connections: 64, flags: [] },
];

/** As Linux shortens the name of the relay's thread. */
const relayThread = 'doubletake-rela';
const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));

interface Times {
  relayUs: number;
  allUs: number;
}

/** Processor time of the relay's thread and of the whole process. */
function times(processId: number): Times {
  const tasks = `/proc/${processId}/task`;
  const sum: Times = { relayUs: 0, allUs: 0 };
  for (const task of readdirSync(tasks)) {
    const [, name, rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`${tasks}/${task}/stat`, 'latin1')) ?? [];
    const fields = rest.split(' ');
    const us = ((Number(fields[11]) + Number(fields[12])) * 1e6) / clockTicksPerSecond;
    sum.allUs += us;
    if (name === relayThread) sum.relayUs += us;
  }
  return sum;
}

async function ask(port: number, { requestsPerSecond, connections }: Scenario, seconds: number, during: () => Promise<void> = async () => {}): Promise<AskerReport> {
  const asker = startScript('asker.ts', [port, requestsPerSecond, connections, seconds], (warmUpSeconds + seconds) * 1000 + 20_000);
  await asker.nextLine();
  await during();
  return JSON.parse(await asker.nextLine()) as AskerReport;
}

async function measure(scenario: Scenario, seconds: number, nginx: string): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const production = await startNginx(nginx);
  stack.defer(() => production.stop());
  const target = await startNginx(nginx);
  stack.defer(() => target.stop());
  const direct = await ask(Number(production.url.port), scenario, seconds);

  const args = ['mirror', '--quiet', '--proxy', `127.0.0.1:0=${production.url.origin}`, '--target', target.url.origin, ...scenario.flags];
  const mirror = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => mirror.once('close', resolve));
  stack.defer(async () => {
    mirror.kill('SIGTERM');
    await ended;
  });
  const lines = createInterface({ input: mirror.stderr })[Symbol.asyncIterator]();
  const ready = String((await lines.next()).value);
  const port = Number(/proxy=\S+:(\d+)/.exec(ready)?.[1]);
  if (Number.isNaN(port)) throw new Error(`the mirror is not ready: ${ready}`);
  const processId = mirror.pid ?? 0;
  let relayUs = Number.NaN;
  let allUs = Number.NaN;
  const proxied = await ask(port, scenario, seconds, async () => {
    await delay(warmUpSeconds * 1000);
    const [first, requestsBefore] = [times(processId), await production.requests()];
    await delay(seconds * 1000 - 200);
    const [last, requestsAfter] = [times(processId), await production.requests()];
    relayUs = (last.relayUs - first.relayUs) / (requestsAfter - requestsBefore);
    allUs = (last.allUs - first.allUs) / (requestsAfter - requestsBefore);
  });
  const cells = [relayUs, allUs, direct.p50Ms, proxied.p50Ms, direct.p99Ms, proxied.p99Ms].map((value, index) => value.toFixed(index < 2 ? 1 : 2).padStart(index < 2 ? 9 : 11));
  return `${scenario.name.padEnd(9)} ${String(scenario.requestsPerSecond).padStart(7)} ${cells.join(' ')}\n`;
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' } } });
const nginx = findNginx();
if (nginx === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
process.stdout.write('scenario      /s  relay µs    all µs  p50 direct     proxied  p99 direct     proxied\n');
for (const scenario of scenarios) process.stdout.write(await measure(scenario, Number(values.seconds), nginx));
