/**
 * What nginx's clients feel of the copies that it sends to the mirror sink: latency of requests on kept connections
 * through nginx with the configuration that `doubletake generate nginx` prints, without copies and with them, while the
 * sink is well, never answers, or is not there; all in one run.
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

interface Variant {
  name: string;
  /** Where nginx copies to; null takes the mirror out of its configuration. */
  sinkPort: number | null;
}

/**
 * Latencies of requests through each of these ports, one after the other on `clients` kept connections to each, evenly
 * paced and in turn, so that what else the machine does falls on all alike.
 */
async function measure(ports: readonly number[], seconds: number): Promise<number[][]> {
  const latencies = ports.map((): number[] => []);
  const agents = ports.map(() => new Agent({ keepAlive: true, maxSockets: clients }));
  const endMs = performance.now() + seconds * 1_000;
  const client = async (_: unknown, index: number): Promise<void> => {
    const paceMs = (clients * 1_000) / perSecond;
    let turn = index;
    for (let dueMs = performance.now() + (index * paceMs) / clients; dueMs < endMs; dueMs += paceMs) {
      await delay(Math.max(0, dueMs - performance.now()));
      const which = turn++ % ports.length;
      const startMs = performance.now();
      await ask(agents[which] ?? new Agent(), ports[which] ?? 0);
      latencies[which]?.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  for (const agent of agents) agent.destroy();
  return latencies.map((list) => list.toSorted((x, y) => x - y));
}

function ask(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/a?b=c', agent }, (response) => {
      response.resume().on('end', () => resolve());
    }).on('error', reject);
  });
}

interface Nginx {
  port: number;
  stop(): Promise<void>;
}

/** nginx with the generated configuration on a port of its own. */
async function startNginx({ sinkPort }: Variant, productionPort: number): Promise<Nginx> {
  const nginx = findNginx();
  if (nginx === null) throw new Error('nginx is missing; on Debian or Ubuntu: apt-get install nginx-light');
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-'));
  const free = createTcpServer();
  const { port } = await listen(free, 0, '127.0.0.1');
  await new Promise((resolve) => free.close(resolve));
  const at = (where: number): { host: string; port: number } => ({ host: '127.0.0.1', port: where });
  const generated = nginxConfig({ sink: at(sinkPort ?? 1), production: at(productionPort), percentage: 100 })
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace(/^ *mirror \/_doubletake;$/m, sinkPort === null ? '' : '$&');
  writeFileSync(join(folder, 'site.conf'), generated);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1; pid ${folder}/pid; error_log ${folder}/log; daemon off; events {} http { access_log off; keepalive_requests 1000000; ${paths} include ${folder}/site.conf; }`,
  );
  const child = spawn(nginx, ['-e', join(folder, 'log'), '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 100; tries++) {
    const agent = new Agent();
    const up = await ask(agent, port).then(() => true, () => false);
    agent.destroy();
    if (up) return { port, stop };
    await delay(50);
  }
  await stop();
  throw new Error('nginx does not answer');
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

const seconds = Number(process.argv[2] ?? 20);
const production = createServer((_request, response) => response.end('hello'));
production.keepAliveTimeout = 60_000;
const { port: productionPort } = await listen(production, 0, '127.0.0.1');
const held = new Set<Socket>();
const silent = createTcpServer((socket) => void held.add(socket.on('error', () => {}).resume()));
const { port: silentPort } = await listen(silent, 0, '127.0.0.1');
const sink = await startSink(productionPort);

const variants: Variant[] = [
  { name: 'none', sinkPort: null },
  { name: 'to the mirror sink', sinkPort: sink.port },
  { name: 'to a sink that never answers', sinkPort: silentPort },
  { name: 'to a sink that is not there', sinkPort: 1 },
];
const proxies = await Promise.all(variants.map((variant) => startNginx(variant, productionPort)));
const ports = proxies.map(({ port }) => port);
await measure(ports, 2);
const results = await measure(ports, seconds);
process.stdout.write(`${'copies'.padEnd(30)}requests  p50 ms  p90 ms  p99 ms  max ms\n`);
for (const [index, { name }] of variants.entries()) {
  const latencies = results[index] ?? [];
  const at = (share: number): string => (latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN).toFixed(2).padStart(8);
  process.stdout.write(`${name.padEnd(30)}${String(latencies.length).padStart(8)}${at(0.5)}${at(0.9)}${at(0.99)}${at(1)}\n`);
}
await Promise.all(proxies.map((proxy) => proxy.stop()));
process.stdout.write(`the mirror's ledger: ${await sink.stop()}\n`);
for (const socket of held) socket.destroy();
silent.close();
production.close();
production.closeAllConnections();
