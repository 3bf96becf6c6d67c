/** `config`: checks a configuration file and says what it means, without doing any of it. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { explain } from '../config/explain.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { buildConfig, readConfigFile } from '../config/load.ts';
import { readRulesFile } from '../config/rules-file.ts';
import { openSanitizer } from '../engine/sanitizing.ts';
import { previewRequests } from '../engine/preview.ts';
import { DoubletakeError } from '../errors.ts';
import { leaksCommand } from './leaks.ts';
import { previewText } from './preview-text.ts';

export function configCommand(): Command {
  return new Command('config')
    .summary('check a configuration file, look for leaks, or print the schema')
    .addCommand(
      new Command('check')
        .summary('say what a configuration means, or what is wrong with it')
        .description('Checks a configuration file for `mirror` and prints in plain words what it does.')
        .argument('<FILE>', 'configuration file, YAML or JSON')
        .option('--request <FILE>', 'what would become of this raw HTTP request: the decision, and the bytes before and after')
        .action((file: string, { request }: { request?: string }) => check(file, request)),
    )
    .addCommand(leaksCommand())
    .addCommand(
      new Command('schema')
        .summary('print the JSON Schema, from which editors complete and check')
        .action(() => {
          process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
        }),
    );
}

function check(file: string, requestFile: string | undefined): void {
  const document = readConfigFile(file, process.env);
  const config = buildConfig(document, []);
  openSanitizer(config.policy);
  const { rulesFile, rules = [] } = config.compare ?? {};
  if (rulesFile !== undefined) readRulesFile(rulesFile, new Set(rules.map(({ name }) => name)));
  if (requestFile === undefined) {
    process.stdout.write(`${file} is valid.\n\n${explain(config, document)}`);
    return;
  }
  const previews = previewRequests(config, inWireForm(readRequest(requestFile)));
  if (typeof previews === 'string') throw new DoubletakeError('DT_USAGE', `--request ${requestFile}: ${previews}`);
  process.stdout.write(previews.map((preview) => previewText(preview, config, document)).join('\n'));
}

function readRequest(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_USAGE', `--request ${file}: cannot be read: ${reason}`);
  }
}

/** A request that was written in an editor has lines that end with LF alone; HTTP wants CRLF in the head. */
function inWireForm(bytes: Buffer): Buffer {
  const headEnd = bytes.indexOf('\n\n');
  if (headEnd < 0 || bytes.subarray(0, headEnd).includes('\r')) return bytes;
  const head = bytes.toString('latin1', 0, headEnd + 2).replaceAll('\n', '\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(headEnd + 2)]);
}
