/** `doubletake aws status`: the sessions, what they mirror, and what explains what is missing. */
import { Command, Option } from 'commander';
import type { SessionStatus } from '../aws/status.ts';
import type { StatusReport } from '../aws/status-report.ts';
import { visible } from '../visible.ts';
import { readAws } from './aws-config.ts';
import { withAwsScopes } from './aws-scopes.ts';
import { parseDuration, parseInteger } from './flags.ts';

interface StatusFlags {
  window: number;
  metrics: number;
  json?: boolean;
}

export function awsStatusCommand(file: readonly [string, string]): Command {
  return new Command('status')
    .summary('show the sessions, what they mirror and skip, and what explains gaps')
    .argument(...file)
    .addOption(
      new Option('--window <DURATION>', 'what CloudWatch has seen in the last so long')
        .argParser((text) => parseDuration('--window', text))
        .default(900_000, '15m'),
    )
    .addOption(
      new Option('--metrics <N>', 'most instances to ask CloudWatch about, which costs a cent for 250 of them')
        .argParser((text) => parseInteger('--metrics', text, 0, 100_000))
        .default(500),
    )
    .option('--json', 'as one JSON object')
    .action((config: string, flags: StatusFlags) => status(config, flags));
}

async function status(file: string, { window, metrics, json }: StatusFlags): Promise<void> {
  const aws = readAws(file);
  const { reportStatus } = await import('../aws/status-report.ts');
  const options = { nowMs: Date.now(), windowMs: window, instancesMax: metrics };
  const reports = await withAwsScopes(aws, (scopes) => Promise.all(scopes.map((scope) => reportStatus(aws, scope, options))));
  process.stdout.write(json === true ? `${JSON.stringify({ scopes: reports })}\n` : reports.map((report) => statusText(report, window)).join('\n'));
}

const linesMax = 100;

function statusText(report: StatusReport, windowMs: number): string {
  const { account, region, sessions, target, findings, pending, unasked } = report;
  const mirrors = target.all === null ? '' : `, behind it ${target.healthy} of ${target.all} mirrors healthy`;
  const lines = [`Account ${account}, region ${region}: ${sessions.length} sessions to ${target.resource}${mirrors}`, ''];
  const rows = sessions.slice(0, linesMax).map(sessionCells);
  if (rows.length > 0) lines.push(...table([['session', 'interface', 'instance', 'name', 'in', 'out', 'skipped'], ...rows]));
  if (sessions.length > linesMax) lines.push(`  … and ${sessions.length - linesMax} more sessions (--json lists all)`);
  if (rows.length > 0) lines.push('', `  Mirrored in the last ${windowMs / 60_000} min, by CloudWatch, of all sessions of an instance.`);
  if (unasked > 0) lines.push(`  ${unasked} further instances were not asked about (--metrics).`);
  if (pending > 0) lines.push(`  ${pending} steps differ from the configuration: \`doubletake aws plan\` shows them.`);
  for (const { instance, text, instances } of findings) {
    const more = instances > 1 ? ` and ${instances - 1} more` : '';
    lines.push(`  ! ${instance === null ? '' : `${instance}${more}: `}${text}`);
  }
  return `${lines.join('\n')}\n`;
}

function sessionCells({ session, interface: link, instance, name, metrics }: SessionStatus): string[] {
  const skipped = (metrics?.skippedIn ?? 0) + (metrics?.skippedOut ?? 0);
  const known = metrics !== null && (metrics.skippedIn !== null || metrics.skippedOut !== null);
  const numbers = [metrics?.mirroredIn ?? null, metrics?.mirroredOut ?? null, known ? skipped : null];
  return [session, link, instance ?? '-', visible(name ?? '-'), ...numbers.map(bytesText)];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}`);
}

function bytesText(bytes: number | null): string {
  if (bytes === null) return '-';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
