/** A real nginx in a folder of its own, on ports of the kernel's choosing. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './mirror.ts';
import { listen } from './replay-servers.ts';

/** Why a test with this program is skipped, or null where it is there. */
export function missing(...programs: string[]): string | null {
  const absent = programs.filter((name) => spawnSync('which', [name], { env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` } }).status !== 0);
  return absent.length === 0 ? null : `${absent.join(', ')} not installed (scripts/install-test-packages.sh)`;
}

/** Starts nginx with this content of `http { }`, once it listens on `port`; stopped when the test ends. */
export async function startNginx(http: string, port: number): Promise<{ folder: string; child: ChildProcess }> {
  const folder = mkdtempSync(join(tmpdir(), 'doubletake-nginx-'));
  writeFileSync(
    join(folder, 'nginx.conf'),
    // The folder is this user's alone.
    `user ${userInfo().username};\nworker_processes 1;\npid nginx.pid;\nerror_log stderr warn;\nevents { worker_connections 1024; }\nhttp {\n` +
      ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};\n`).join('') +
      `access_log off;\n${http}\n}\n`,
  );
  const child = spawn('/usr/sbin/nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually('nginx', () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    return spawnSync('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${port}/`]).status === 7 ? null : true;
  });
  return { folder, child };
}

/** A port that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
