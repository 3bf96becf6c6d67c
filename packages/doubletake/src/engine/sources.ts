/** From a source in the configuration to one that feeds a pipeline: what the main thread opens and what a worker runs. */
import { lookup } from 'node:dns/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatListen } from '../config/listen.ts';
import type { MirrorConfig, SourceConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { CaptureFile } from '../sources/capture-file.ts';
import { bindUdpGroup } from '../sources/udp-group.ts';
import { openHttpSink, reserveTcpPort } from '../sources/http-sink.ts';
import { openUdpSource } from '../sources/udp-source.ts';
import { buildSteeringProgram } from '../system/steering.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Intake } from './intake.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { RelayIntake } from './relay-intake.ts';
import { SinkIntake } from './sink-intake.ts';

/** How a source is called in the ledger and in logs. */
export function sourceName(source: SourceConfig): string {
  if ('pcap' in source) return `pcap:${source.pcap.file}`;
  if ('httpSink' in source) return `http-sink:${formatListen(source.httpSink.listen)}`;
  if ('proxy' in source) return `proxy:${formatListen(source.proxy.listen)}`;
  return `vxlan:${formatListen(source.vxlan.listen)}`;
}

/** The stages behind a source; `hashSeed` as in `PipelineOptions`, `learn` as in `Intake`. */
export function openIntake(
  source: SourceConfig,
  hashSeed: number,
  dispatcher: Dispatcher,
  layout: CounterLayout,
  row: Float64Array,
  learn: ((endpoint: string) => void) | null,
): Intake {
  const name = sourceName(source);
  if ('httpSink' in source) return new SinkIntake(name, dispatcher, layout, row);
  if ('proxy' in source) return new RelayIntake(name, dispatcher, layout, row, learn);
  return new Pipeline(name, { hashSeed, ...packetChoice(source) }, dispatcher, layout, row, learn);
}

/** Which of a source's packets are taken, and how. */
function packetChoice(source: PacketSource): Omit<PipelineOptions, 'hashSeed'> {
  const { vni, ports, mergeTunnels } = 'pcap' in source ? source.pcap : source.vxlan;
  return {
    vnis: vni.length > 0 ? new Set(vni) : null,
    ports: ports.length > 0 ? new Set(ports) : null,
    mergeTunnels,
    fromFile: 'pcap' in source,
  };
}

type PacketSource = Exclude<SourceConfig, { httpSink: unknown } | { proxy: unknown }>;

/** Lost segments are given up in steps of this; see `FlowTable.tick`. */
const tickEveryMs = 10;

/** Sockets bound by the main thread, one for each source and worker. */
export interface BoundSources {
  /** By source, then by worker; null where the worker opens the source itself. */
  descriptors: (readonly number[] | null)[];
  /** By source: the TCP port that every worker listens on; null where one worker opens the source itself. */
  sharedPorts: (number | null)[];
  /** By source: what is listened on; null where only the worker will know. */
  addresses: (string | null)[];
  warnings: string[];
}

/**
 * Binds what several workers share, with the kernel keeping both directions of a connection together. Where that is not
 * possible, the first worker opens the source alone.
 */
export async function bindSources(config: MirrorConfig): Promise<BoundSources> {
  const bound: BoundSources = { descriptors: [], sharedPorts: [], addresses: [], warnings: [] };
  for (const source of config.sources) {
    const group = 'vxlan' in source ? await bindVxlan(source.vxlan.listen, config.workers) : null;
    const sharedPort = 'httpSink' in source ? await sharePort(source.httpSink.listen, config.workers) : null;
    bound.descriptors.push(group?.descriptors ?? null);
    bound.sharedPorts.push(sharedPort);
    bound.addresses.push(group && `vxlan=${formatListen({ host: group.address, port: group.port })}`);
    bound.warnings.push(...(group?.warnings ?? []));
    if (group === null && sharedPort === null && config.workers > 1 && !('proxy' in source)) {
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

/** The port that all workers are to listen on, known to be free; null where workers cannot share one. */
async function sharePort({ host, port }: { host: string; port: number }, workers: number): Promise<number | null> {
  if (workers === 1 || process.platform !== 'linux') return null;
  return reserveTcpPort(await numericAddress(host), port);
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
  { descriptor, sharedPort }: { descriptor: number | null; sharedPort: number | null },
  intake: Intake,
  dispatcher: Dispatcher,
  warn: (text: string) => void,
): Promise<RunningSource | null> {
  if ('proxy' in source || (descriptor === null && sharedPort === null && worker > 0)) return null;
  if ('httpSink' in source) return startHttpSink(source.httpSink.listen, sharedPort, asIntake(intake, SinkIntake));
  const pipeline = asIntake(intake, Pipeline);
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

/** `openIntake` made it for the same source. */
function asIntake<T extends Intake>(intake: Intake, kind: abstract new (...args: never[]) => T): T {
  if (intake instanceof kind) return intake;
  throw new Error('a source with the stages of another');
}

/** How long a stop waits for requests that are being sent: the proxy that sends them does so at once. */
const sinkGraceMs = 1_000;

async function startHttpSink(
  { host, port }: { host: string; port: number },
  sharedPort: number | null,
  intake: SinkIntake,
): Promise<RunningSource> {
  const sink = await openHttpSink({
    host: await numericAddress(host),
    port: sharedPort ?? port,
    shared: sharedPort !== null,
    open: intake.open,
  });
  intake.countWith(sink.counters);
  return {
    address: `http-sink=${formatListen({ host: sink.address, port: sink.port })}`,
    exhausted: new Promise(() => {}),
    kernelDrops: () => 0,
    close: () => sink.close(sinkGraceMs),
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
