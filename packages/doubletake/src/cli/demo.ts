/** `doubletake demo`: a conversation with a small shop, mirrored before your eyes. */
import { Command, Option } from 'commander';
import { runDemo } from '../demo/demo.ts';
import { ExitCode } from './exit-code.ts';
import { parseDuration } from './flags.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .summary('watch a small shop\'s traffic being mirrored to its next version, on this machine')
    .description(
      'Starts a production and a test server, lets clients talk to production, and mirrors that conversation for real:\n' +
        'the traffic arrives as VXLAN packets, as AWS VPC Traffic Mirroring would send them. Needs no privileges.',
    )
    .addOption(
      new Option('--for <DURATION>', 'stop after this long, such as 20s or 2m')
        .argParser((text) => parseDuration('--for', text))
        .default(20_000, '20s'),
    )
    .action(async (flags: { for: number }) => {
      const stop = new AbortController();
      const abort = (): void => {
        if (stop.signal.aborted) process.exit(ExitCode.interrupted);
        stop.abort();
      };
      process.on('SIGINT', abort).on('SIGTERM', abort);
      await runDemo({ signal: stop.signal, seconds: flags.for / 1_000, out: process.stdout });
      process.off('SIGINT', abort).off('SIGTERM', abort);
    });
}
