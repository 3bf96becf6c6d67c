/**
 * `npm run bench:capture`: what it costs to capture the traffic of this host, and what a tap costs, with nginx on the
 * loopback interface as production and wrk asking as fast as it can. Needs Linux, CAP_NET_RAW, nginx and wrk; tcpdump is
 * measured beside if it is there. See README.md in this folder.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startMirror } from '../packages/doubletake/src/demo/mirror-process.ts';
import type { TapReport } from '../packages/doubletake/src/engine/tap.ts';
import { buildEmptyFilter } from '../packages/doubletake/src/system/capture-filter.ts';
import { needLibc } from '../packages/doubletake/src/system/libc.ts';
import { attachFilter } from '../packages/doubletake/src/system/socket-options.ts';
import { openUdpSocket } from '../packages/doubletake/src/system/udp-socket.ts';
import { sampleProcess } from './measure.ts';
import { findNginx, startNginx } from './nginx.ts';
import { warmUpSeconds } from './scenarios.ts';
import { startScript } from './script.ts';
import type { SenderReport } from './sender.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' } } });
const seconds = Number(values.seconds);
const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));
const connections = 32;
const tunnelConnections = 1_000;
const tunnelRequestsPerSecond = 20_000;
/** Where a tap sends to: a socket that takes nothing, so that the kernel drops what comes as a network would take it. */
const libc = needLibc('the bench');
const sink = openUdpSocket(libc, { host: '127.0.0.1', port: 0, receiveBufferBytes: 1 });
attachFilter(libc, sink.descriptor, buildEmptyFilter());
const nowhere = `127.0.0.1:${sink.port}`;

interface Measured {
  requestsPerSecond: number;
  /** Processor time of the process that was watched, for each request and as a share of one processor. */
  cpuUs: number;
  cpuShare: number;
}

/** Asks nginx as fast as wrk can, while the process is watched. */
async function load(url: URL, processId: number): Promise<Measured> {
  await wrk(url, warmUpSeconds);
  const before = sampleProcess(processId);
  const startMs = performance.now();
  const requests = await wrk(url, seconds);
  const elapsedUs = (performance.now() - startMs) * 1_000;
  // What is still in the ring is handled now.
  await delay(50);
  const after = sampleProcess(processId);
  const usedUs = after.userUs - before.userUs + after.systemUs - before.systemUs;
  return { requestsPerSecond: requests / seconds, cpuUs: usedUs / requests, cpuShare: usedUs / elapsedUs };
}

async function wrk(url: URL, forSeconds: number): Promise<number> {
  const child = spawn('wrk', ['-t1', `-c${connections}`, `-d${forSeconds}`, url.href], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  return Number(/(\d+) requests in/.exec(said)?.[1]);
}

function print(name: string, { requestsPerSecond, cpuUs, cpuShare }: Measured, counts: string): void {
  const cells = [name.padEnd(24), requestsPerSecond.toFixed(0).padStart(11), cpuUs.toFixed(2).padStart(9)];
  process.stdout.write(`${[...cells, (cpuShare * 100).toFixed(1).padStart(7)].join(' ')}  ${counts}\n`);
}

async function captureOnInterface(production: URL, target: URL): Promise<void> {
  const flags = ['--percentage', '0', '--interface', 'lo', '--port', production.port];
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.href, ...flags]);
  const before = await productionServer.requests();
  const measured = await load(production, mirror.processId);
  const served = (await productionServer.requests()) - before;
  const { ledger } = await mirror.stop();
  if (ledger === null) throw new Error('the mirror left no ledger');
  const { captured, packets } = ledger;
  print('mirror --interface', measured, `served ${served}, captured ${captured}, kernel drops ${packets.kernelDrops}`);
}

/** The same number of requests in VXLAN from a sender, read from a socket or from a ring; four datagrams a request. */
async function receiveTunnel(target: URL, receive: 'socket' | 'ring'): Promise<void> {
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.href, '--percentage', '0', '--receive', receive]);
  const { host, port } = mirror.vxlan;
  const forSeconds = warmUpSeconds + seconds + 1;
  const sender = startScript('sender.ts', [host, port, tunnelConnections, tunnelRequestsPerSecond, forSeconds, 0], 60_000 + forSeconds * 1_000);
  await sender.nextLine();
  await delay(warmUpSeconds * 1_000);
  const before = sampleProcess(mirror.processId);
  const startMs = performance.now();
  await delay(seconds * 1_000);
  const after = sampleProcess(mirror.processId);
  const elapsedUs = (performance.now() - startMs) * 1_000;
  const { requests } = JSON.parse(await sender.nextLine()) as SenderReport;
  const { ledger } = await mirror.stop();
  if (ledger === null) throw new Error('the mirror left no ledger');
  const usedUs = after.userUs - before.userUs + after.systemUs - before.systemUs;
  const requestsPerSecond = requests / forSeconds;
  const cpuUs = usedUs / (requestsPerSecond * seconds);
  const counts = `sent ${requests}, captured ${ledger.captured}, kernel drops ${ledger.packets.kernelDrops}`;
  print(`mirror --vxlan, ${receive}`, { requestsPerSecond, cpuUs, cpuShare: usedUs / elapsedUs }, counts);
}

async function captureByTcpdump(production: URL, file: string): Promise<void> {
  if (spawnSync('which', ['tcpdump']).status !== 0) return;
  const args = ['-i', 'lo', '-s', '0', '-w', file, 'tcp', 'port', production.port];
  const child = spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await delay(1_000);
  const measured = await load(production, child.pid ?? 0);
  child.kill('SIGINT');
  await once(child, 'close');
  const counts = [...said.matchAll(/^\d+ packets .*$/gm)].map(([line]) => line).join(', ');
  print(`tcpdump -w ${file}`, measured, counts);
}

async function tap(production: URL, directory: string, cpu: string): Promise<void> {
  const file = join(directory, `tap-${cpu}.json`);
  const flags = ['--interface', 'lo', '--port', production.port, '--to', nowhere, '--vni', '1', '--cpu', cpu];
  const child = spawn(process.execPath, [program, 'tap', ...flags, '--quiet', '--ledger', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await once(child.stderr, 'data');
  const measured = await load(production, child.pid ?? 0);
  child.kill('SIGTERM');
  await once(child, 'close');
  const { captured, sent, skipped, failed, kernelDrops, cpuMs, elapsedMs } = JSON.parse(readFileSync(file, 'utf8')) as TapReport;
  const own = `own figure ${((100 * cpuMs) / elapsedMs).toFixed(1)} %`;
  const counts = `captured ${captured}, sent ${sent}, refused ${failed}, left out ${skipped.cpu}, kernel drops ${kernelDrops}`;
  print(`tap --cpu ${cpu}`, measured, `${counts}, ${own}`);
}

const nginx = findNginx();
if (nginx === null || spawnSync('which', ['wrk']).status !== 0) {
  throw new Error('nginx and wrk are needed; on Debian or Ubuntu: apt-get install nginx-light wrk');
}
const directory = mkdtempSync(join(tmpdir(), 'doubletake-bench-capture-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const productionServer = await startNginx(nginx);
const target = await startNginx(nginx);
try {
  process.stdout.write(`${execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()}, Node ${process.version}; `);
  process.stdout.write(`each run ${seconds} s after ${warmUpSeconds} s\n\n`);
  process.stdout.write(`${'what'.padEnd(24)} ${'requests/s'.padStart(11)} ${'CPU µs'.padStart(9)} ${'CPU %'.padStart(7)}  counts\n`);
  await captureOnInterface(productionServer.url, target.url);
  await captureByTcpdump(productionServer.url, '/dev/null');
  await captureByTcpdump(productionServer.url, join(directory, 'capture.pcap'));
  for (const receive of ['socket', 'ring'] as const) await receiveTunnel(target.url, receive);
  for (const cpu of ['100%', '20%', '5%']) await tap(productionServer.url, directory, cpu);
} finally {
  await productionServer.stop();
  await target.stop();
}
