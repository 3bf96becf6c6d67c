/**
 * `npm run bench:replay`: how well `doubletake replay` keeps the gaps between requests, and how fast it is without a
 * schedule, beside keep-alive clients on the same target: nginx, and a small application. See README.md in this folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listen } from '../packages/doubletake/src/demo/listen.ts';
import { percentile, sampleProcess, type UnitCost } from './measure.ts';
import { findNginx, startNginx } from './nginx.ts';
import { warmUpSeconds } from './scenarios.ts';
import { startScript } from './script.ts';
import { requestTexts } from './traffic.ts';
import { perConnection, writeRecording } from './write-recording.ts';

const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));
const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n');
const pacedPerSecond = 2_000;
const rounds = 3;

/** A recording of so many requests, as far apart; `requestOf` makes each. */
function record(directory: string, requests: number, apartUs: number, requestOf: (index: number) => string): void {
  writeRecording(directory, { requests, apartUs, requestOf, answerOf: () => answer });
}

function replay(recording: string, target: string, ...flags: string[]): { processId: number; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [program, 'replay', recording, '--target', target, '--quiet', ...flags], { stdio: 'ignore' });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  child.on('close', () => process.off('exit', kill));
  return { processId: child.pid ?? 0, ended: once(child, 'close') };
}

/** How far the gaps between requests are from those recorded, behind the warm-up. */
async function gaps(folder: string, seconds: number): Promise<string> {
  const requests = pacedPerSecond * (warmUpSeconds + seconds);
  const arrivedMs = new Float64Array(requests).fill(Number.NaN);
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      const nowMs = performance.now();
      // One request at a time on each connection, in one piece.
      arrivedMs[Number(/^GET \/(\d+) /.exec(bytes.toString('latin1', 0, 32))?.[1])] = nowMs;
      socket.write(answer);
    });
  });
  const { port } = await listen(server, 0, '127.0.0.1');
  const recording = join(folder, 'paced');
  record(recording, requests, 1e6 / pacedPerSecond, (index) => `GET /${index} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
  await replay(recording, `http://127.0.0.1:${port}`).ended;
  server.close();
  const measured = arrivedMs.subarray(warmUpSeconds * pacedPerSecond);
  const off = measured.subarray(1).map((ms, index) => Math.abs(ms - (measured[index] ?? 0) - 1_000 / pacedPerSecond));
  const sorted = off.toSorted();
  const lost = arrivedMs.reduce((sum, ms) => sum + (Number.isNaN(ms) ? 1 : 0), 0);
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(sorted, share).toFixed(2));
  return `${pacedPerSecond}/s at speed 1: gaps are off by ${p50} ms (p50), ${p99} ms (p99), ${max} ms (max); ${lost} requests lost\n`;
}

/** The bytes that a target gets for the request that `fastest` replays. */
async function sentBytes(folder: string): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      resolve(bytes);
      socket.write(answer);
    });
  });
  const { port } = await listen(server, 0, '127.0.0.1');
  const recording = join(folder, 'one');
  record(recording, 1, 1, () => requestTexts.page);
  await replay(recording, `http://127.0.0.1:${port}`).ended;
  server.close();
  return promise;
}

interface Fastest {
  perSecond: number;
  cpuUs: number;
  peakMb: number;
}

/** What is replayed to, and how many requests it has got. */
interface Target {
  readonly url: URL;
  requests(): Promise<number>;
  stop(): void | Promise<void>;
}

async function startApplication(seconds: number): Promise<Target> {
  const script = startScript('application.ts', [], seconds * 1_000);
  const { port, countPort } = JSON.parse(await script.nextLine()) as { port: number; countPort: number };
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests: async () => Number(await (await fetch(`http://127.0.0.1:${countPort}`)).text()),
    stop: () => script.stop(),
  };
}

/** Clients that send the same request over as many connections, by name. */
const clients: Readonly<Record<string, (target: Target, bytesFile: string, seconds: number) => Promise<Fastest>>> = {
  'a client that reads no answer, only sees that one came': ({ url }, bytesFile, seconds) =>
    runClient('floor.ts', ['client', url.port, 'flat', seconds, bytesFile, perConnection], seconds),
  'a client of node:http': ({ url }, bytesFile, seconds) => runClient('http-client.ts', [url.port, seconds, bytesFile, perConnection], seconds),
};

async function runClient(script: string, args: readonly (string | number)[], seconds: number): Promise<Fastest> {
  const running = startScript(script, args, (warmUpSeconds + seconds) * 1_000 + 20_000);
  await running.nextLine();
  const { units, userUs, systemUs } = JSON.parse(await running.nextLine()) as UnitCost;
  return { perSecond: units / seconds, cpuUs: (userUs + systemUs) / units, peakMb: 0 };
}

async function replayed(target: Target, recording: string, seconds: number, flags: readonly string[]): Promise<Fastest> {
  const { processId, ended } = replay(recording, target.url.origin, '--speed', 'max', '--loop', ...flags);
  await delay((warmUpSeconds + 1) * 1_000);
  const before = { requests: await target.requests(), sample: sampleProcess(processId), ms: performance.now() };
  await delay(seconds * 1_000);
  const after = { requests: await target.requests(), sample: sampleProcess(processId), ms: performance.now() };
  process.kill(processId, 'SIGTERM');
  await ended;
  const requests = after.requests - before.requests;
  return {
    perSecond: (requests * 1_000) / (after.ms - before.ms),
    cpuUs: (after.sample.userUs + after.sample.systemUs - before.sample.userUs - before.sample.systemUs) / requests,
    peakMb: after.sample.peakMb,
  };
}

/** A way of asking the target, and what it reached in each round. */
interface Way {
  readonly name: string;
  readonly measure: () => Promise<Fastest>;
  readonly found: Fastest[];
}

/** In turn, since what the machine gives changes from one moment to the next; each line is the median of its rounds. */
async function fastest(folder: string, seconds: number, title: string, target: Target): Promise<string> {
  const recording = join(folder, 'fast');
  const bytesFile = join(folder, 'sent');
  const asked = Object.entries(clients).map(([name, ask]): Way => ({ name, measure: () => ask(target, bytesFile, seconds), found: [] }));
  const replays = ['1', '2'].map((workers): Way => ({
    name: `--speed max, workers ${workers}`,
    measure: () => replayed(target, recording, seconds, ['--workers', workers]),
    found: [],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { measure, found } of [...asked, ...replays]) found.push(await measure());
  }
  let text = `${title}, ${perConnection} connections:\n`;
  for (const way of asked) text += `  ${way.name}: ${speedText(way)}\n`;
  for (const way of replays) {
    const shares = asked.map((client) => `${Math.round((100 * median(way, 'perSecond')) / median(client, 'perSecond'))} %`);
    text += `  ${way.name}: ${speedText(way)}; ${shares.join(' and ')} of the clients; at most ${Math.round(median(way, 'peakMb'))} MB\n`;
  }
  return text;
}

function speedText(way: Way): string {
  return `${Math.round(median(way, 'perSecond'))}/s, ${median(way, 'cpuUs').toFixed(1)} µs CPU each`;
}

function median({ found }: Way, key: keyof Fastest): number {
  return percentile(Float64Array.from(found, (each) => each[key]).toSorted(), 0.5);
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' } } });
const nginx = findNginx();
if (nginx === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-replay-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const seconds = Number(values.seconds);
process.stdout.write(`load of the machine: ${loadavg()[0]?.toFixed(1)}\n`);
process.stdout.write(await gaps(folder, seconds));
record(join(folder, 'fast'), 200_000, 10, () => requestTexts.page);
writeFileSync(join(folder, 'sent'), await sentBytes(folder));
const targets: [string, Target][] = [['nginx', await startNginx(nginx)], ['an application', await startApplication(600)]];
for (const [name, target] of targets) {
  process.stdout.write(await fastest(folder, seconds, name, target));
  await target.stop();
}
