/** `config leaks`: what would still look like personal data after the policy, in the traffic of a capture file. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { buildConfig, readConfigFile } from '../config/load.ts';
import { policySchema } from '../config/policy-schema.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { LeakSearch } from '../engine/leaks.ts';
import { leaksText } from './leaks-text.ts';

interface LeaksFlags {
  config?: string;
  json?: boolean;
}

export function leaksCommand(): Command {
  return new Command('leaks')
    .summary('say what would still look like personal data after the policy')
    .description(
      'Runs the policy over the traffic in a capture file and lists, by endpoint and field, what still looks like personal\n' +
        'data in requests and responses. No values are shown, and nothing is sent. The search errs on the side of speaking up.',
    )
    .argument('<FILE>', 'capture file; - is standard input')
    .option('--config <CONFIG.yaml>', 'configuration file; without it, the three presets for requests of every method')
    .option('--json', 'print one JSON object')
    .action((file: string, flags: LeaksFlags) => leaks(file, flags));
}

async function leaks(file: string, { config, json }: LeaksFlags): Promise<void> {
  const policy = config === undefined ? presetsAlone() : buildConfig(readConfigFile(config, process.env), []).policy;
  const search = new LeakSearch(policy);
  const report = await search.run(file);
  process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : leaksText(report, file, means(config, policy)));
  if (search.warning !== null) process.stderr.write(`doubletake: warning: ${search.warning}\n`);
}

/** Pseudonyms of a key that nobody else has and that is forgotten. */
function presetsAlone(): MirrorConfig['policy'] {
  return policySchema.parse({ methods: 'all', sanitize: { key: randomBytes(32).toString('hex') } });
}

function means(config: string | undefined, { sanitize }: MirrorConfig['policy']): string {
  if (config === undefined) return 'the three presets, with a throw-away key';
  return sanitize === undefined ? `${config}, which sanitizes nothing` : `the policy of ${config}`;
}
