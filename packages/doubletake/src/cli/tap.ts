/** `doubletake tap`: sends what passes an interface to a doubletake elsewhere, as VXLAN; until stopped. */
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Tap, type TapReport } from '../engine/tap.ts';
import { DoubletakeError } from '../errors.ts';
import type { HostPort } from '../host-port.ts';
import { ExitCode } from './exit-code.ts';
import { parseInteger, parsePercentage, parseRate, parseReceiver, parseSize } from './flags.ts';
import { createReporterOf } from './reporter.ts';
import { list } from './shared-options.ts';
import { tapText, tapView } from './tap-text.ts';

const vxlanPort = 4789;
/** Ethernet, IPv6 and TCP headers: below this nothing could be told of a packet. */
const truncateBytesMin = 100;
const ringBytesMin = 1 << 20;
const ringBytesMax = 1 << 30;

interface TapFlags {
  interface: string;
  to: HostPort;
  vni: number;
  port?: number[];
  truncate?: number;
  rate?: { packets: number | null; bytes: number | null };
  cpu: number;
  ring: number;
  ledger?: string;
  quiet?: boolean;
}

export function tapCommand(): Command {
  return new Command('tap')
    .summary('make this host a mirror source: send what passes an interface as VXLAN')
    .description(
      'Captures TCP on a network interface and sends it as VXLAN to a doubletake elsewhere (mirror --vxlan), as AWS VPC ' +
        'Traffic Mirroring would. Needs Linux and CAP_NET_RAW. The host comes first: beyond --cpu and --rate, whole ' +
        'connections are left out, and counted.',
    )
    .requiredOption('--interface <IF>', 'capture on this network interface, or any')
    .addOption(
      new Option('--to <HOST[:PORT]>', 'send to this doubletake (usual port: 4789)')
        .argParser((text) => parseReceiver('--to', text, vxlanPort))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--vni <N>', 'VXLAN network identifier of what is sent')
        .argParser((text) => parseInteger('--vni', text, 0, 0xff_ffff))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--port <N>', 'take only connections to this server port; repeatable (default: all TCP)')
        .argParser(list((text) => parseInteger('--port', text, 1, 65_535))),
    )
    .addOption(
      new Option('--truncate <BYTES>', 'send at most this much of each frame, from its Ethernet header on').argParser((text) =>
        parseInteger('--truncate', text, truncateBytesMin, 65_535),
      ),
    )
    .addOption(
      new Option('--rate <N|SIZE>', 'send at most so many packets a second (20000), or bytes (50MB)').argParser((text) =>
        parseRate('--rate', text),
      ),
    )
    .addOption(
      new Option('--cpu <P>', 'use at most this share of one processor')
        .argParser((text) => parsePercentage('--cpu', text))
        .default(5, '5%'),
    )
    .addOption(
      new Option('--ring <SIZE>', 'memory in which the kernel puts packets, 1MiB to 1GiB')
        .argParser((text) => parseRing(text))
        .default(32 << 20, '32MiB'),
    )
    .option('--ledger <FILE.json>', 'write the counts to this file at exit, and on SIGUSR2')
    .option('--quiet', 'print nothing but the ready line, warnings and errors')
    .action((flags: TapFlags) => tap(flags));
}

async function tap(flags: TapFlags): Promise<void> {
  if (flags.cpu === 0) throw new DoubletakeError('DT_USAGE', '--cpu 0: expected a share above 0, such as 5%');
  const { ledger } = flags;
  if (ledger !== undefined) writeFileOrThrow(ledger, '');
  const reporter = createReporterOf(flags.quiet ?? false, tapView);
  const opened = await Tap.open(
    {
      interfaceName: flags.interface,
      ports: flags.port ?? [],
      to: flags.to,
      vni: flags.vni,
      frameBytesMax: flags.truncate ?? null,
      ringBytes: flags.ring,
      cpuShare: flags.cpu / 100,
      packetsPerSecond: flags.rate?.packets ?? null,
      bytesPerSecond: flags.rate?.bytes ?? null,
    },
    (text) => reporter.warning(text),
  );
  const write = (report: TapReport): void => {
    if (ledger !== undefined) writeFileOrThrow(ledger, `${JSON.stringify(report, null, 2)}\n`);
  };
  const stopped = Promise.withResolvers<void>();
  const stop = (): void => stopped.resolve();
  const dump = (): void => {
    try {
      write(opened.report());
    } catch (error) {
      reporter.error(error instanceof Error ? error.message : String(error));
    }
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGUSR2', dump);
  process.stderr.write(`ready ${opened.address}\n`);
  reporter.start(() => opened.report());
  await stopped.promise;
  reporter.stop();
  const report = await opened.close();
  process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGUSR2', dump);
  write(report);
  if (flags.quiet !== true) process.stdout.write(tapText(report));
  const { captured, added, sent, failed, skipped } = report;
  if (captured + added !== sent + failed + skipped.cpu + skipped.rate) {
    reporter.error('the counts do not add up: captured + added = sent + failed + skipped does not hold');
    process.exitCode = ExitCode.ledger;
  }
}

function parseRing(text: string): number {
  const bytes = parseSize('--ring', text);
  if (bytes >= ringBytesMin && bytes <= ringBytesMax) return bytes;
  throw new DoubletakeError('DT_USAGE', `--ring ${text}: expected a size from 1MiB to 1GiB`);
}

function writeFileOrThrow(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_LEDGER_FILE', `--ledger ${file}: cannot write there: ${reason}`, { cause: error });
  }
}
