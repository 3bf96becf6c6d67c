/** From the flags of `mirror` to what they say in the shape of the configuration, over what a file says. */
import type { ConfigDocument } from '../config/document.ts';
import type { Override } from '../config/load.ts';
import { DoubletakeError } from '../errors.ts';
import { parseTarget } from './flags.ts';

/** The flags that say something that a configuration file can say too; undefined where one was not given. */
export interface ConfigFlags {
  vxlan?: string[];
  geneve?: string[];
  interface?: string[];
  receive?: 'socket' | 'ring';
  httpSink?: string[];
  pcap?: string[];
  proxy?: { listen: string; upstream: string }[];
  vni?: number[];
  port?: number[];
  mergeTunnels?: boolean;
  target?: string[];
  ca?: string;
  host?: 'target' | 'original';
  ordering?: 'connection' | 'none';
  timeout?: string;
  methods?: 'safe' | 'all' | string[];
  percentage?: number;
  percentageBy?: 'request' | 'header' | 'remote-address';
  percentageByHeader?: string;
  workers?: number;
  health?: string;
  dashboard?: string;
  run?: string;
  record?: string;
  control?: string;
  ledger?: string;
}

/** In the order in which they apply: sources and targets first, then what is said of all of them. */
export function overridesOf(flags: ConfigFlags, document: ConfigDocument | null): Override[] {
  const overrides: Override[] = [];
  const say = (flag: string, path: Override['path'], value: unknown): void => {
    if (value !== undefined) overrides.push({ flag, path, value });
  };
  const vxlan = (flags.vxlan ?? []).map((listen) => ({ vxlan: { listen } }));
  const geneve = (flags.geneve ?? []).map((listen) => ({ geneve: { listen } }));
  const links = (flags.interface ?? []).map((name) => ({ interface: { name } }));
  const pcap = (flags.pcap ?? []).map((file) => ({ pcap: { file } }));
  const sinks = (flags.httpSink ?? []).map((listen) => ({ httpSink: { listen } }));
  const proxies = (flags.proxy ?? []).map((proxy) => ({ proxy }));
  const sources = [...vxlan, ...geneve, ...links, ...sinks, ...proxies, ...pcap];
  const [kind = 'pcap'] = Object.keys(sources[0] ?? {});
  say(kind === 'httpSink' ? '--http-sink' : `--${kind}`, ['sources'], sources.length > 0 ? sources : undefined);
  const targets = flags.target?.map((text, position) => parseTarget('--target', text, position));
  say('--target', ['targets'], targets);
  const given = kindsOf(sources.length > 0 ? sources : Reflect.get(Object(document?.value), 'sources'));
  overrides.push(...receiveOverrides(flags.receive, given));
  for (const path of packetSources(given)) {
    say('--vni', [...path, 'vni'], flags.vni);
    say('--port', [...path, 'ports'], flags.port);
    say('--merge-tunnels', [...path, 'mergeTunnels'], flags.mergeTunnels);
  }
  say('--ca', ['targets', '*', 'ca'], flags.ca);
  say('--host', ['targets', '*', 'host'], flags.host);
  say('--ordering', ['targets', '*', 'ordering'], flags.ordering);
  say('--timeout', ['targets', '*', 'limits', 'responseTimeout'], flags.timeout);
  say('--methods', ['policy', 'methods'], flags.methods);
  say('--percentage', ['policy', 'sample', 'percentage'], flags.percentage);
  overrides.push(...sampleOverrides(flags, document));
  say('--workers', ['workers'], flags.workers);
  say('--health', ['health'], flags.health);
  say('--dashboard', ['dashboard', 'listen'], flags.dashboard);
  say('--run', ['run'], flags.run);
  say('--record', ['record', 'directory'], flags.record);
  say('--control', ['control'], flags.control);
  say('--ledger', ['ledger'], flags.ledger);
  return overrides;
}

/** The kinds of the sources in a list as a file or flags give it, in order. */
function kindsOf(sources: unknown): string[] {
  return (Array.isArray(sources) ? sources : []).map((source: unknown) => Object.keys(Object(source))[0] ?? '');
}

/** Kinds of source that have no packets to choose from. */
const withoutPackets: ReadonlySet<string> = new Set(['httpSink', 'proxy']);

/** Where the sources stand that have packets to choose from; all sources when none has, so that it is said of them. */
function packetSources(kinds: readonly string[]): Override['path'][] {
  const paths = kinds.flatMap((kind, index) => (kind === '' || withoutPackets.has(kind) ? [] : [['sources', index, kind]]));
  return paths.length > 0 ? paths : [['sources', '*', '*']];
}

/** Tunnels alone have a choice of how to be received; other kinds of source may stand beside them. */
function receiveOverrides(receive: ConfigFlags['receive'], kinds: readonly string[]): Override[] {
  if (receive === undefined) return [];
  const overrides = kinds.flatMap((kind, index) =>
    kind === 'vxlan' || kind === 'geneve'
      ? [{ flag: '--receive', path: ['sources', index, kind, 'receive'], value: receive }]
      : [],
  );
  if (overrides.length > 0) return overrides;
  throw new DoubletakeError('DT_USAGE', `--receive ${receive}: goes with --vxlan or --geneve`);
}

/** Naming the header says that it is sampled by header; sampling by something else takes away a header of the file. */
function sampleOverrides({ percentageBy, percentageByHeader }: ConfigFlags, document: ConfigDocument | null): Override[] {
  const by = ['policy', 'sample', 'by'];
  const header = ['policy', 'sample', 'header'];
  if (percentageByHeader !== undefined) {
    if (percentageBy !== undefined && percentageBy !== 'header') {
      throw new DoubletakeError(
        'DT_USAGE',
        `--percentage-by-header ${percentageByHeader}: goes with --percentage-by header, not ${percentageBy}`,
      );
    }
    return [
      { flag: '--percentage-by-header', path: by, value: 'header' },
      { flag: '--percentage-by-header', path: header, value: percentageByHeader },
    ];
  }
  if (percentageBy === undefined) return [];
  if (percentageBy !== 'header') {
    return [
      { flag: '--percentage-by', path: by, value: percentageBy },
      { flag: '--percentage-by', path: header, value: undefined },
    ];
  }
  if (document === null || !document.has(header)) {
    throw new DoubletakeError('DT_USAGE', '--percentage-by header: name the header with --percentage-by-header NAME');
  }
  return [{ flag: '--percentage-by', path: by, value: percentageBy }];
}
