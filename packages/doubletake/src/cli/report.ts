/** `doubletake report`: the verdict on a run, in the form in which somebody wants it, and as an exit code. */
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { htmlReport } from '../compare/report-text/html.ts';
import { jsonReport } from '../compare/report-text/json.ts';
import { junitReport } from '../compare/report-text/junit.ts';
import { markdownReport } from '../compare/report-text/markdown.ts';
import { terminalReport } from '../compare/report-text/terminal.ts';
import type { RunReport } from '../compare/report.ts';
import { StoreError } from '../store/database.ts';
import { reportSoFar, RunReader } from '../store/run-reader.ts';
import { serveRun } from './report-dashboard.ts';
import { dashboardOption } from './shared-options.ts';
import { terminalOptions } from './terminal.ts';
import { verdictCodes } from './verdict-code.ts';

type Format = 'terminal' | 'html' | 'markdown' | 'json' | 'junit';

interface ReportFlags {
  format: Format;
  output?: string;
  parquet?: string;
  dashboard?: string;
  showUnsanitized?: boolean;
}

const formats: Readonly<Record<Format, (report: RunReport, toFile: boolean) => string>> = {
  terminal: (found, toFile) => terminalReport(found, toFile ? { width: 100, color: false } : terminalOptions()),
  html: htmlReport,
  markdown: markdownReport,
  json: jsonReport,
  junit: junitReport,
};

export function reportCommand(): Command {
  return new Command('report')
    .summary('say whether the candidate is safe: the verdict on a run, and why')
    .description(
      'Prints the verdict on a run, and what it rests on. Ends with exit code 0 when the candidate is SAFE, 1 for a\n' +
        'REGRESSION, 3 when there is INSUFFICIENT data.',
    )
    .argument('<RUN>', 'the folder of --run')
    .addOption(new Option('--format <FORMAT>', 'what to write').choices(Object.keys(formats)).default('terminal'))
    .option('--output <FILE>', 'write to this file instead of standard output')
    .option('--parquet <DIR>', 'also write the run\'s tables to this folder, as Parquet files (docs/run-store.md)')
    .addOption(dashboardOption().conflicts(['format', 'output', 'parquet']))
    .option('--show-unsanitized', 'let the dashboard show contents of a run that was written without policy.sanitize')
    .action((run: string, flags: ReportFlags) => report(run, flags));
}

async function report(run: string, { format, output, parquet, dashboard, showUnsanitized = false }: ReportFlags): Promise<void> {
  if (dashboard !== undefined) {
    const { verdict } = await serveRun(run, { listen: dashboard, showUnsanitized });
    process.exitCode = verdictCodes[verdict];
    return;
  }
  const found = await readRun(run, parquet ?? null);
  const text = formats[format](found, output !== undefined);
  // Set first: a reader that goes away does not change the verdict.
  process.exitCode = verdictCodes[found.verdict];
  if (output === undefined) process.stdout.write(text);
  else writeTo(output, text);
}

async function readRun(run: string, parquet: string | null): Promise<RunReport> {
  let reader: RunReader;
  try {
    reader = await RunReader.open(run, parquet);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'DT_RUN_IN_USE' || parquet !== null) throw error;
    const soFar = reportSoFar(run);
    if (soFar === null) throw error;
    process.stderr.write(`doubletake: warning: ${error.message}; this is what it has come to so far\n`);
    return soFar;
  }
  try {
    if (parquet !== null) await reader.exportParquet();
    return await reader.report();
  } finally {
    reader.close();
  }
}

function writeTo(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new StoreError('DT_REPORT_FILE', `--output ${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
