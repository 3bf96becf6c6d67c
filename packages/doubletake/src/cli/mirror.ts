/** `doubletake mirror`: capture, make safe, replay; until stopped. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { formatListen } from '../config/listen.ts';
import { terminalReport } from '../compare/report-text/terminal.ts';
import { buildConfig, readConfigFile } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { Engine } from '../engine/engine.ts';
import { DoubletakeError } from '../errors.ts';
import { imbalances, type LedgerReport } from '../ledger/report.ts';
import { startControlServer } from '../server/control.ts';
import { startHealthServer } from '../server/health.ts';
import { ExitCode } from './exit-code.ts';
import { parseDuration, parseInteger, parseListen, parseMethods, parsePercentage, parseProxy } from './flags.ts';
import { ledgerText } from './ledger-text.ts';
import { type ConfigFlags, overridesOf } from './mirror-flags.ts';
import { createReporter, type Reporter } from './reporter.ts';

const list = <T>(parse: (text: string) => T) => (text: string, before: T[] | undefined): T[] => [...(before ?? []), parse(text)];

export function mirrorCommand(): Command {
  return new Command('mirror')
    .summary('capture traffic and replay it to a test environment, until stopped')
    .description(
      'Takes a copy of production HTTP traffic, rebuilds the requests and replays them to one or more targets.\n' +
        'Production is never called. Only GET, HEAD and OPTIONS are replayed unless --methods says otherwise.',
    )
    .argument('[CONFIG.yaml]', 'configuration file, YAML or JSON (docs/configuration.md); flags beside it override it')
    .optionsGroup('Sources:')
    .addOption(
      new Option('--vxlan <[HOST:]PORT>', 'receive VXLAN packets, as AWS VPC Traffic Mirroring sends them; repeatable')
        .argParser(list((text) => parseListen('--vxlan', text))),
    )
    .addOption(
      new Option('--geneve <[HOST:]PORT>', 'receive GENEVE packets, as AWS gateway load balancer endpoints and GCP send them (usual port: 6081); repeatable')
        .argParser(list((text) => parseListen('--geneve', text))),
    )
    .addOption(
      new Option('--interface <IF>', 'take what passes this network interface, or any; on Linux with CAP_NET_RAW; repeatable')
        .argParser(list((name) => name)),
    )
    .addOption(
      new Option('--receive <HOW>', 'take VXLAN and GENEVE packets from a UDP socket (default), or from the interface\'s packet ring, which costs less at the highest rates')
        .choices(['socket', 'ring']),
    )
    .addOption(
      new Option('--http-sink <[HOST:]PORT>', 'take the copies that a proxy sends (doubletake generate prints its configuration); repeatable')
        .argParser(list((text) => parseListen('--http-sink', text))),
    )
    .addOption(
      new Option('--pcap <FILE>', 'read a capture file (pcap, pcapng, also gzipped; - is standard input) as fast as the targets answer, then stop; repeatable')
        .argParser(list((file) => file)),
    )
    .addOption(
      new Option('--proxy <[HOST:]PORT=URL>', 'relay every TCP connection to production at this URL, bytes unchanged, and take a copy (docs/tee-proxy.md); repeatable')
        .argParser(list((text) => parseProxy('--proxy', text))),
    )
    .addOption(
      new Option('--vni <N>', 'take only this VXLAN or GENEVE network identifier; repeatable')
        .argParser(list((text) => parseInteger('--vni', text, 0, 0xff_ffff))),
    )
    .addOption(
      new Option('--port <N>', 'take only connections to this server port; repeatable')
        .argParser(list((text) => parseInteger('--port', text, 1, 65_535))),
    )
    .option('--merge-tunnels', 'the tunnels show the same network: a packet seen through two of them is one')
    .optionsGroup('Targets:')
    .option('--target <[NAME=]URL>', 'replay to this http:// or https:// URL; repeatable', list((text: string) => text))
    .option('--ca <FILE>', 'trust these certificate authorities (PEM) for https targets, instead of the system\'s')
    .addOption(new Option('--host <WHICH>', 'Host header: the target\'s own (default), or the original one').choices(['target', 'original']))
    .addOption(
      new Option('--ordering <HOW>', 'requests of one production connection keep their order (default), or not')
        .choices(['connection', 'none']),
    )
    .addOption(
      new Option('--timeout <DURATION>', 'give up a request that the target has not answered whole after this long (default: 30s)')
        .argParser((text) => `${parseDuration('--timeout', text)}ms`),
    )
    .optionsGroup('Which requests:')
    .addOption(
      new Option('--methods <LIST>', 'safe (GET, HEAD, OPTIONS; default), all, or a list such as GET,POST')
        .argParser((text) => parseMethods('--methods', text)),
    )
    .addOption(
      new Option('--percentage <P>', 'replay this share of the requests (default: 100)')
        .argParser((text) => parsePercentage('--percentage', text)),
    )
    .addOption(
      new Option('--percentage-by <WHAT>', 'what is in or out as a whole: each request, all with the same header value, or all of one client')
        .choices(['request', 'header', 'remote-address']),
    )
    .option('--percentage-by-header <NAME>', 'the header for --percentage-by header')
    .optionsGroup('Running:')
    .addOption(
      new Option('--workers <N>', 'worker threads; one serves about 20,000 requests/s (default: 1)')
        .argParser((text) => parseInteger('--workers', text, 1, 256)),
    )
    .addOption(
      new Option('--health <[HOST:]PORT>', 'answer GET /healthz for a load balancer')
        .argParser((text) => parseListen('--health', text)),
    )
    .option('--run <DIR>', 'compare production\'s answers with the target\'s, and write the comparison to this new folder for `doubletake report`')
    .option('--record <DIR>', 'record the requests, made safe, with production\'s responses, to this folder')
    .option('--control <PATH>', 'let `doubletake control` stop and resume replay through this Unix socket')
    .option('--ledger <FILE.json>', 'write the ledger to this file at exit, and on SIGUSR2')
    .option('--quiet', 'print nothing but the ready line, warnings and errors')
    .action((file: string | undefined, flags: MirrorFlags) => mirror(file, flags));
}

interface MirrorFlags extends ConfigFlags {
  quiet?: boolean;
}

async function mirror(file: string | undefined, flags: MirrorFlags): Promise<void> {
  const document = file === undefined ? null : readConfigFile(file, process.env);
  const config = buildConfig(document, overridesOf(flags, document));
  if (config.ledger !== undefined) checkWritable(config.ledger);
  const reporter = createReporter(flags.quiet ?? false);
  const stopped = Promise.withResolvers<void>();
  let failed = false;
  const engine = new Engine(config, {
    warning: (text) => reporter.warning(text),
    notice: (text) => reporter.notice(text),
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
  // The port for health is taken first, so that a balancer sees 503 while the rest starts.
  const health = config.health && (await startHealthServer(config.health, () => engine.problem()));
  const control =
    config.control === undefined
      ? null
      : await startControlServer(config.control, {
          report: () => engine.report(),
          halt: () => engine.halt(),
          resume: () => engine.resume(),
          setPercentage: (target, percentage) => engine.setPercentage(target, percentage),
          changed: (text) => reporter.warning(text),
        });
  let reloading = Promise.resolve();
  const signals = onSignals({
    stop: () => stopped.resolve(),
    again: () => engine.abort(),
    dump: () => writeLedger(config.ledger, engine.report()),
    reload:
      file === undefined
        ? null
        : () => {
            // One after the other, so that the file as it was read last holds in the end.
            reloading = reloading.then(() => reload(engine, file, flags, reporter));
          },
  });
  try {
    const addresses = await engine.start();
    if (health !== undefined) addresses.push(`health=${formatListen(health)}`);
    process.stderr.write(`ready ${addresses.join(' ')}\n`);
    reporter.start(() => engine.report());
    await stopped.promise;
    reporter.stop();
    const report = await engine.stop(config.drainMs);
    writeLedger(config.ledger, report);
    if (flags.quiet !== true) process.stdout.write(ledgerText(report));
    const { comparison } = engine;
    if (comparison !== null && flags.quiet !== true) {
      const { isTTY, columns } = process.stdout;
      process.stdout.write(`\n${terminalReport(comparison, { width: Math.min(columns ?? 100, 120), color: isTTY })}`);
    }
    const problems = [...imbalances(report), ...leftovers(report)];
    for (const problem of problems) reporter.error(`the ledger does not add up: ${problem}`);
    if (failed || problems.length > 0) process.exitCode = ExitCode.ledger;
  } finally {
    reporter.stop();
    signals.remove();
    await control?.close();
    await health?.close();
  }
}

/** Reads the file again; what cannot be used changes nothing. */
async function reload(engine: Engine, file: string, flags: ConfigFlags, reporter: Reporter): Promise<void> {
  try {
    const document = readConfigFile(file, process.env);
    const kept = await engine.reload(buildConfig(document, overridesOf(flags, document)));
    for (const name of kept) reporter.warning(`${file}: ${name} has changed, which takes a restart; the old one stays`);
    reporter.notice(`reloaded ${file}`);
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
