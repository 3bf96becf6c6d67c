/** What the main thread opens of the sources in the configuration, for the workers that run them. */
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';
import { sourceName } from '../config/sources.ts';
import { isReadByAll } from './file-share.ts';
import { bindInterface } from './interface-source.ts';
import type { BoundSource } from './running-source.ts';
import { bindTunnel } from './tunnel-source.ts';

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
      const sharedPort = await shareSinkPort(source, config.workers);
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

/** The port of a mirror sink that all workers are to listen on; null for other sources, and where one worker has it alone. */
async function shareSinkPort(source: SourceConfig, workers: number): Promise<number | null> {
  if (!('httpSink' in source)) return null;
  // Brings modules that no other source needs.
  const { reserveSinkPort } = await import('./sink-source.ts');
  return reserveSinkPort(source.httpSink.listen, workers);
}
