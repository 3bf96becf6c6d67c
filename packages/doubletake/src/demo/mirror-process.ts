/**
 * The mirror as a user runs it: the real command line in a process of its own.
 *
 * It gets a process group of its own, so that Ctrl-C in the terminal reaches only the demo, which then stops things in
 * the right order; and it is killed when the demo's process exits for whatever reason.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import type { HostPort } from './mirroring-relay.ts';

export interface MirrorProcess {
  readonly processId: number;
  /** Where it takes VXLAN packets. */
  readonly vxlan: HostPort;
  /** Stops it and waits for its end. Safe to call twice. */
  stop(): Promise<MirrorEnd>;
}

export interface MirrorEnd {
  /** The ledger for people, as it printed it. */
  printed: string;
  /** The end of its log. */
  log: string;
  /** The ledger, or null when it did not write one. */
  ledger: LedgerReport | null;
  /** Exit code, or null when it had to be killed. */
  exitCode: number | null;
}

const readyMsMax = 20_000;
const stopMsMax = 15_000;
/** Kept of each output stream. */
const charactersMax = 1 << 20;

/**
 * Starts `doubletake mirror` from VXLAN to `target`, with further `flags`; rejects with what it said when it does not get
 * ready.
 */
export async function startMirror(target: URL, flags: readonly string[] = []): Promise<MirrorProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'doubletake-demo-'));
  const ledgerFile = join(directory, 'ledger.json');
  const command = fileURLToPath(new URL('../../bin/doubletake.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [command, 'mirror', '--vxlan', '127.0.0.1:0', '--target', target.href, '--ledger', ledgerFile, ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: process.platform !== 'win32' },
  );
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const abandon = (): void => {
    kill();
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', abandon);

  // Logs and the ready line come on standard error, the ledger for people on standard output.
  let said = '';
  let printed = '';
  const ready = Promise.withResolvers<HostPort>();
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', ready.reject);
    child.on('close', (exitCode) => {
      process.off('exit', abandon);
      ready.reject(new DoubletakeError('DT_DEMO_MIRROR', `the mirror did not start: ${said.trimEnd()}`));
      resolve(exitCode);
    });
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(0, charactersMax);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-charactersMax);
    const [, host, port] = /^ready .*?\bvxlan=(\S+):(\d+)/m.exec(said) ?? [];
    if (host !== undefined) ready.resolve({ host, port: Number(port) });
  });

  const stop = async (): Promise<MirrorEnd> => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, stopMsMax);
    const exitCode = await ended;
    clearTimeout(timer);
    const ledger = await readLedger(ledgerFile);
    await rm(directory, { recursive: true, force: true });
    return { printed, log: said, ledger, exitCode };
  };
  const late = new DoubletakeError('DT_DEMO_MIRROR', `the mirror was not ready after ${readyMsMax / 1000} s`);
  const timer = setTimeout(() => ready.reject(late), readyMsMax);
  let stopping: Promise<MirrorEnd> | undefined;
  try {
    const vxlan = await ready.promise;
    return { processId: child.pid ?? 0, vxlan, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A mirror that was killed may have written nothing. */
async function readLedger(file: string): Promise<LedgerReport | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as LedgerReport);
}
