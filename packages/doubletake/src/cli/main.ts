/** The command line: one file a command, and here what they share: help, errors as one line, exit codes. */
import { Command, CommanderError } from 'commander';
import { DoubletakeError } from '../errors.ts';
import { ConfigError } from '../config/problem.ts';
import { version } from '../version.ts';
import { awsCommand } from './aws.ts';
import { configCommand } from './config.ts';
import { controlCommand } from './control.ts';
import { convertCommand } from './convert.ts';
import { demoCommand } from './demo.ts';
import { generateCommand } from './generate.ts';
import { inspectCommand } from './inspect.ts';
import { mirrorCommand } from './mirror.ts';
import { replayCommand } from './replay.ts';
import { reportCommand } from './report.ts';
import { tapCommand } from './tap.ts';
import { ExitCode } from './exit-code.ts';

/** Runs the command that `argv` (as in `process.argv`) asks for and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('doubletake')
    .description('Shows how your next version serves today\'s real traffic, before your users meet it.')
    .version(version(), '-V, --version')
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 110) })
    .showSuggestionAfterError(true)
    .exitOverride()
    .addCommand(mirrorCommand())
    .addCommand(replayCommand())
    .addCommand(inspectCommand())
    .addCommand(convertCommand())
    .addCommand(reportCommand())
    .addCommand(tapCommand())
    .addCommand(generateCommand())
    .addCommand(awsCommand())
    .addCommand(configCommand())
    .addCommand(controlCommand())
    .addCommand(demoCommand());
  reportOwnErrors(program);
  // A reader that goes away (`| head`) ends the output, and nothing else.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? ExitCode.ok);
  });
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = reportError(error);
  }
}

/** Commander's errors come back as exceptions, also those of the commands below, and are printed here. */
function reportOwnErrors(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  command.commands.forEach(reportOwnErrors);
}

function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    if (error.code !== 'commander.help') {
      const text = error.message.replace(/^error: /, '').replaceAll('\n', ' ').replace(/\.$/, '');
      process.stderr.write(`doubletake: ${text}; see doubletake --help\n`);
    }
    return ExitCode.usage;
  }
  if (error instanceof ConfigError) {
    for (const line of error.lines) process.stderr.write(`doubletake: ${line}\n`);
    return ExitCode.usage;
  }
  if (error instanceof DoubletakeError) {
    // The code leads to docs/errors.md; what a flag expects is in the line itself.
    const code = error.code === 'DT_USAGE' ? '' : ` [${error.code}]`;
    process.stderr.write(`doubletake: ${error.message}${code}\n`);
    return ExitCode.usage;
  }
  throw error;
}
