/** `doubletake mirror`: capture, make safe, replay; until stopped. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { z } from 'zod';
import { type MirrorConfig, type MirrorInput, mirrorSchema } from '../config/schema.ts';
import { Engine } from '../engine/engine.ts';
import { DoubletakeError } from '../errors.ts';
import { imbalances, type LedgerReport } from '../ledger/report.ts';
import { startHealthServer } from '../server/health.ts';
import { ExitCode } from './exit-code.ts';
import { parseDuration, parseInteger, parseListen, parseMethods, parsePercentage, parseTarget } from './flags.ts';
import { ledgerText } from './ledger-text.ts';
import { createReporter } from './reporter.ts';

const list = <T>(parse: (text: string) => T) => (text: string, before: T[] | undefined): T[] => [...(before ?? []), parse(text)];

export function mirrorCommand(): Command {
  return new Command('mirror')
    .summary('capture traffic and replay it to a test environment, until stopped')
    .description(
      'Takes a copy of production HTTP traffic, rebuilds the requests and replays them to one or more targets.\n' +
        'Production is never called. Only GET, HEAD and OPTIONS are replayed unless --methods says otherwise.',
    )
    .optionsGroup('Sources:')
    .addOption(
      new Option('--vxlan <[HOST:]PORT>', 'receive VXLAN packets, as AWS VPC Traffic Mirroring sends them; repeatable')
        .argParser(list((text) => ({ vxlan: { listen: parseListen('--vxlan', text, '0.0.0.0') } }))),
    )
    .addOption(
      new Option('--pcap <FILE>', 'read a capture file (pcap, pcapng, also gzipped; - is standard input) as fast as the targets answer, then stop; repeatable')
        .argParser(list((file) => ({ pcap: { file } }))),
    )
    .addOption(
      new Option('--vni <N>', 'take only this VXLAN network identifier; repeatable')
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
    .addOption(new Option('--host <WHICH>', 'Host header: the target\'s own, or the original one').choices(['target', 'original']).default('target'))
    .addOption(
      new Option('--ordering <HOW>', 'requests of one production connection keep their order, or not')
        .choices(['connection', 'none'])
        .default('connection'),
    )
    .addOption(
      new Option('--timeout <DURATION>', 'give up a request that the target has not answered whole after this long')
        .argParser((text) => parseDuration('--timeout', text))
        .default(30_000, '30s'),
    )
    .optionsGroup('Which requests:')
    .addOption(
      new Option('--methods <LIST>', 'safe (GET, HEAD, OPTIONS), all, or a list such as GET,POST')
        .argParser((text) => parseMethods('--methods', text))
        .default('safe'),
    )
    .addOption(
      new Option('--percentage <P>', 'replay this share of the requests')
        .argParser((text) => parsePercentage('--percentage', text))
        .default(100),
    )
    .addOption(
      new Option('--percentage-by <WHAT>', 'what is in or out as a whole: each request, all with the same header value, or all of one client')
        .choices(['request', 'header', 'remote-address']),
    )
    .option('--percentage-by-header <NAME>', 'the header for --percentage-by header')
    .optionsGroup('Running:')
    .addOption(
      new Option('--workers <N>', 'worker threads; one serves about 20,000 requests/s')
        .argParser((text) => parseInteger('--workers', text, 1, 256))
        .default(1),
    )
    .addOption(
      new Option('--health <[HOST:]PORT>', 'answer GET /healthz for a load balancer')
        .argParser((text) => parseListen('--health', text, '0.0.0.0')),
    )
    .option('--ledger <FILE.json>', 'write the ledger to this file at exit, and on SIGUSR2')
    .option('--quiet', 'print nothing but the ready line, warnings and errors')
    .action((flags: MirrorFlags) => mirror(flags));
}

interface MirrorFlags {
  vxlan?: MirrorInput['sources'];
  pcap?: MirrorInput['sources'];
  vni?: number[];
  port?: number[];
  mergeTunnels?: boolean;
  target?: string[];
  ca?: string;
  host: 'target' | 'original';
  ordering: 'connection' | 'none';
  timeout: number;
  methods: 'safe' | 'all' | string[];
  percentage: number;
  percentageBy?: 'request' | 'header' | 'remote-address';
  percentageByHeader?: string;
  workers: number;
  health?: { host: string; port: number };
  ledger?: string;
  quiet?: boolean;
}

/** The flags in the shape of the configuration, checked by its schema. */
function toConfig(flags: MirrorFlags): MirrorConfig {
  if (flags.percentageBy === 'header' && flags.percentageByHeader === undefined) {
    throw new DoubletakeError('DT_USAGE', '--percentage-by header: name the header with --percentage-by-header NAME');
  }
  if (flags.percentageBy !== 'header' && flags.percentageBy !== undefined && flags.percentageByHeader !== undefined) {
    throw new DoubletakeError(
      'DT_USAGE',
      `--percentage-by-header ${flags.percentageByHeader}: goes with --percentage-by header, not ${flags.percentageBy}`,
    );
  }
  const by = flags.percentageBy ?? (flags.percentageByHeader === undefined ? 'request' : 'header');
  const input: MirrorInput = {
    sources: [...(flags.vxlan ?? []), ...(flags.pcap ?? [])],
    vni: flags.vni ?? [],
    ports: flags.port ?? [],
    mergeTunnels: flags.mergeTunnels ?? false,
    policy: {
      methods: flags.methods,
      sample: { percentage: flags.percentage, by, header: flags.percentageByHeader },
    },
    targets: (flags.target ?? []).map((text, position) => ({
      ...parseTarget('--target', text, position),
      ca: flags.ca,
      host: flags.host,
      ordering: flags.ordering,
      limits: { responseTimeoutMs: Math.ceil(flags.timeout) },
    })),
    workers: flags.workers,
    health: flags.health,
    ledger: flags.ledger,
  };
  const parsed = mirrorSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new DoubletakeError('DT_USAGE', firstProblem(parsed.error));
}

function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'the flags do not fit together';
  const where = issue.path.join('.');
  return issue.code === 'custom' || issue.code === 'too_small' ? issue.message : `${where}: ${issue.message}`;
}

async function mirror(flags: MirrorFlags): Promise<void> {
  const config = toConfig(flags);
  if (config.ledger !== undefined) checkWritable(config.ledger);
  const reporter = createReporter(flags.quiet ?? false);
  const stopped = Promise.withResolvers<void>();
  let failed = false;
  const engine = new Engine(config, {
    warning: (text) => reporter.warning(text),
    exhausted: () => stopped.resolve(),
    failed: (error) => {
      failed = true;
      reporter.error(`a worker died, stopping: ${error.stack ?? error.message}`);
      stopped.resolve();
    },
  });
  // The port for health is taken first, so that a balancer sees 503 while the rest starts.
  const health = config.health && (await startHealthServer(config.health, () => engine.problem()));
  const signals = onSignals({
    stop: () => stopped.resolve(),
    again: () => engine.abort(),
    dump: () => writeLedger(config.ledger, engine.report()),
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
    const problems = [...imbalances(report), ...leftovers(report)];
    for (const problem of problems) reporter.error(`the ledger does not add up: ${problem}`);
    if (failed || problems.length > 0) process.exitCode = ExitCode.ledger;
  } finally {
    reporter.stop();
    signals.remove();
    await health?.close();
  }
}

/** After a stop nothing may be in flight: a request that still is was lost by us. */
function leftovers(report: LedgerReport): string[] {
  return report.inFlight === 0 ? [] : [`${report.inFlight} requests never came to an outcome`];
}

function onSignals(actions: { stop(): void; again(): void; dump(): void }): { remove(): void } {
  let stopping = false;
  const stop = (): void => {
    if (stopping) actions.again();
    stopping = true;
    actions.stop();
  };
  const dump = (): void => actions.dump();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  if (process.platform !== 'win32') process.on('SIGUSR2', dump);
  return {
    remove: () => {
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

function formatListen({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
