/** `doubletake convert`: recorded traffic from one format into another. */
import { Command, Option } from 'commander';
import { recordingKey } from '../engine/recording.ts';
import { DoubletakeError } from '../errors.ts';
import { openTraffic } from '../recording/formats/open-traffic.ts';
import { isExchange, problemText } from '../recording/formats/traffic.ts';
import { formatOfName, openWriter, type WrittenFormat, writtenFormats } from '../recording/formats/write-traffic.ts';

/** Entries that are told of one by one; the others are counted. */
const toldMax = 10;

interface ConvertFlags {
  as?: WrittenFormat;
  keyFile?: string;
  quiet?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .summary('turn recorded traffic into another format: recording, .gor, HAR, curl')
    .description(
      'Reads what `doubletake replay` reads and writes a recording (a folder), GoReplay\'s .gor, HAR 1.2, or a script of\n' +
        'curl commands, in order of time. Nothing is made safe on the way: what was captured unsanitized is written so.',
    )
    .usage('[options] <IN...> <OUT>')
    .argument('<FILES...>', 'what to read (files and folders; - is standard input), and last what to write: a file (.gor, .har, .sh; with .gz behind it gzipped) or a folder; - is standard output')
    .addOption(new Option('--as <FORMAT>', 'what to write, where the name of OUT does not say it').choices(writtenFormats))
    .option('--key-file <FILE>', 'the key of encrypted recordings, read or written; without it, that in DOUBLETAKE_RECORDING_KEY')
    .option('--quiet', 'print only what could not be used')
    .action((paths: string[], flags: ConvertFlags) => convert(paths.slice(0, -1), paths.at(-1) ?? '', flags));
}

async function convert(inputs: readonly string[], output: string, flags: ConvertFlags): Promise<void> {
  if (inputs.length === 0) throw new DoubletakeError('DT_USAGE', `${output}: give what to read and what to write`);
  const format = flags.as ?? (output === '-' ? null : formatOfName(output));
  if (format === null) throw new DoubletakeError('DT_USAGE', `${output}: say with --as which format it is to be: ${writtenFormats.join(', ')}`);
  if (output === '-' && format === 'recording') throw new DoubletakeError('DT_USAGE', '-: a recording is a folder; name one');
  const key = recordingKey(flags.keyFile, process.env);
  const traffic = await openTraffic(inputs, { key, ports: null, vnis: null, mergeTunnels: false, responseBodyBytesMax: 64 * 1024 * 1024 });
  const writer = openWriter(output, format, key);
  let written = 0;
  let problems = 0;
  const tell = (text: string): void => {
    if (++problems <= toldMax) process.stderr.write(`doubletake: warning: ${text}\n`);
  };
  for await (const batch of traffic) {
    for (const item of batch) {
      if (!isExchange(item)) {
        tell(problemText(item));
        continue;
      }
      const problem = await writer.write(item);
      if (problem === null) written++;
      else tell(`${item.connection.label}, request ${item.index}: ${problem}`);
    }
  }
  await writer.close();
  if (problems > toldMax) process.stderr.write(`doubletake: warning: ${problems - toldMax} more entries could not be used\n`);
  if (flags.quiet !== true) process.stderr.write(`doubletake: ${written} requests written, ${problems} left out\n`);
}
