/**
 * An AF_PACKET socket with a TPACKET_V3 ring as a descriptor of our own (packet(7), linux/if_packet.h): what passes an
 * interface and its filter is written by the kernel into memory that `PacketRing` maps. Packet sockets of one group share
 * the traffic (fanout). A descriptor belongs to the process: the main thread may open it and a worker map and read it.
 */
import type { BpfInstruction } from './bpf.ts';
import { buildEmptyFilter } from './capture-filter.ts';
import { SystemError, systemErrorFromErrno } from './errors.ts';
import type { Libc } from './libc.ts';
import { openSocket, SOCK_NONBLOCK, SOCK_RAW } from './open-socket.ts';
import { attachFilter, attachProgram, getOption, setOption, setStruct, SOL_SOCKET, StructOption } from './socket-options.ts';

/** linux/socket.h, linux/if_ether.h, asm-generic/socket.h. */
const AF_PACKET = 17;
const ETH_P_ALL = 0x0003;
const SO_ERROR = 4;

/** linux/socket.h, linux/if_packet.h. */
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const PACKET_FANOUT = 18;
const PACKET_FANOUT_DATA = 22;
const PACKET_MR_PROMISC = 1;
const TPACKET_V3 = 2;
const PACKET_FANOUT_HASH = 0;
const PACKET_FANOUT_CBPF = 6;
const PACKET_FANOUT_FLAG_UNIQUEID = 0x2000;
const PACKET_FANOUT_FLAG_DEFRAG = 0x8000;

const EPERM = 1;
const EACCES = 13;

/**
 * One block holds one super-frame of an offloading card at least (64 KiB), and the kernel hands over whole blocks: many
 * small ones bridge a longer pause of the thread than few large ones, when little traffic fills none of them.
 */
const blockBytes = 128 * 1024;
/** No meaning in version 3, but the kernel checks that it divides the block. */
const frameBytes = 2048;

/**
 * Milliseconds after which a block is handed over that did not fill up: how long a packet may wait for others, and how
 * often the thread is woken at most. Kernels before 6.17 round it up to their timer's tick (1 to 10 ms).
 */
export const blockTimeoutMs = 4;

export interface PacketSocketOptions {
  /** Name of the interface; `any` for all of them. */
  interfaceName: string;
  /** Rounded up to whole blocks of 128 KiB. Memory that cannot be swapped out, taken at once. */
  ringBytes: number;
  /** See also what passes the interface for other machines, as on the port of a switch that mirrors. */
  promiscuous?: boolean;
}

/** How the sockets of a group share the traffic. */
export interface Fanout {
  count: number;
  /** Chooses the socket, by index in order of joining; null for the kernel's symmetric hash of addresses and ports. */
  program: readonly BpfInstruction[] | null;
  /** Put fragments of IPv4 together first. */
  defragment: boolean;
}

/** The size that a ring really has. */
export function wholeRingBytes(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

export const ringBlockBytes = blockBytes;

/**
 * Opens the sockets of a group, which take nothing until `attachFilter` lets them. Throws `SystemError`, and then leaves nothing open.
 */
export function openPacketSockets(libc: Libc, options: PacketSocketOptions, fanout: Fanout): number[] {
  const index = interfaceIndex(libc, options.interfaceName);
  const descriptors: number[] = [];
  try {
    let group: number | null = null;
    for (let number = 0; number < fanout.count; number++) {
      const descriptor = openOne(libc, options, index);
      descriptors.push(descriptor);
      if (fanout.count === 1 && !fanout.defragment) break;
      group = joinFanout(libc, descriptor, fanout, group);
    }
    return descriptors;
  } catch (error) {
    for (const descriptor of descriptors) libc.close(descriptor);
    throw error;
  }
}

/** Index of an interface, 0 for all; throws when there is none of this name. */
export function interfaceIndex(libc: Libc, name: string): number {
  if (name === 'any') return 0;
  const index = libc.interfaceIndex(name);
  if (index !== 0) return index;
  const advice = '`ip link` lists those of this machine, and `any` takes all of them';
  throw new SystemError('DT_SOURCE_INTERFACE', `there is no network interface '${name}'; ${advice}`, '');
}

/** Attaches a socket to an interface, also anew when the one it was attached to is gone; false when that cannot be. */
export function bindToInterface(libc: Libc, descriptor: number, index: number): boolean {
  // struct sockaddr_ll: family, protocol in network order, index; the rest is not used here.
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeInt32LE(index, 4);
  return libc.bind(descriptor, address, address.length) === 0;
}

/** The error that waits on a socket, such as ENETDOWN, and takes it away; 0 when there is none. */
export function takeSocketError(libc: Libc, descriptor: number): number {
  return getOption(libc, descriptor, SOL_SOCKET, SO_ERROR, 'cannot read the state of a packet socket (SO_ERROR)');
}

/** Counts what the kernel dropped for want of room in the ring. Each read takes the count back to zero: one reader. */
export class RingDropReader {
  readonly #statistics: StructOption;
  #total = 0;

  constructor(libc: Libc, descriptor: number) {
    const what = 'cannot read the drop counter of a packet ring (PACKET_STATISTICS)';
    // struct tpacket_stats_v3: packets with the dropped ones, drops, times that the queue was frozen.
    this.#statistics = new StructOption(libc, descriptor, SOL_PACKET, PACKET_STATISTICS, 12, what);
  }

  /** Dropped since the socket was opened. */
  read(): number {
    this.#total += this.#statistics.read().readUInt32LE(4);
    return this.#total;
  }
}

function openOne(libc: Libc, { interfaceName, ringBytes, promiscuous = false }: PacketSocketOptions, index: number): number {
  const what = `cannot capture on interface ${interfaceName}`;
  // Protocol 0: nothing comes in until it is bound, by when the filter is there.
  return openSocket(libc, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, (errno) => openingError(what, errno), (descriptor) => {
    attachFilter(libc, descriptor, buildEmptyFilter());
    setOption(libc, descriptor, SOL_PACKET, PACKET_VERSION, TPACKET_V3, `${what} (PACKET_VERSION)`);
    setStruct(libc, descriptor, SOL_PACKET, PACKET_RX_RING, ringRequest(ringBytes), `${what}: no ring of ${ringBytes} bytes (PACKET_RX_RING)`);
    if (promiscuous && index !== 0) becomePromiscuous(libc, descriptor, index, what);
    if (!bindToInterface(libc, descriptor, index)) throw systemErrorFromErrno(what, libc.errno());
    return descriptor;
  });
}

function openingError(what: string, errno: number): SystemError {
  if (errno !== EPERM && errno !== EACCES) return systemErrorFromErrno(what, errno);
  const node = process.execPath;
  return new SystemError(
    'DT_SOURCE_PERMISSION',
    `${what}: permission denied; it needs CAP_NET_RAW: run as root, or \`sudo setcap cap_net_raw+ep ${node}\`, ` +
      'or AmbientCapabilities=CAP_NET_RAW in the systemd unit',
    errno === EPERM ? 'EPERM' : 'EACCES',
  );
}

/** struct tpacket_req3: block size, blocks, frame size, frames, timeout, private bytes a block, features. */
function ringRequest(ringBytes: number): Buffer {
  const blocks = wholeRingBytes(ringBytes) / blockBytes;
  const frames = (blockBytes / frameBytes) * blocks;
  return Buffer.from(new Uint32Array([blockBytes, blocks, frameBytes, frames, blockTimeoutMs, 0, 0]).buffer);
}

function becomePromiscuous(libc: Libc, descriptor: number, index: number, what: string): void {
  // struct packet_mreq: index, type, length and bytes of an address. It ends with the socket.
  const membership = Buffer.alloc(16);
  membership.writeInt32LE(index, 0);
  membership.writeUInt16LE(PACKET_MR_PROMISC, 4);
  setStruct(libc, descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership, `${what} (PACKET_MR_PROMISC)`);
}

/** Joins `group`, or a new one whose number the kernel chooses; returns its number. */
function joinFanout(libc: Libc, descriptor: number, { program, defragment }: Fanout, group: number | null): number {
  const what = 'cannot share packets between workers (PACKET_FANOUT)';
  const type = program === null ? PACKET_FANOUT_HASH : PACKET_FANOUT_CBPF;
  const flags = (defragment ? PACKET_FANOUT_FLAG_DEFRAG : 0) | (group === null ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
  setOption(libc, descriptor, SOL_PACKET, PACKET_FANOUT, (group ?? 0) | ((type | flags) << 16), what);
  if (group !== null) return group;
  if (program !== null) attachProgram(libc, descriptor, SOL_PACKET, PACKET_FANOUT_DATA, program, what);
  return getOption(libc, descriptor, SOL_PACKET, PACKET_FANOUT, what) & 0xffff;
}
