/** From a source in the configuration to one that feeds a pipeline: what the main thread opens and what a worker runs. */
import { lookup } from 'node:dns/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatListen } from '../config/listen.ts';
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { CaptureFile } from '../sources/capture-file.ts';
import { bindUdpGroup } from '../sources/udp-group.ts';
import { openUdpSource } from '../sources/udp-source.ts';
import { buildSteeringProgram } from '../system/steering.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Pipeline, PipelineOptions } from './pipeline.ts';

/** How a source is called in the ledger and in logs. */
export function sourceName(source: SourceConfig): string {
  if ('pcap' in source) return `pcap:${source.pcap.file}`;
  if ('proxy' in source) return `proxy:${formatListen(source.proxy.listen)}`;
  return `vxlan:${formatListen(source.vxlan.listen)}`;
}

/** Which of a source's packets are taken, and how; a proxy has none. */
export function packetChoice(source: SourceConfig): Omit<PipelineOptions, 'hashSeed'> {
  if ('proxy' in source) return { vnis: null, ports: null, mergeTunnels: false, fromFile: false };
  const { vni, ports, mergeTunnels } = 'pcap' in source ? source.pcap : source.vxlan;
  return {
    vnis: vni.length > 0 ? new Set(vni) : null,
    ports: ports.length > 0 ? new Set(ports) : null,
    mergeTunnels,
    fromFile: 'pcap' in source,
  };
}

/** Lost segments are given up in steps of this; see `FlowTable.tick`. */
const tickEveryMs = 10;

/** Sockets bound by the main thread, one for each source and worker. */
export interface BoundSources {
  /** By source, then by worker; null where the worker opens the source itself. */
  descriptors: (readonly number[] | null)[];
  /** By source: what is listened on; null where only the worker will know. */
  addresses: (string | null)[];
  warnings: string[];
}

/**
 * Binds what several workers share, with the kernel keeping both directions of a connection together. Where that is not
 * possible, the first worker opens the source alone.
 */
export async function bindSources(config: MirrorConfig): Promise<BoundSources> {
  const bound: BoundSources = { descriptors: [], addresses: [], warnings: [] };
  for (const source of config.sources) {
    const group = 'vxlan' in source ? await bindVxlan(source.vxlan.listen, config.workers) : null;
    bound.descriptors.push(group?.descriptors ?? null);
    bound.addresses.push(group && `vxlan=${formatListen({ host: group.address, port: group.port })}`);
    bound.warnings.push(...(group?.warnings ?? []));
    if (group === null && config.workers > 1 && !('proxy' in source)) {
      bound.warnings.push(`${sourceName(source)}: this source cannot be shared, one of the ${config.workers} workers has it`);
    }
  }
  return bound;
}

async function bindVxlan(
  listen: { host: string; port: number },
  workers: number,
): Promise<ReturnType<typeof bindUdpGroup> | null> {
  const host = await numericAddress(listen.host);
  try {
    return bindUdpGroup({
      host,
      port: listen.port,
      count: workers,
      program: buildSteeringProgram({ workers, tunnel: "vxlan" }),
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'DT_SOURCE_UNAVAILABLE') return null;
    throw error;
  }
}

async function numericAddress(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new DoubletakeError(
      'DT_SOURCE_ADDRESS',
      `cannot listen on ${host}: the name is not known here; give an address of this machine, or 0.0.0.0 for all`,
      { cause: error },
    );
  }
}

/** A source that feeds a pipeline. */
export interface RunningSource {
  /** As in the ready line: `vxlan=127.0.0.1:4789`. */
  address: string;
  /** Resolves when the source came to its end; never for a network source. */
  exhausted: Promise<void>;
  /** Packets that the kernel dropped so far. */
  kernelDrops(): number;
  /** Stops taking packets; those already received are handed over first. */
  close(): Promise<void>;
}

/** Starts a source in a worker. Null when another worker has it, or the relay's thread. */
export async function startSource(
  source: SourceConfig,
  worker: number,
  descriptor: number | null,
  pipeline: Pipeline,
  dispatcher: Dispatcher,
  warn: (text: string) => void,
): Promise<RunningSource | null> {
  if ('proxy' in source || (descriptor === null && worker > 0)) return null;
  if ('pcap' in source) return startCaptureFile(source.pcap.file, pipeline, dispatcher, warn);
  const { host, port } = source.vxlan.listen;
  const udp = await openUdpSource({
    host: descriptor === null ? await numericAddress(host) : host,
    port,
    onDatagram: (bytes, start, end, timeUs) => pipeline.vxlan(bytes, start, end, timeUs),
    ...(descriptor === null ? {} : { descriptor }),
  });
  const ticks = setInterval(() => pipeline.tick((performance.timeOrigin + performance.now()) * 1_000), tickEveryMs);
  // The main thread has told the warnings of sockets that it bound itself.
  if (descriptor === null) udp.warnings.forEach(warn);
  return {
    address: `vxlan=${formatListen({ host: udp.address, port: udp.port })}`,
    exhausted: new Promise(() => {}),
    kernelDrops: () => udp.counters().kernelDrops ?? 0,
    close: () => {
      clearInterval(ticks);
      return udp.close();
    },
  };
}

/**
 * Reads a capture file no faster than the targets take it: a file can wait, so nothing of it is ever dropped for want of
 * room.
 */
async function startCaptureFile(
  file: string,
  pipeline: Pipeline,
  dispatcher: Dispatcher,
  warn: (text: string) => void,
): Promise<RunningSource> {
  const capture = await CaptureFile.open(file);
  const batches = capture[Symbol.asyncIterator]();
  // The first batch shows whether this is a capture at all, before anybody is told that traffic flows.
  let batch = await batches.next();
  const closing = Promise.withResolvers<void>();
  let closed = false;
  const read = async (): Promise<void> => {
    for (; batch.done !== true && !closed; batch = await batches.next()) {
      const packets = batch.value;
      while (dispatcher.room && packets.next()) {
        const { bytes, start, end, originalLength, linkType, timeUs } = packets;
        pipeline.frame(bytes, start, end, originalLength, linkType, timeUs);
      }
      pipeline.tick(packets.timeUs);
      await Promise.race([dispatcher.room ? nextTurn() : dispatcher.waitForRoom(), closing.promise]);
    }
    await batches.return();
    if (capture.warning !== null) warn(capture.warning.message);
  };
  const exhausted = read().catch((error: unknown) => warn(error instanceof Error ? error.message : String(error)));
  return {
    address: `pcap=${file}`,
    exhausted,
    kernelDrops: () => 0,
    close: async () => {
      closed = true;
      closing.resolve();
      await exhausted;
    },
  };
}
