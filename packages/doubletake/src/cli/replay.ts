/** `doubletake replay`: recorded traffic to a test environment, to its end. */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { ConfigDocument } from '../config/document.ts';
import { buildConfig, type Override, readConfigFile } from '../config/load.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { recordingKey } from '../engine/recording.ts';
import { DoubletakeError } from '../errors.ts';
import { ExitCode } from './exit-code.ts';
import { parseInteger, parseNumber } from './flags.ts';
import { type ConfigFlags, overridesOf } from './mirror-flags.ts';
import { replayView } from './replay-text.ts';
import { createReporterOf } from './reporter.ts';
import { addPacketOptions, addPolicyOptions, addRunOptions, addTargetOptions, list, workersOption } from './shared-options.ts';
import { verdictCodes } from './verdict-code.ts';

/** `run` gets the files and the flags that were given. */
export function replayCommand(run: (files: string[], flags: ReplayFlags) => Promise<void> = replay): Command {
  const command = new Command('replay')
    .summary('replay recorded traffic to a test environment: recordings, captures, .gor, HAR, access logs')
    .description(
      'Replays recorded traffic and ends with its last request. Reads recordings (mirror --record), pcap and pcapng,\n' +
        'GoReplay\'s .gor, HAR and access logs, plain or gzipped; several are replayed as one, by time. Only GET, HEAD and\n' +
        'OPTIONS are replayed unless --methods says otherwise. With --run, the exit code is that of the verdict\n' +
        '(doubletake report).',
    )
    .argument('<FILE...>', 'files and folders; - is standard input')
    .option('--config <CONFIG.yaml>', 'configuration file, whose sources are not used (docs/configuration.md); flags override it')
    .optionsGroup('Pace:')
    .addOption(
      new Option('--speed <S>', 'keep the timing of the recording, at 0.1 to 100 times its speed (default: 1), or max: as fast as the targets answer')
        .argParser((text) => (text === 'max' ? text : parseNumber('--speed', text, 0.1, 100, 'expected a number from 0.1 to 100, or max'))),
    )
    .addOption(
      new Option('--rate <R>', 'send so many requests a second, evenly and in their order, whatever the timing of the recording')
        .argParser((text) => parseNumber('--rate', text, 0.001, 1_000_000, 'expected requests a second, from 0.001 to 1000000')),
    )
    .addOption(
      new Option('--multiply <N>', 'replay every session this often at once, each copy as a session of its own')
        .argParser((text) => parseInteger('--multiply', text, 1, 100)),
    )
    .addOption(
      new Option('--loop [N]', 'replay all this often, one time behind the other; without N until stopped')
        .argParser((text: string) => parseInteger('--loop', text, 1, 1_000_000)),
    )
    .optionsGroup('What of the recording:')
    .option('--from <TIME>', 'leave out requests before this time (2026-01-31T09:30:00Z), or before so long behind the first (10m)')
    .option('--to <TIME>', 'leave out requests from this time on, given in the same way')
    .addOption(
      new Option('--filter <CONDITION>', 'take only requests like this: a condition as in policy.filters, as JSON or YAML, such as \'{path: /api/**}\'; repeatable')
        .argParser(list((text: string) => text)),
    )
    .option('--key-file <FILE>', 'the key of encrypted recordings; without it, that in DOUBLETAKE_RECORDING_KEY');
  addPacketOptions(command);
  addTargetOptions(command);
  addPolicyOptions(command);
  command
    .optionsGroup('Running:')
    .addOption(workersOption('worker threads, among which the connections are shared out; what has a pace is replayed by one (default: 2 with --speed max where there are processors for it, else 1)'));
  return addRunOptions(command, 'production\'s recorded answers')
    .action((files: string[], flags: ReplayFlags) => run(files, flags));
}

export interface ReplayFlags extends ConfigFlags {
  config?: string;
  speed?: number | 'max';
  rate?: number;
  multiply?: number;
  loop?: number | true;
  from?: string;
  to?: string;
  filter?: string[];
  keyFile?: string;
  quiet?: boolean;
}

async function replay(files: readonly string[], flags: ReplayFlags): Promise<void> {
  const file = flags.config;
  const read = (): MirrorConfig => replayConfig(files, flags);
  const quiet = flags.quiet ?? false;
  const config = read();
  const reporter = createReporterOf(quiet, replayView(performance.now()));
  // Loaded when the configuration is known to be sound, as for `mirror`.
  const { runEngine } = await import('./run-engine.ts');
  const comparison = await runEngine(config, { quiet, reporter, reread: file === undefined ? null : { file, read } });
  if (comparison !== null && process.exitCode !== ExitCode.ledger) process.exitCode = verdictCodes[comparison.verdict];
}

/** What the flags say over what the configuration file says, which is read. Throws a `DoubletakeError` for what is wrong. */
export function replayConfig(files: readonly string[], flags: ReplayFlags): MirrorConfig {
  if (flags.speed !== undefined && flags.rate !== undefined) {
    throw new DoubletakeError('DT_USAGE', `--rate ${flags.rate}: goes without --speed`);
  }
  const document = flags.config === undefined ? null : readConfigFile(flags.config, process.env);
  return buildConfig(document, replayOverrides(files, flags, document));
}

/** What the flags say in the shape of the configuration. */
function replayOverrides(paths: readonly string[], flags: ReplayFlags, document: ConfigDocument | null): Override[] {
  const { vni, port, mergeTunnels, speed, rate, multiply, loop, from, to, filter, keyFile, ...shared } = flags;
  const key = recordingKey(keyFile, process.env);
  const files = {
    paths,
    ...(key === null ? {} : { key }),
    ...(vni === undefined ? {} : { vni }),
    ...(port === undefined ? {} : { ports: port }),
    ...(mergeTunnels === undefined ? {} : { mergeTunnels }),
  };
  const overrides: Override[] = [{ flag: 'replay', path: ['sources'], value: [{ files }] }];
  const say = (flag: string, path: Override['path'], value: unknown): void => {
    if (value !== undefined) overrides.push({ flag, path, value });
  };
  const source = ['sources', 0, 'files'];
  say('--loop', [...source, 'loop'], loop === true ? 0 : loop);
  say('--from', [...source, 'from'], from);
  say('--to', [...source, 'to'], to);
  say('--workers', ['workers'], workersFor(paths, speed, document));
  overrides.push(...overridesOf(shared, document));
  overrides.push(...paceOverrides(speed, rate, targetsOf(flags, document), document));
  say('--multiply', ['targets', '*', 'multiply'], multiply);
  if (filter !== undefined) overrides.push(filterOverride(filter, document));
  return overrides;
}

/** As many as a replay without a pace can use, while the targets need processors too; undefined leaves it to the configuration. */
function workersFor(paths: readonly string[], speed: ReplayFlags['speed'], document: ConfigDocument | null): number | undefined {
  if (speed !== 'max' || paths.includes('-') || document?.has(['workers']) === true) return undefined;
  return availableParallelism() > 2 ? 2 : 1;
}

/** How many targets there are. */
function targetsOf({ target }: ReplayFlags, document: ConfigDocument | null): number {
  const given: unknown = Reflect.get(Object(document?.value), 'targets');
  return target?.length ?? (Array.isArray(given) ? given.length : 0);
}

/** Each flag takes away what the file says of the other; without flags, a target without a pace keeps that of the recording. */
function paceOverrides(speed: ReplayFlags['speed'], rate: number | undefined, targets: number, document: ConfigDocument | null): Override[] {
  return Array.from({ length: targets }, (_, index): Override[] => {
    const at = (key: string): Override['path'] => ['targets', index, key];
    if (rate !== undefined) {
      return [
        { flag: '--rate', path: at('speed'), value: undefined },
        { flag: '--rate', path: at('rate'), value: rate },
      ];
    }
    const paced = document !== null && (document.has(at('speed')) || document.has(at('rate')));
    if (speed === undefined && paced) return [];
    return [
      { flag: '--speed', path: at('rate'), value: undefined },
      { flag: '--speed', path: at('speed'), value: speed === 'max' ? undefined : (speed ?? 1) },
    ];
  }).flat();
}

/** What is not like this is left out before the rules of the file are asked. */
function filterOverride(texts: readonly string[], document: ConfigDocument | null): Override {
  const conditions = texts.map((text) => new ConfigDocument('--filter', text, process.env).value);
  const policy: unknown = Reflect.get(Object(document?.value), 'policy');
  const given: unknown = Reflect.get(Object(policy), 'filters');
  const rule = { name: 'outside --filter', exclude: { not: conditions.length === 1 ? conditions[0] : { all: conditions } } };
  return { flag: '--filter', path: ['policy', 'filters'], value: [rule, ...(Array.isArray(given) ? (given as unknown[]) : [])] };
}
