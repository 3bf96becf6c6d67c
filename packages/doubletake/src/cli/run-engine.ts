/** Runs an engine from the command line, from its start to its ledger: for `mirror` until stopped, for `replay` to the end. */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { RunReport } from '../compare/report.ts';
import { ConfigError } from '../config/problem.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { Engine } from '../engine/engine.ts';
import { DoubletakeError } from '../errors.ts';
import { hostPortText } from '../host-port.ts';
import { imbalances, type LedgerReport } from '../ledger/report.ts';
import type { DashboardBackend } from '../server/api/backend.ts';
import { ChangeLog } from '../server/changes.ts';
import type { ControlServer } from '../server/control.ts';
import type { DashboardServer } from '../server/dashboard.ts';
import type { HealthServer } from '../server/health.ts';
import { liveBackend } from '../server/live-backend.ts';
import { Metrics } from '../server/metrics/metrics.ts';
import type { OtlpExporter } from '../server/metrics/otlp-exporter.ts';
import { startExport } from '../server/metrics/start-export.ts';
import { ExitCode } from './exit-code.ts';
import { ledgerText } from './ledger-text.ts';
import type { Reporter } from './reporter.ts';
import { terminalOptions } from './terminal.ts';

/** A configuration that can be read again, from `file`. */
export interface Reread {
  file: string;
  read: () => MirrorConfig;
}

export interface RunOptions {
  /** Prints neither progress nor the ledger. */
  quiet: boolean;
  reporter: Reporter;
  /** What SIGHUP reads; null where there is no file. */
  reread: Reread | null;
}

/**
 * Resolves with what the comparison came to, null where there was none, when all files were read or a signal came. Sets the
 * exit code when something of ours went wrong.
 */
export async function runEngine(config: MirrorConfig, { quiet, reporter, reread }: RunOptions): Promise<RunReport | null> {
  if (config.ledger !== undefined) checkWritable(config.ledger);
  const stopped = Promise.withResolvers<void>();
  let failed = false;
  const changes = new ChangeLog((text) => reporter.warning(text));
  const engine = new Engine(config, {
    warning: (text) => reporter.warning(text),
    notice: (text) => reporter.notice(text),
    ramped: (text) => void changes.note('ramp', text),
    exhausted: () => stopped.resolve(),
    failed: (error) => {
      failed = true;
      reporter.error(`a thread died, stopping: ${error.stack ?? error.message}`);
      stopped.resolve();
    },
    degraded: (error) => {
      failed = true;
      reporter.error(`a worker died, its requests are lost; the proxy goes on: ${error.stack ?? error.message}`);
    },
  });
  const backend = liveBackend(engine);
  const metrics = new Metrics(backend.live);
  let health: HealthServer | null = null;
  let control: ControlServer | null = null;
  let dashboard: DashboardServer | null = null;
  let exporter: OtlpExporter | null = null;
  let fleet: { stop(): Promise<void> } | null = null;
  let reloading = Promise.resolve();
  const signals = onSignals({
    stop: () => stopped.resolve(),
    again: () => engine.abort(),
    dump: () => writeLedger(config.ledger, engine.report()),
    reload:
      reread === null
        ? null
        : () => {
            // One after the other, so that the file as it was read last holds in the end.
            reloading = reloading.then(() => reload(engine, reread, reporter, changes));
          },
  });
  try {
    // The port for health is taken first, so that a balancer sees 503 while the rest starts.
    health = await openHealth(config, engine, metrics);
    control = await openControl(config, engine, changes);
    dashboard = await openDashboard(config, { backend, metrics, changes, reporter });
    const addresses = await engine.start();
    exporter = startExport(config, metrics, reporter);
    if (dashboard !== null) addresses.push(`dashboard=${hostPortText(dashboard)}`);
    if (health !== null) addresses.push(`health=${hostPortText(health)}`);
    process.stderr.write(`ready ${addresses.join(' ')}\n`);
    reporter.start(() => engine.report());
    if (config.aws?.watch) fleet = (await import('./aws-watch.ts')).watchBeside(config.aws, reporter);
    await stopped.promise;
    reporter.stop();
    const report = await engine.stop(config.drainMs);
    writeLedger(config.ledger, report);
    if (!quiet) process.stdout.write(ledgerText(report));
    const { comparison } = engine;
    if (comparison !== null && !quiet) {
      const { terminalReport } = await import('../compare/report-text/terminal.ts');
      process.stdout.write(`\n${terminalReport(comparison, terminalOptions(120))}`);
    }
    const problems = [...imbalances(report), ...leftovers(report)];
    for (const problem of problems) reporter.error(`the ledger does not add up: ${problem}`);
    if (failed || problems.length > 0) process.exitCode = ExitCode.ledger;
    return comparison;
  } finally {
    reporter.stop();
    signals.remove();
    await exporter?.close();
    await dashboard?.close();
    await fleet?.stop();
    await control?.close();
    await health?.close();
    metrics.close();
  }
}

/** Null when none is asked for; what serves it is loaded only then, as that of the two below. */
async function openHealth({ health }: MirrorConfig, engine: Engine, metrics: Metrics): Promise<HealthServer | null> {
  if (health === undefined) return null;
  const { startHealthServer } = await import('../server/health.ts');
  return startHealthServer(health, () => engine.problem(), (accept) => metrics.expose(accept));
}

async function openControl({ control }: MirrorConfig, engine: Engine, changes: ChangeLog): Promise<ControlServer | null> {
  if (control === undefined) return null;
  const { startControlServer } = await import('../server/control.ts');
  return startControlServer(control, {
    report: () => engine.report(),
    halt: () => engine.halt(),
    resume: () => engine.resume(),
    setPercentage: (target, percentage) => engine.setPercentage(target, percentage),
    changed: (text) => void changes.add('control socket', text),
  });
}

async function openDashboard(
  config: MirrorConfig,
  { backend, metrics, changes, reporter }: { backend: DashboardBackend; metrics: Metrics; changes: ChangeLog; reporter: Reporter },
): Promise<DashboardServer | null> {
  if (config.dashboard === undefined) return null;
  const { startDashboard } = await import('../server/dashboard.ts');
  const options = {
    config: config.dashboard,
    changes,
    warning: (text: string) => reporter.warning(text),
    metrics: async (accept: string | undefined) => metrics.expose(accept),
  };
  const dashboard = await startDashboard(options, backend);
  reporter.notice(`the dashboard is at ${dashboard.address}`);
  // Told once, and to no log.
  if (dashboard.token !== null) process.stderr.write(`doubletake: the dashboard's operator token: ${dashboard.token}\n`);
  return dashboard;
}

/** Reads the file again; what cannot be used changes nothing. */
async function reload(engine: Engine, { file, read }: Reread, reporter: Reporter, changes: ChangeLog): Promise<void> {
  try {
    const kept = await engine.reload(read());
    for (const name of kept) reporter.warning(`${file}: ${name} has changed, which takes a restart; the old one stays`);
    reporter.notice(`reloaded ${file}`);
    changes.note('signal', `reloaded ${file}`);
  } catch (error) {
    if (!(error instanceof DoubletakeError)) throw error;
    const lines = error instanceof ConfigError ? error.lines : [error.message];
    for (const line of lines) reporter.error(line);
    reporter.error(`${file} was not reloaded; the old configuration stays`);
  }
}

/** After a stop nothing may be in flight: a request that still is was lost by us. */
function leftovers(report: LedgerReport): string[] {
  return report.inFlight === 0 ? [] : [`${report.inFlight} requests never came to an outcome`];
}

/** `reload` is null where there is no file to read again: SIGHUP then ends the process, as the system has it. */
function onSignals(actions: {
  stop(): void;
  again(): void;
  dump(): void;
  reload: (() => void) | null;
}): { remove(): void } {
  let stopping = false;
  const stop = (): void => {
    if (stopping) actions.again();
    stopping = true;
    actions.stop();
  };
  const dump = (): void => actions.dump();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  if (process.platform !== 'win32') process.on('SIGUSR2', dump);
  if (actions.reload !== null) process.on('SIGHUP', actions.reload);
  return {
    remove: () => {
      if (actions.reload !== null) process.off('SIGHUP', actions.reload);
      process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGUSR2', dump);
    },
  };
}

/** Finds out before a long run whether its ledger can be written at the end. */
function checkWritable(file: string): void {
  try {
    appendFileSync(file, '');
  } catch (error) {
    throw new DoubletakeError('DT_LEDGER_FILE', `--ledger ${file}: cannot write there: ${fileProblem(error)}`);
  }
}

function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Record<string, string> = {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'a part of the path is no folder',
    EISDIR: 'it is a folder; name a file in it',
    EACCES: 'no permission',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space is left',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}

function writeLedger(file: string | undefined, report: LedgerReport): void {
  if (file === undefined) return;
  try {
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    process.stderr.write(`doubletake: cannot write the ledger: ${error instanceof Error ? error.message : String(error)}\n`);
    process.stderr.write(`${JSON.stringify(report)}\n`);
  }
}
