/** The command line: one file a command, and here what they share: help, errors as one line, exit codes. */
import { Command, CommanderError } from 'commander';
import { DoubletakeError } from '../errors.ts';
import { ConfigError } from '../config/problem.ts';
import { version } from '../version.ts';
import { ExitCode } from './exit-code.ts';

/** By name, in the order of the help. Each brings modules that the others do not need. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  mirror: async () => (await import('./mirror.ts')).mirrorCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  convert: async () => (await import('./convert.ts')).convertCommand(),
  report: async () => (await import('./report.ts')).reportCommand(),
  tap: async () => (await import('./tap.ts')).tapCommand(),
  generate: async () => (await import('./generate.ts')).generateCommand(),
  aws: async () => (await import('./aws.ts')).awsCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  control: async () => (await import('./control.ts')).controlCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
};

/** The command that is asked for alone, which starts faster; all of them where help or a suggestion may need them. */
function commandsFor(name = ''): Promise<Command[]> {
  const asked = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return Promise.all((asked === undefined ? Object.values(commands) : [asked]).map((load) => load()));
}

/** Runs the command that `argv` (as in `process.argv`) asks for and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('doubletake')
    .description('Shows how your next version serves today\'s real traffic, before your users meet it.')
    .version(version(), '-V, --version')
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 110) })
    .showSuggestionAfterError(true);
  for (const command of await commandsFor(argv[2])) program.addCommand(command);
  reportOwnErrors(program, 'doubletake');
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

/** The command line, up to the command, whose help says what would have been right. */
const helpers = new WeakMap<CommanderError, string>();

/** Commander's errors come back as exceptions, also those of the commands below, and are printed here. */
function reportOwnErrors(command: Command, line: string): void {
  const keep = (error: CommanderError): never => {
    helpers.set(error, line);
    throw error;
  };
  command.exitOverride(keep).configureOutput({ outputError: () => {} });
  for (const below of command.commands) reportOwnErrors(below, `${line} ${below.name()}`);
}

function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    if (error.code !== 'commander.help') {
      const text = error.message.replace(/^error: /, '').replaceAll('\n', ' ').replace(/\.$/, '');
      process.stderr.write(`doubletake: ${text}; see ${helpers.get(error) ?? 'doubletake'} --help\n`);
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
