/**
 * nginx as the target: one worker, a small constant answer, connections kept for ever, no log. How many requests it
 * got is asked on another port (stub_status), whose own requests are counted and taken off.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../packages/doubletake/src/demo/listen.ts';

export interface Nginx {
  readonly url: URL;
  /** Requests that it has got from others than this object. */
  requests(): Promise<number>;
  stop(): Promise<void>;
}

const startMsMax = 5_000;

/** Path of the nginx program, or null when there is none. */
export function findNginx(): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, 'nginx')).find(isExecutable) ?? null;
}

/** Version as nginx tells it: `nginx/1.26.3`. */
export function nginxVersion(program: string): string {
  const said = execFileSync('sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' });
  return said.replace('nginx version: ', '').trim();
}

/**
 * Starts nginx in a folder of its own; rejects with what it said when it does not answer. It answers every request with
 * `json` under the headers of production's answer in traffic.ts, else with a short text.
 */
export async function startNginx(program: string, json: string | null = null): Promise<Nginx> {
  const directory = mkdtempSync(join(tmpdir(), 'doubletake-bench-nginx-'));
  const [port, statusPort] = [await freePort(), await freePort()];
  writeFileSync(join(directory, 'nginx.conf'), configuration(port, statusPort, json));
  const child = spawn(program, ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_096)));
  const ended = once(child, 'close');
  const kill = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', kill);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    process.off('exit', kill);
    rmSync(directory, { recursive: true, force: true });
  };

  let ownRequests = 0;
  const requests = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${statusPort}/`)).text();
    const [, , , total] = /(\d+) (\d+) (\d+)/.exec(text) ?? [];
    // nginx counts the status request that it is answering, too.
    return Number(total) - ++ownRequests;
  };
  for (const deadlineMs = performance.now() + startMsMax; ; ) {
    try {
      await requests();
      return { url: new URL(`http://127.0.0.1:${port}`), requests, stop };
    } catch (error) {
      ownRequests = 0;
      if (child.exitCode === null && performance.now() < deadlineMs) await delay(20);
      else {
        await stop();
        throw new Error(`nginx does not answer: ${said}`, { cause: error });
      }
    }
  }
}

function configuration(port: number, statusPort: number, json: string | null): string {
  const answer = json === null ? `return 200 "hello from the next version\\n";` : `default_type "application/json; charset=utf-8"; add_header Cache-Control "private, max-age=0"; return 200 '${json}';`;
  return `
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  default_type text/plain;
  server { listen 127.0.0.1:${port} backlog=4096; location / { ${answer} } }
  server { listen 127.0.0.1:${statusPort}; location / { stub_status; } }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listen(server, 0, '127.0.0.1');
  server.close();
  await once(server, 'close');
  return port;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
