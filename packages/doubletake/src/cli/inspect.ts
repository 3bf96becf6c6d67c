/** `doubletake inspect`: lists the exchanges in a capture file, or in recordings. */
import { Command, Option } from 'commander';
import { Inspection, type InspectionSummary } from '../engine/inspection.ts';
import { isRecording } from '../recording/recording.ts';
import { DoubletakeError } from '../errors.ts';
import { exchangeJson, exchangeText, LineWriter } from './exchange-lines.ts';
import { parseTime } from './flags.ts';
import { inspectRecordings } from './inspect-recording.ts';
import { addPacketOptions } from './shared-options.ts';

export interface InspectFlags {
  json?: boolean;
  summary?: boolean;
  port?: number[];
  vni?: number[];
  mergeTunnels?: boolean;
  from?: number;
  to?: number;
  connection?: string;
  keyFile?: string;
  parquet?: string;
}

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .summary('list the HTTP exchanges in a capture file or a recording')
    .description(
      'Lists the requests in a capture file, with production\'s responses, in the order in which the requests ended.\n' +
        'Reads pcap and pcapng, also gzipped; tunnels inside the capture (VXLAN, GENEVE, GRE and others) are opened.\n' +
        'Recordings (of mirror --record) are listed in the order in which the requests began, several as one.',
    )
    .argument('<FILE...>', 'capture file, - for standard input; or folders and files of recordings')
    .option('--json', 'print one JSON object a line, an exchange each')
    .option('--summary', 'print only the counts');
  return addPacketOptions(command)
    .optionsGroup('Recordings:')
    .addOption(new Option('--from <TIME>', 'take only requests that began at this time or later, such as 2026-01-31T12:00:00Z').argParser((text: string) => parseTime('--from', text)))
    .addOption(new Option('--to <TIME>', 'take only requests that began before this time').argParser((text: string) => parseTime('--to', text)))
    .option('--connection <CLIENT:PORT>SERVER:PORT>', 'take only this connection, as it is listed')
    .option('--key-file <FILE>', 'the key of an encrypted recording; without it, that in DOUBLETAKE_RECORDING_KEY')
    .option('--parquet <FILE>', 'write the exchanges to this Parquet file instead of listing them (docs/recording.md)')
    .action((files: string[], flags: InspectFlags) => {
      const [file, ...more] = files;
      if (file === undefined || more.length > 0 || isRecording(file)) return inspectRecordings(files, flags);
      for (const flag of ['from', 'to', 'connection', 'keyFile', 'parquet'] as const) {
        if (flags[flag] !== undefined) throw new DoubletakeError('DT_USAGE', `--${flag === 'keyFile' ? 'key-file' : flag}: goes with recordings, and ${file} is none`);
      }
      return inspect(file, flags);
    });
}

async function inspect(file: string, flags: InspectFlags): Promise<void> {
  const format = flags.json === true ? exchangeJson : exchangeText;
  const out = new LineWriter();
  const options = {
    ports: flags.port === undefined ? null : new Set(flags.port),
    vnis: flags.vni === undefined ? null : new Set(flags.vni),
    mergeTunnels: flags.mergeTunnels ?? false,
  };
  const inspection = new Inspection(options, (exchange) => {
    if (flags.summary !== true) out.write(format(exchange));
  });
  try {
    await inspection.run(file);
  } finally {
    out.flush();
  }
  const summary = inspection.summary();
  if (flags.summary === true) out.write(flags.json === true ? JSON.stringify(summary) : summaryText(summary));
  else if (flags.json !== true) out.write(`${summary.requests > 0 ? '\n' : ''}${summaryText(summary)}`);
  out.flush();
  if (inspection.warning !== null) process.stderr.write(`doubletake: warning: ${inspection.warning}\n`);
}

function summaryText(summary: InspectionSummary): string {
  const { packets, connections, requests, responses, gaps, unpaired } = summary;
  const lines = [
    `${packets} packets, ${connections} TCP connections with data`,
    `${requests} requests, ${responses} responses`,
    `${unpaired.requests} requests without a response, ${unpaired.responses} responses without a request`,
    `${gaps.count} gaps with ${gaps.bytes} bytes`,
  ];
  for (const [title, counts] of Object.entries({
    incomplete: summary.incomplete,
    'other protocols': summary.other,
    'packets ignored': summary.ignored,
    'packets malformed': summary.malformed,
  })) {
    const parts = Object.entries(counts).filter(([, count]) => count > 0);
    if (parts.length > 0) lines.push(`${title}: ${parts.map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }
  return lines.join('\n');
}
