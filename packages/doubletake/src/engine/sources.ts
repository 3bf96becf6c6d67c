/** From a source in the configuration to one that feeds a pipeline: what the main thread opens and what a worker runs. */
import { formatListen } from '../config/listen.ts';
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';
import { type PacketSource, packetSettings } from '../config/source-schema.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import { startCaptureFile } from './capture-file-source.ts';
import { type FileShare, isReadByAll } from './file-share.ts';
import { startFiles } from './files-source.ts';
import { FilesIntake } from './files-intake.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Intake } from './intake.ts';
import { bindInterface, startInterface } from './interface-source.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { RelayIntake } from './relay-intake.ts';
import type { BoundSource, RunningSource, SourceStart } from './running-source.ts';
import { SinkIntake } from './sink-intake.ts';
import { shareSinkPort, startHttpSink } from './sink-source.ts';
import { bindTunnel, startTunnel } from './tunnel-source.ts';

/** How a source is called in the ledger and in logs. */
export function sourceName(source: SourceConfig): string {
  if ('pcap' in source) return `pcap:${source.pcap.file}`;
  if ('files' in source) return `files:${source.files.paths.join(',')}`;
  if ('interface' in source) return `interface:${source.interface.name}`;
  if ('httpSink' in source) return `http-sink:${formatListen(source.httpSink.listen)}`;
  if ('proxy' in source) return `proxy:${formatListen(source.proxy.listen)}`;
  return 'vxlan' in source
    ? `vxlan:${formatListen(source.vxlan.listen)}`
    : `geneve:${formatListen(source.geneve.listen)}`;
}

/** Whether a source takes what comes through standard input. */
export function readsStandardInput(source: SourceConfig): boolean {
  if ('files' in source) return source.files.paths.includes('-');
  return 'pcap' in source && source.pcap.file === '-';
}

/**
 * The stages behind a source; `hashSeed` as in `PipelineOptions`, `learn` as in `Intake`, `responseBodyBytesMax` as in
 * `HttpLimits`.
 */
export function openIntake(
  source: SourceConfig,
  hashSeed: number,
  dispatcher: Dispatcher,
  layout: CounterLayout,
  row: Float64Array,
  learn: ((endpoint: string) => void) | null,
  responseBodyBytesMax: number,
): Intake {
  const name = sourceName(source);
  if ('httpSink' in source) return new SinkIntake(name, dispatcher, layout, row);
  if ('files' in source) return new FilesIntake(name, dispatcher, layout, row, learn, { responseBodyBytesMax });
  if ('proxy' in source) return new RelayIntake(name, dispatcher, layout, row, learn, { responseBodyBytesMax });
  return new Pipeline(name, { hashSeed, ...packetChoice(source), responseBodyBytesMax }, dispatcher, layout, row, learn);
}

/** Which of a source's packets are taken, and how. */
function packetChoice(source: PacketSource): Omit<PipelineOptions, 'hashSeed' | 'responseBodyBytesMax'> {
  const { vni, ports, mergeTunnels } = packetSettings(source);
  return {
    vnis: vni.length > 0 ? new Set(vni) : null,
    ports: ports.length > 0 ? new Set(ports) : null,
    mergeTunnels,
    // With all interfaces, a packet is seen on a tagged one and on the VLAN's own.
    ignoreVlans: 'interface' in source && source.interface.name === 'any',
    fromFile: 'pcap' in source,
  };
}

/** What the main thread opened, by source. */
export interface BoundSources {
  /** By source, then by worker; null where the worker opens the source itself. */
  descriptors: (readonly number[] | null)[];
  /** By source: the TCP port that every worker listens on; null where one worker opens the source itself. */
  sharedPorts: (number | null)[];
  /** By source: what is listened on; null where only the worker will know. */
  addresses: (string | null)[];
  warnings: string[];
  /** Tells the sources where requests will be replayed to; resolves when they have taken note. */
  followTargets(urls: readonly URL[]): Promise<void>;
  /** Closes what the main thread keeps; to be called before the workers are stopped. */
  close(): void;
}

/**
 * Opens what several workers share, with the kernel keeping both directions of a connection together. Where that is not
 * possible, the first worker opens the source alone.
 */
export async function bindSources(config: MirrorConfig): Promise<BoundSources> {
  const kept: BoundSource[] = [];
  const bound: BoundSources = {
    descriptors: [],
    sharedPorts: [],
    addresses: [],
    warnings: [],
    followTargets: async (urls) => {
      await Promise.all(kept.map(async (source) => source.followTargets?.(urls)));
    },
    close: () => kept.forEach((source) => source.close?.()),
  };
  try {
    for (const source of config.sources) {
      // oxlint-disable-next-line no-await-in-loop -- one that cannot be had ends the start before the next is opened
      const opened = await bindSource(source, config);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const sharedPort = 'httpSink' in source ? await shareSinkPort(source.httpSink.listen, config.workers) : null;
      bound.descriptors.push(opened?.descriptors ?? null);
      bound.sharedPorts.push(sharedPort);
      bound.addresses.push(opened?.address ?? null);
      bound.warnings.push(...(opened?.warnings ?? []));
      if (opened !== null) kept.push(opened);
      const shared = sharedPort !== null || 'proxy' in source || isReadByAll(source, config.targets);
      if (!shared && (opened?.descriptors.length ?? 1) < config.workers) {
        bound.warnings.push(`${sourceName(source)}: this source cannot be shared, one of the ${config.workers} workers has it`);
      }
    }
  } catch (error) {
    bound.close();
    throw error;
  }
  return bound;
}

async function bindSource(source: SourceConfig, config: MirrorConfig): Promise<BoundSource | null> {
  if ('pcap' in source || 'files' in source || 'httpSink' in source || 'proxy' in source) return null;
  if ('interface' in source) return bindInterface(source.interface, config);
  return 'vxlan' in source
    ? bindTunnel('vxlan', source.vxlan, config.workers)
    : bindTunnel('geneve', source.geneve, config.workers);
}

/** Starts a source in a worker, whose `share` is `shareOf` it. Null when another worker has it, or the relay's thread. */
export async function startSource(
  source: SourceConfig,
  share: FileShare | null,
  { descriptor, sharedPort }: { descriptor: number | null; sharedPort: number | null },
  intake: Intake,
  dispatcher: Dispatcher,
  warn: (text: string) => void,
): Promise<RunningSource | null> {
  if ('proxy' in source || (descriptor === null && sharedPort === null && share === null)) return null;
  if ('httpSink' in source) return startHttpSink(source.httpSink.listen, sharedPort, asIntake(intake, SinkIntake));
  if ('files' in source) return share === null ? null : startFiles(source.files, share, asIntake(intake, FilesIntake), dispatcher, warn);
  const start: SourceStart = { descriptor, pipeline: asIntake(intake, Pipeline), dispatcher, warn };
  if ('pcap' in source) return startCaptureFile(source.pcap.file, start);
  if ('interface' in source) return startInterface(source.interface, start);
  return 'vxlan' in source ? startTunnel('vxlan', source.vxlan, start) : startTunnel('geneve', source.geneve, start);
}

/** `openIntake` made it for the same source. */
function asIntake<T extends Intake>(intake: Intake, kind: abstract new (...args: never[]) => T): T {
  if (intake instanceof kind) return intake;
  throw new Error('a source with the stages of another');
}
