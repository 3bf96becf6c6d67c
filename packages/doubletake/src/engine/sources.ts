/** From a source in the configuration to one that feeds a pipeline: what the main thread opens and what a worker runs. */
import { formatListen } from '../config/listen.ts';
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';
import { packetSettings } from '../config/source-schema.ts';
import { startCaptureFile } from './capture-file-source.ts';
import { bindInterface, startInterface } from './interface-source.ts';
import type { PipelineOptions } from './pipeline.ts';
import type { BoundSource, RunningSource, SourceStart } from './running-source.ts';
import { bindTunnel, startTunnel } from './tunnel-source.ts';

/** How a source is called in the ledger and in logs. */
export function sourceName(source: SourceConfig): string {
  if ('pcap' in source) return `pcap:${source.pcap.file}`;
  if ('interface' in source) return `interface:${source.interface.name}`;
  return 'vxlan' in source
    ? `vxlan:${formatListen(source.vxlan.listen)}`
    : `geneve:${formatListen(source.geneve.listen)}`;
}

/** Which of a source's packets are taken, and how. */
export function packetChoice(source: SourceConfig): Omit<PipelineOptions, 'hashSeed'> {
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
  /** By source: what is listened on; null where only the worker will know. */
  addresses: (string | null)[];
  warnings: string[];
  /** Closes what the main thread keeps; to be called before the workers are stopped. */
  close(): void;
}

/**
 * Opens what several workers share, with the kernel keeping both directions of a connection together. Where that is not
 * possible, the first worker opens the source alone.
 */
export async function bindSources(config: MirrorConfig): Promise<BoundSources> {
  const kept: (() => void)[] = [];
  const bound: BoundSources = { descriptors: [], addresses: [], warnings: [], close: () => kept.forEach((close) => close()) };
  try {
    for (const source of config.sources) {
      // oxlint-disable-next-line no-await-in-loop -- one that cannot be had ends the start before the next is opened
      const opened = await bindSource(source, config);
      bound.descriptors.push(opened?.descriptors ?? null);
      bound.addresses.push(opened?.address ?? null);
      bound.warnings.push(...(opened?.warnings ?? []));
      if (opened?.close !== undefined) kept.push(opened.close);
      if ((opened?.descriptors.length ?? 1) < config.workers) {
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
  if ('pcap' in source) return null;
  if ('interface' in source) return bindInterface(source.interface, config);
  return 'vxlan' in source
    ? bindTunnel('vxlan', source.vxlan, config.workers)
    : bindTunnel('geneve', source.geneve, config.workers);
}

/** Starts a source in a worker. Null when another worker has it. */
export async function startSource(source: SourceConfig, worker: number, start: SourceStart): Promise<RunningSource | null> {
  if (start.descriptor === null && worker > 0) return null;
  if ('pcap' in source) return startCaptureFile(source.pcap.file, start);
  if ('interface' in source) return startInterface(source.interface, start);
  return 'vxlan' in source ? startTunnel('vxlan', source.vxlan, start) : startTunnel('geneve', source.geneve, start);
}
