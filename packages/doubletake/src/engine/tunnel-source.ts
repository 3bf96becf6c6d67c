/**
 * Tunnels that end here, VXLAN and GENEVE: read from UDP sockets, or from the ring of the interface on which they come in.
 *
 * Read from a ring, a socket on the port has still to be there, or the kernel would answer each packet with an error
 * (ICMP port unreachable). It takes nothing, and the main thread keeps it.
 */
import { networkInterfaces } from 'node:os';
import type { TunnelConfig } from '../config/source-schema.ts';
import { hostPortText } from '../host-port.ts';
import { readDatagram } from '../sources/ring-datagram.ts';
import { RingSource } from '../sources/ring-source.ts';
import { bindUdpGroup } from '../sources/udp-group.ts';
import { type DatagramListener, openUdpSource } from '../sources/udp-source.ts';
import { buildDatagramFilter, buildEmptyFilter } from '../system/capture-filter.ts';
import { needLibc } from '../system/libc.ts';
import { openPacketSockets } from '../system/packet-socket.ts';
import { attachFilter } from '../system/socket-options.ts';
import { buildSteeringProgram } from '../system/steering.ts';
import { openUdpSocket } from '../system/udp-socket.ts';
import { numericAddress } from './numeric-address.ts';
import type { Pipeline } from './pipeline.ts';
import { type BoundSource, type RunningSource, runNetworkSource, type SourceStart } from './running-source.ts';

type Tunnel = 'vxlan' | 'geneve';

/** What the socket that keeps the port open may hold, which is nothing: the least that the kernel has. */
const guardBufferBytes = 1;

/** Opens a socket or a ring for each worker. Null where they cannot share the port: the worker opens it alone. */
export async function bindTunnel(tunnel: Tunnel, config: TunnelConfig, workers: number): Promise<BoundSource | null> {
  const host = await numericAddress(config.listen.host);
  return config.receive === 'ring'
    ? bindRings(tunnel, host, config, workers)
    : bindSockets(tunnel, host, config.listen.port, workers);
}

function bindSockets(tunnel: Tunnel, host: string, port: number, workers: number): BoundSource | null {
  try {
    const group = bindUdpGroup({ host, port, count: workers, program: buildSteeringProgram({ workers, tunnel }) });
    return { ...group, address: tunnelAddress(tunnel, group) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'DT_SOURCE_UNAVAILABLE') return null;
    throw error;
  }
}

function bindRings(tunnel: Tunnel, host: string, { listen, ring }: TunnelConfig, workers: number): BoundSource {
  const libc = needLibc('receiving from a packet ring');
  const guard = openUdpSocket(libc, { host, port: listen.port, receiveBufferBytes: guardBufferBytes });
  try {
    attachFilter(libc, guard.descriptor, buildEmptyFilter());
    const descriptors = openPacketSockets(
      libc,
      { interfaceName: interfaceOf(host), ringBytes: ring },
      { count: workers, program: buildSteeringProgram({ workers, tunnel, over: 'rings' }), defragment: true },
    );
    const filter = buildDatagramFilter({ address: host, port: guard.port });
    for (const descriptor of descriptors) attachFilter(libc, descriptor, filter);
    const close = (): void => void libc.close(guard.descriptor);
    return { descriptors, address: tunnelAddress(tunnel, guard), warnings: [], close };
  } catch (error) {
    libc.close(guard.descriptor);
    throw error;
  }
}

/** Starts the source in a worker, on what the main thread opened or by itself. */
export async function startTunnel(
  tunnel: Tunnel,
  { listen, receive, ring: ringBytes }: TunnelConfig,
  { descriptor, pipeline, warn }: SourceStart,
): Promise<RunningSource> {
  const onDatagram = listenerOf(tunnel, pipeline);
  if (receive === 'ring' && descriptor !== null) {
    const ring = new RingSource(needLibc('receiving from a packet ring'), {
      descriptor,
      interfaceName: interfaceOf(await numericAddress(listen.host)),
      ringBytes,
      onPacket: (packet) => readDatagram(packet, onDatagram),
      onWarning: warn,
    });
    const source = { kernelDrops: () => ring.kernelDrops, close: () => ring.close() };
    return runNetworkSource(`${tunnel}=${hostPortText(listen)}`, pipeline, source);
  }
  const udp = await openUdpSource({
    host: descriptor === null ? await numericAddress(listen.host) : listen.host,
    port: listen.port,
    onDatagram,
    ...(descriptor === null ? {} : { descriptor }),
  });
  // The main thread has told the warnings of sockets that it bound itself.
  if (descriptor === null) udp.warnings.forEach(warn);
  const source = { kernelDrops: () => udp.counters().kernelDrops ?? 0, close: () => udp.close() };
  return runNetworkSource(tunnelAddress(tunnel, udp), pipeline, source);
}

function listenerOf(tunnel: Tunnel, pipeline: Pipeline): DatagramListener {
  return tunnel === 'vxlan'
    ? (bytes, start, end, timeUs) => pipeline.vxlan(bytes, start, end, timeUs)
    : (bytes, start, end, timeUs) => pipeline.geneve(bytes, start, end, timeUs);
}

function tunnelAddress(tunnel: Tunnel, { address, port }: { address: string; port: number }): string {
  return `${tunnel}=${hostPortText({ host: address, port })}`;
}

/** The interface that has the address; all of them where none has it, or the address stands for all. */
function interfaceOf(address: string): string {
  const found = Object.entries(networkInterfaces()).find(([, entries]) =>
    entries?.some((entry) => entry.address === address.split('%')[0]),
  );
  return found?.[0] ?? 'any';
}
