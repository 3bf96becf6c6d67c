/**
 * The mirror as a user runs it: the real command line in a process of its own.
 *
 * It gets a process group of its own, so that Ctrl-C in the terminal reaches only the demo, which then stops things in
 * the right order; and it is killed when the demo's process exits for whatever reason.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DoubletakeError } from '../errors.ts';
import type { HostPort } from '../host-port.ts';
import type { LedgerReport } from '../ledger/report.ts';

export interface MirrorProcess {
  readonly processId: number;
  /** Where it takes VXLAN packets. */
  readonly vxlan: HostPort;
  /** Where its dashboard is, as it printed it; null when it has none. */
  readonly dashboard: string | null;
  /** The operator's token for the dashboard, which it made and printed; null where none is asked for. */
  readonly token: string | null;
  /** Resolves when it has ended, by itself or not. */
  readonly ended: Promise<unknown>;
  /** Requests that it has seen so far; null when it does not answer. */
  captured(): Promise<number | null>;
  /** Stops it and waits for its end. Safe to call twice. */
  stop(): Promise<MirrorEnd>;
}

export interface MirrorEnd {
  /** The end of its log. */
  log: string;
  /** The ledger, or null when it did not write one. */
  ledger: LedgerReport | null;
  /** Exit code, or null when it had to be killed. */
  exitCode: number | null;
}

const readyMsMax = 20_000;
const stopMsMax = 15_000;
const askMsMax = 2_000;
/** Kept of its log. */
const charactersMax = 1 << 20;

/** Starts `doubletake mirror` with these arguments, quiet; rejects with what it said when it does not get ready. */
export async function startMirror(args: readonly string[]): Promise<MirrorProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'doubletake-mirror-'));
  const ledgerFile = join(folder, 'ledger.json');
  const command = fileURLToPath(new URL('../../bin/doubletake.js', import.meta.url));
  const child = spawn(process.execPath, [command, 'mirror', ...args, '--ledger', ledgerFile, '--quiet'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: process.platform !== 'win32',
    // A key of its own: pseudonyms of one demo mean nothing in the next.
    env: { ...process.env, DOUBLETAKE_KEY: randomBytes(32).toString('hex') },
  });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const abandon = (): void => {
    kill();
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', abandon);

  let said = '';
  const ready = Promise.withResolvers<Map<string, string>>();
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', ready.reject);
    child.on('close', (exitCode) => {
      process.off('exit', abandon);
      ready.reject(new DoubletakeError('DT_DEMO_MIRROR', `the mirror did not start: ${said.trimEnd()}`));
      resolve(exitCode);
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-charactersMax);
    const [, line] = /^ready (.*)\n/m.exec(said) ?? [];
    if (line !== undefined) ready.resolve(new Map([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', address = '']) => [name, address])));
  });

  const stop = async (): Promise<MirrorEnd> => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, stopMsMax);
    const exitCode = await ended;
    clearTimeout(timer);
    const ledger = await readLedger(ledgerFile);
    await rm(folder, { recursive: true, force: true });
    return { log: said, ledger, exitCode };
  };
  const late = new DoubletakeError('DT_DEMO_MIRROR', `the mirror was not ready after ${readyMsMax / 1000} s`);
  const timer = setTimeout(() => ready.reject(late), readyMsMax);
  let stopping: Promise<MirrorEnd> | undefined;
  try {
    const addresses = await ready.promise;
    return {
      processId: child.pid ?? 0,
      vxlan: hostPortOf(addresses.get('vxlan') ?? ''),
      dashboard: addresses.get('dashboard') ?? null,
      token: /operator token: (\S+)/.exec(said)?.[1] ?? null,
      ended,
      captured: () => capturedBy(`http://${addresses.get('health')}/metrics`),
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function hostPortOf(address: string): HostPort {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

async function capturedBy(metrics: string): Promise<number | null> {
  try {
    const response = await fetch(metrics, { signal: AbortSignal.timeout(askMsMax) });
    const [, captured] = /^doubletake_requests_captured_total\{[^}]*\} (\d+)$/m.exec(await response.text()) ?? [];
    return captured === undefined ? null : Number(captured);
  } catch {
    return null;
  }
}

/** A mirror that was killed may have written nothing. */
async function readLedger(file: string): Promise<LedgerReport | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? null : (JSON.parse(text) as LedgerReport);
}
