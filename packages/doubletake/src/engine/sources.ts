/** From a source in the configuration to one that feeds a pipeline, in a worker. */
import type { SourceConfig } from '../config/schema.ts';
import type { PacketSource } from '../config/source-schema.ts';
import { packetSettings, sourceName } from '../config/sources.ts';
import { startCaptureFile } from './capture-file-source.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { FileShare } from './file-share.ts';
import { FilesIntake } from './files-intake.ts';
import type { Intake, IntakeParts } from './intake.ts';
import { startInterface } from './interface-source.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { RelayIntake } from './relay-intake.ts';
import type { RunningSource, SourceStart } from './running-source.ts';
import { SinkIntake } from './sink-intake.ts';
import { startTunnel } from './tunnel-source.ts';

/** The stages behind a source; `hashSeed` and `responseBodyBytesMax` as in `PipelineOptions`. */
export function openIntake(
  source: SourceConfig,
  worker: Omit<IntakeParts, 'name'>,
  { hashSeed, responseBodyBytesMax }: Pick<PipelineOptions, 'hashSeed' | 'responseBodyBytesMax'>,
): Intake {
  const parts = { ...worker, name: sourceName(source) };
  if ('httpSink' in source) return new SinkIntake(parts);
  if ('files' in source) return new FilesIntake(parts, { responseBodyBytesMax });
  if ('proxy' in source) return new RelayIntake(parts, { responseBodyBytesMax });
  return new Pipeline(parts, { hashSeed, ...packetChoice(source), responseBodyBytesMax });
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
  // What serves a sink or reads recordings is loaded with the first of them.
  if ('httpSink' in source) {
    const { startHttpSink } = await import('./sink-source.ts');
    return startHttpSink(source.httpSink.listen, sharedPort, asIntake(intake, SinkIntake));
  }
  if ('files' in source) {
    const { startFiles } = await import('./files-source.ts');
    return share === null ? null : startFiles(source.files, share, asIntake(intake, FilesIntake), dispatcher, warn);
  }
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
