/** Real proxies for tests, each in a folder of its own; stopped when the test ends. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { listen } from './replay-servers.ts';

export interface Proxy {
  port: number;
  url: string;
}

/** Path of a program, or null; `scripts/install-test-packages.sh` installs those that Debian has. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find(existsSync) ?? null;
}

/** Why a test with these programs is skipped, or null where all are there. */
export function missing(...programs: string[]): string | null {
  const absent = programs.filter((name) => findProgram(name) === null);
  return absent.length === 0 ? null : `${absent.join(', ')} not installed (scripts/install-test-packages.sh)`;
}

/** A port that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A folder with these files, removed when the test ends. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-proxy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Also for a server that gives up the rights of root.
  chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** nginx with `site` inside http { }, whose `listen 80` becomes a free port. The configuration is tested first. */
export async function startNginx(site: string): Promise<Proxy> {
  const program = findProgram('nginx');
  if (program === null) throw new Error('nginx is not installed');
  const port = await freePort();
  const folder = folderWith({ 'site.conf': site.replaceAll('listen 80;', `listen 127.0.0.1:${port};`) });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const config = `worker_processes 2; pid ${folder}/pid; error_log ${folder}/log notice; daemon off;
events {}
http { access_log off; ${paths.join(' ')} include ${folder}/site.conf; }
`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  execFileSync(program, ['-t', '-e', join(folder, 'log'), '-c', join(folder, 'nginx.conf')], { stdio: 'pipe' });
  return run(program, ['-e', join(folder, 'log'), '-c', join(folder, 'nginx.conf')], port, folder, join(folder, 'log'));
}

/** HAProxy that listens on a free port, named `PORT` in the configuration; `files` stand beside that. */
export async function startHaproxy(config: string, files: Readonly<Record<string, string>> = {}): Promise<Proxy> {
  const program = findProgram('haproxy');
  if (program === null) throw new Error('haproxy is not installed');
  const port = await freePort();
  const folder = folderWith({ ...files, 'haproxy.cfg': config.replaceAll('PORT', String(port)) });
  return run(program, ['-db', '-q', '-f', 'haproxy.cfg'], port, folder);
}

/** Caddy that listens on a free port, named `PORT` in the Caddyfile. */
export async function startCaddy(caddyfile: string): Promise<Proxy> {
  const program = findProgram('caddy');
  if (program === null) throw new Error('caddy is not installed');
  const port = await freePort();
  const folder = folderWith({ Caddyfile: `{\n\tadmin off\n\tauto_https off\n}\n${caddyfile.replaceAll('PORT', String(port))}` });
  return run(program, ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'], port, folder);
}

async function run(program: string, args: readonly string[], port: number, folder: string, log?: string): Promise<Proxy> {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_096)));
  const closed = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  for (const deadlineMs = performance.now() + 10_000; !(await accepts(port)); ) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`${program} does not listen: ${said}${log === undefined ? '' : readFileSync(log, 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { port, url: `http://127.0.0.1:${port}` };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}
