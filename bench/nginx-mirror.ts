/**
 * What nginx's clients feel of the copies that it sends to the mirror sink: latency of requests on kept connections
 * through nginx with the configuration that `doubletake generate nginx` prints, without copies and with them, while the
 * sink is well, never answers, or is not there.
 *
 *     npx node bench/nginx-mirror.ts [SECONDS]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { listen } from '../packages/doubletake/src/demo/listen.ts';
import { nginxConfig } from '../packages/doubletake/src/generate/nginx.ts';
import { findNginx } from './nginx.ts';

const clients = 16;
const perSecond = 400;
const program = fileURLToPath(new URL('../packages/doubletake/bin/doubletake.js', import.meta.url));

interface Latency {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Requests one after the other on `clients` kept connections, evenly paced, for `seconds`. */
async function measure(port: number, seconds: number): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latencies: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  const client = async (): Promise<void> => {
    for (let dueMs = performance.now(); dueMs < endMs; dueMs += (clients * 1_000) / perSecond) {
      await delay(Math.max(0, dueMs - performance.now()));
      // From when it was due, so that a client that was held up does not hide it.
      latencies.push(await ask(agent, port).then(() => performance.now() - dueMs));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return { requests: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function ask(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/a?b=c', agent }, (response) => {
      response.resume().on('end', () => resolve());
    }).on('error', reject);
  });
}

/** nginx with the generated configuration on a port of its own; `copies` off takes the mirror out of it. */
async function withNginx(sinkPort: number, copies: boolean, productionPort: number, run: (port: number) => Promise<void>): Promise<void> {
  const nginx = findNginx();
  if (nginx === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-'));
  const free = createTcpServer();
  const { port } = await listen(free, 0, '127.0.0.1');
  await new Promise((resolve) => free.close(resolve));
  const generated = nginxConfig({ sink: { host: '127.0.0.1', port: sinkPort }, production: { host: '127.0.0.1', port: productionPort }, percentage: 100 })
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace(/^ *mirror \/_doubletake;$/m, copies ? '$&' : '');
  writeFileSync(join(folder, 'site.conf'), generated);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1; pid ${folder}/pid; error_log ${folder}/log; daemon off; events {} http { access_log off; keepalive_requests 1000000; ${paths} include ${folder}/site.conf; }`,
  );
  const child = spawn(nginx, ['-e', join(folder, 'log'), '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  try {
    for (let tries = 0; ; tries++) {
      const agent = new Agent();
      const up = await ask(agent, port).then(() => true, () => false);
      agent.destroy();
      if (up) break;
      if (tries > 100) throw new Error('nginx does not answer');
      await delay(50);
    }
    await run(port);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mirror with its sink, as users run it; the target answers. */
async function startSink(targetPort: number): Promise<{ port: number; stop: () => Promise<string> }> {
  const child = spawn(process.execPath, [program, 'mirror', '--http-sink', '127.0.0.1:0', '--target', `http://127.0.0.1:${targetPort}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let ledger = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ledger += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!/http-sink=\S+:(\d+)/.test(said)) await delay(10);
  return {
    port: Number(/http-sink=\S+:(\d+)/.exec(said)?.[1]),
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      return /captured +\d+/.exec(ledger)?.[0] ?? '';
    },
  };
}

const seconds = Number(process.argv[2] ?? 5);
const production = createServer((_request, response) => response.end('hello'));
production.keepAliveTimeout = 60_000;
const { port: productionPort } = await listen(production, 0, '127.0.0.1');
const held = new Set<Socket>();
const silent = createTcpServer((socket) => void held.add(socket.on('error', () => {}).resume()));
const { port: silentPort } = await listen(silent, 0, '127.0.0.1');
const sink = await startSink(productionPort);

const out = (text: string): void => void process.stdout.write(`${text}\n`);
out(`${'copies'.padEnd(28)} requests  p50 ms  p99 ms  max ms`);
for (const [name, port, copies] of [
  ['none', sink.port, false],
  ['to the mirror sink', sink.port, true],
  ['to a sink without answers', silentPort, true],
  ['to a sink that is not there', 1, true],
  ['none, again', sink.port, false],
] as const) {
  await withNginx(port, copies, productionPort, async (nginxPort) => {
    await measure(nginxPort, 1);
    const { requests, p50Ms, p99Ms, maxMs } = await measure(nginxPort, seconds);
    const cells = [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2).padStart(8));
    out(`${name.padEnd(28)} ${String(requests).padStart(8)}${cells.join('')}`);
  });
}
out(`the mirror's ledger: ${await sink.stop()}`);
for (const socket of held) socket.destroy();
silent.close();
production.close();
production.closeAllConnections();
