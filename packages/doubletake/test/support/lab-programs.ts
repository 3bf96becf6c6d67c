/** Programs in the namespaces of a network lab: nginx with its log, doubletake with its ledger, and a load of requests. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LedgerReport } from '../../src/ledger/report.ts';
import { eventually, program } from './mirror.ts';
import type { NetworkLab, Place } from './network-lab.ts';

const loadClient = fileURLToPath(new URL('./load-client.ts', import.meta.url));

export interface LabNginx {
  /** What it was asked so far: lines of method, target, Content-Length and status. */
  log(): string[];
}

/** An nginx in a folder below `folder` that answers everything with `answer of NAME` and logs a line a request. */
export async function startLabNginx(
  lab: NetworkLab,
  folder: string,
  place: Place,
  listen: string,
  name: string = place,
): Promise<LabNginx> {
  const prefix = join(folder, name);
  mkdirSync(prefix);
  const configuration = join(prefix, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; pid ${prefix}/pid; error_log ${prefix}/error.log; worker_processes 1;
    events { worker_connections 1024; }
    http {
      log_format line '$request_method $request_uri $content_length $status';
      access_log ${prefix}/access.log line;
      client_body_temp_path ${prefix}/body; keepalive_requests 10000000;
      server { listen ${listen} backlog=1024; location / { return 200 "answer of ${name}\\n"; } }
    }`,
  );
  const server = lab.spawn(place, 'nginx', ['-c', configuration, '-p', prefix, '-e', `${prefix}/error.log`]);
  const printed = collect(server);
  await eventually(`nginx in ${place}`, () => {
    if (server.exitCode !== null) throw new Error(`nginx ended: ${printed.stderr}`);
    return readText(join(prefix, 'pid'));
  });
  return { log: () => (readText(join(prefix, 'access.log')) ?? '').split('\n').slice(0, -1) };
}

export interface LabRun {
  /** What it printed on standard error so far. */
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Stops it with SIGTERM and reads what it counted. */
  stop(): Promise<{ code: number | null; stderr: string; counts: unknown }>;
}

/** Starts `doubletake COMMAND …` in a namespace and waits for its ready line. */
export async function startInLab(
  lab: NetworkLab,
  folder: string,
  place: Place,
  command: 'mirror' | 'tap',
  flags: readonly string[],
): Promise<LabRun> {
  const file = join(folder, `${command}-${place}.json`);
  const child = lab.spawn(place, process.execPath, [program, command, '--ledger', file, ...flags]);
  const printed = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await eventually('the ready line', () => {
    if (child.exitCode !== null) throw new Error(`doubletake ended: ${printed.stderr}`);
    return /^ready /m.exec(printed.stderr);
  });
  return {
    stderr: () => printed.stderr,
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      const counts: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return { code, stderr: printed.stderr, counts };
    },
  };
}

/** The ledger of a mirror that was stopped. */
export async function stopMirror(mirror: LabRun): Promise<{ code: number | null; stderr: string; ledger: LedgerReport }> {
  const { code, stderr, counts } = await mirror.stop();
  return { code, stderr, ledger: counts as LedgerReport };
}

/** Sends so many requests from the client's namespace, each with a target below `/PREFIX/`, and waits for the answers. */
export async function sendInLab(lab: NetworkLab, url: string, count: number, prefix: string): Promise<void> {
  const client = lab.spawn('client', process.execPath, [loadClient, url, String(count), prefix]);
  const printed = collect(client);
  const code = await new Promise((resolve) => client.once('close', resolve));
  if (code !== 0 || printed.stderr !== '') throw new Error(`the client failed (${String(code)}): ${printed.stderr}`);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function collect(child: ChildProcess): { stderr: string } {
  const printed = { stderr: '' };
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  return printed;
}
