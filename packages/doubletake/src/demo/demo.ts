/**
 * The demo: a pretend shop in production, its next version beside it, people who shop in production, and a real
 * `doubletake mirror` that replays to the next version what it sees, and compares.
 *
 *   shoppers -> relay -> production
 *                 '- VXLAN -> doubletake mirror -> next version
 *
 * Everything runs on 127.0.0.1 and is stopped in the order of the data flow, so that nothing is cut off on its way.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunReport } from '../compare/report.ts';
import { DoubletakeError } from '../errors.ts';
import { type HostPort, hostPortText } from '../host-port.ts';
import { reportSoFar } from '../store/run-reader.ts';
import { hasDesktop, openBrowser } from './browser.ts';
import { demoConfiguration } from './configuration.ts';
import { freePort } from './free-port.ts';
import { type MirrorEnd, type MirrorProcess, startMirror } from './mirror-process.ts';
import { startMirroringRelay } from './mirroring-relay.ts';
import { type Shop, startShop } from './shop.ts';
import { runShoppers } from './shoppers.ts';
import { createView, type Output, painter, type Progress } from './view.ts';

export interface DemoOptions {
  /** Ends the demo in good order: Ctrl-C. */
  signal: AbortSignal;
  /** Ends it after so long; null: it goes on until the signal. */
  seconds: number | null;
  /** Where the dashboard should be; the next free port is taken where this one is not. */
  dashboard: HostPort;
  /** Open it in a browser, where there is a desktop. */
  open: boolean;
  /** Folder for the run, which stays; null: a temporary one. */
  run: string | null;
  out: Output;
}

export interface DemoEnd extends MirrorEnd {
  /** Requests that production answered. */
  production: number;
  /** What the comparison came to. */
  report: RunReport | null;
}

/** How long the last requests may take from production to the mirror. */
const settleMsMax = 3_000;

/** Runs the demo to its end; rejects when a part of it cannot be started. Stops all that it started in any case. */
export async function runDemo({ signal, seconds, dashboard, open, run, out }: DemoOptions): Promise<DemoEnd> {
  await using stack = new AsyncDisposableStack();
  const folder = await workFolder(run, stack);
  const production = await startShop('production');
  stack.defer(() => production.close());
  const next = await startShop('next');
  stack.defer(() => next.close());
  const configuration = join(folder, 'mirror.yaml');
  const runFolder = run === null ? join(folder, 'run') : folder;
  const listen = hostPortText({ host: dashboard.host, port: await freePort(dashboard) });
  const rules = join(folder, 'rules.yaml');
  const target = new URL(`http://127.0.0.1:${next.port}`);
  writeConfiguration(configuration, demoConfiguration({ target, run: runFolder, rules, dashboard: listen }));
  const mirror = await startMirror([configuration]);
  stack.defer(async () => void (await mirror.stop()));
  const relay = await startMirroringRelay({ production: { host: '127.0.0.1', port: production.port }, mirrorTo: mirror.vxlan });
  stack.defer(() => relay.close());

  out.write(introduction({ mirror, relay, production, next, configuration, out }));
  if (open && out.isTTY === true && mirror.dashboard !== null && hasDesktop(process.env)) openBrowser(`http://${mirror.dashboard}/`);
  const startMs = performance.now();
  let report: RunReport | null = null;
  const progress = (): Progress => {
    report = reportSoFar(runFolder) ?? report;
    return { elapsedSeconds: (performance.now() - startMs) / 1000, production: production.answered, next: next.answered, report };
  };
  const view = createView(out);
  // Not AbortSignal.timeout: nothing but the signals themselves would hold it, and a collected one never comes.
  const closing = new AbortController();
  const close = (): void => closing.abort();
  const closingTime = seconds === null ? undefined : setTimeout(close, seconds * 1000);
  signal.addEventListener('abort', close);
  if (signal.aborted) close();
  // Without a mirror there is nothing to see.
  void mirror.ended.then(close);
  const timer = setInterval(() => view.update(progress()), view.updateMs);
  try {
    await runShoppers({ host: relay.host, port: relay.port }, closing.signal);
    await relay.close();
    await settle(mirror, production);
  } finally {
    clearInterval(timer);
    clearTimeout(closingTime);
    signal.removeEventListener('abort', close);
    view.end(progress());
  }
  const end = await mirror.stop();
  return { ...end, production: production.answered, report: reportSoFar(runFolder) };
}

/** The folder of the run, or a temporary one that goes when the process ends, however it ends. */
async function workFolder(run: string | null, stack: AsyncDisposableStack): Promise<string> {
  if (run !== null) {
    const folder = resolve(run);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new DoubletakeError('DT_RUN_WRITE', `--run ${run}: the folder cannot be made: ${(error as Error).message}`);
    }
    return folder;
  }
  const folder = await mkdtemp(join(tmpdir(), 'doubletake-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  stack.defer(() => {
    process.off('exit', remove);
    remove();
  });
  return folder;
}

/** Never over the configuration of another run. */
function writeConfiguration(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new DoubletakeError('DT_RUN_EXISTS', `there is a ${file} already; give another folder, or move that one away`);
  }
}

/** Waits until the mirror has seen all that production answered, but not for ever. */
async function settle(mirror: MirrorProcess, production: Shop): Promise<void> {
  const deadlineMs = performance.now() + settleMsMax;
  while (performance.now() < deadlineMs) {
    const captured = await mirror.captured();
    if (captured === null || captured >= production.answered) return;
    await delay(20);
  }
}

interface Parts {
  mirror: MirrorProcess;
  relay: HostPort;
  production: Shop;
  next: Shop;
  configuration: string;
  out: Output;
}

function introduction({ mirror, relay, production, next, configuration, out }: Parts): string {
  const paint = painter(out);
  return `
  ${paint('bold', 'Tea for Two: a shop, its next version, and a mirror between them')}

  shoppers ─▶ relay :${relay.port} ─▶ production :${production.port}
                └─ packets, copied as VXLAN ─▶ doubletake mirror :${mirror.vxlan.port} ─▶ next version :${next.port}

  Three things are broken in the next version. Two others differ from answer to answer, and are no fault.
${mirror.dashboard === null ? '' : `\n  dashboard       ${paint('cyan', `http://${mirror.dashboard}/`)}`}${mirror.token === null ? '' : `\n  token           ${mirror.token}`}
  configuration   ${configuration}
`;
}
