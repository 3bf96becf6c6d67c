/** `doubletake demo`: a small shop, mirrored to its next version and compared before your eyes. */
import { Command, Option } from 'commander';
import { terminalReport } from '../compare/report-text/terminal.ts';
import { type DemoEnd, runDemo } from '../demo/demo.ts';
import { foundIn } from '../demo/found.ts';
import { harmless } from '../demo/shop-answers.ts';
import { imbalances } from '../ledger/report.ts';
import { ended } from '../ledger/report-counts.ts';
import { ExitCode } from './exit-code.ts';
import { parseDuration, parseListen } from './flags.ts';
import { ledgerText } from './ledger-text.ts';
import { terminalOptions } from './terminal.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .summary('watch a small shop\'s traffic being mirrored to its next version, on this machine')
    .description(
      'Starts a shop, its next version with three faults, and customers, and mirrors their conversation for real: the\n' +
        'traffic arrives as VXLAN packets, as AWS VPC Traffic Mirroring would send them, is made safe, replayed and\n' +
        'compared. The verdict comes within a minute. Needs no privileges.',
    )
    .addOption(new Option('--for <DURATION>', 'end after this long, such as 30s or 2m, with the report (default: until Ctrl-C)').argParser((text) => parseDuration('--for', text)))
    .addOption(
      new Option('--dashboard <[HOST:]PORT>', 'where the dashboard is; the next free port is taken where this one is not')
        .argParser((text) => parseListen('--dashboard', text))
        .default('127.0.0.1:9090'),
    )
    .option('--open', 'open the dashboard in a browser, where there is a desktop')
    .option('--run <DIR>', 'keep the comparison and the configuration in this new folder, for `doubletake report` (default: a temporary one)')
    .action(demo);
}

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface DemoFlags {
  for?: number;
  dashboard: string;
  open?: boolean;
  run?: string;
}

async function demo(flags: DemoFlags): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => {
    if (stop.signal.aborted) process.exit(ExitCode.interrupted);
    stop.abort();
  };
  // Also a terminal that is closed: the mirror is a process of its own, and would stay.
  for (const signal of endings) process.on(signal, abort);
  const out = process.stdout;
  const [, host = '127.0.0.1', port] = /^(?:(.*):)?(\d+)$/.exec(flags.dashboard) ?? [];
  const end = await runDemo({
    signal: stop.signal,
    seconds: flags.for === undefined ? null : flags.for / 1_000,
    dashboard: { host, port: Number(port) },
    open: flags.open ?? false,
    run: flags.run ?? null,
    out,
  });
  for (const signal of endings) process.off(signal, abort);
  const { ledger, report, log, exitCode } = end;
  if (ledger !== null) out.write(`\n${ledgerText(ledger)}`);
  if (report !== null) out.write(`\n${terminalReport(report, terminalOptions(120))}`);
  out.write(`\n${summary(end).map((line) => `  ${line}\n`).join('')}\n`);
  if (flags.run !== undefined) out.write(`  The run is kept: npx doubletake report ${flags.run}\n\n`);
  if (exitCode !== 0) {
    process.stderr.write(`doubletake: the mirror did not end well (exit code ${exitCode}): ${log.trimEnd()}\n`);
    process.exitCode = ExitCode.ledger;
  }
}

/** What happened, in plain words. */
function summary({ production, ledger, report }: DemoEnd): string[] {
  const lines = [`Production answered ${production} requests, and never waited for the mirror.`];
  if (ledger !== null && ledger.captured === production && imbalances(ledger).length === 0) {
    const replayed = ended(ledger, 'replayed');
    lines.push(`The mirror saw every one of them: ${replayed} were replayed, ${production - replayed} left out by the policy or at the end.`);
  } else if (ledger !== null) lines.push(`The mirror saw ${ledger.captured} of them.`);
  const { planted, others } = foundIn(report);
  const found = planted.filter(({ cluster }) => cluster !== null);
  lines.push('', `${found.length} of ${planted.length} faults of the next version were found:`);
  for (const { known, cluster } of planted) lines.push(`  ${cluster === null ? '-' : '✗'} ${known.endpoint}: ${known.text}${cluster === null ? ' (not shown yet)' : ''}`);
  lines.push('', others.length === 0 ? 'What is no fault was taken for none:' : `${others.length} differences were found besides. What is no fault:`);
  for (const { text } of harmless) lines.push(`  · ${text}`);
  return lines;
}
