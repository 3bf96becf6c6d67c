/**
 * A UDP socket as a descriptor of our own: created non-blocking, bound, with as large a receive buffer as the kernel
 * grants. A descriptor belongs to the process, not to a thread: the main thread may open it and a worker read it.
 */
import { hostPortText } from '../host-port.ts';
import type { BpfInstruction } from './bpf.ts';
import { type SystemError, systemErrorFromErrno } from './errors.ts';
import type { Libc } from './libc.ts';
import { openSocket, SOCK_DGRAM, SOCK_NONBLOCK } from './open-socket.ts';
import { AF_INET6, decodeSocketAddress, encodeSocketAddress, SOCKET_ADDRESS_BYTES } from './socket-address.ts';
import { attachProgram, getOption, setOption, SOL_SOCKET, StructOption, trySetOption } from './socket-options.ts';

const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_MEMINFO = 55;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** `SO_MEMINFO` gives nine words; the last is the number of datagrams dropped (SK_MEMINFO_DROPS). */
const meminfoBytes = 36;
const meminfoDropsOffset = 32;

export interface UdpSocketOptions {
  /** Numeric address; `::` takes IPv4 too. */
  host: string;
  /** 0 lets the kernel choose. */
  port: number;
  receiveBufferBytes: number;
  /** Join the sockets on the same address and port that allow it, instead of refusing when there is one. */
  join?: boolean;
}

export interface UdpSocket {
  descriptor: number;
  address: string;
  port: number;
  /** Sentences for the user; empty when all is as asked. */
  warnings: string[];
}

/** Opens and binds a socket. Throws `SystemError`, and then leaves nothing open. */
export function openUdpSocket(libc: Libc, options: UdpSocketOptions): UdpSocket {
  const what = `cannot listen on UDP ${hostPortText({ host: options.host, port: options.port })}`;
  const address = encodeSocketAddress(options.host, options.port);
  const family = address.readUInt16LE(0);
  const failed = (errno: number): SystemError => systemErrorFromErrno(what, errno);
  return openSocket(libc, family, SOCK_DGRAM | SOCK_NONBLOCK, failed, (descriptor) => {
    if (family === AF_INET6) setOption(libc, descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0, what);
    if (options.join === true) allowJoining(libc, descriptor);
    const warnings = growReceiveBuffer(libc, descriptor, options.receiveBufferBytes);
    if (libc.bind(descriptor, address, address.length) < 0) throw failed(libc.errno());
    return { descriptor, ...boundAddress(libc, descriptor), warnings };
  });
}

/** Address and port that a socket is bound to. */
export function boundAddress(libc: Libc, descriptor: number): { address: string; port: number } {
  const address = Buffer.alloc(SOCKET_ADDRESS_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  if (libc.getsockname(descriptor, address, length) < 0) {
    throw systemErrorFromErrno(`cannot use descriptor ${descriptor} as a socket`, libc.errno());
  }
  return decodeSocketAddress(address);
}

/** Lets further sockets bind to the same address and port (SO_REUSEPORT); may be called after binding. */
export function allowJoining(libc: Libc, descriptor: number): void {
  setOption(libc, descriptor, SOL_SOCKET, SO_REUSEPORT, 1, 'cannot share a UDP port (SO_REUSEPORT)');
}

/** Lets a classic BPF program choose the socket, by index in order of binding, for the whole group of `descriptor`. */
export function attachSteering(libc: Libc, descriptor: number, program: readonly BpfInstruction[]): void {
  const what = 'cannot steer packets to workers (SO_ATTACH_REUSEPORT_CBPF)';
  attachProgram(libc, descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, what);
}

/** Asks for the kernel's receive time with every datagram. */
export function enableTimestamps(libc: Libc, descriptor: number): void {
  setOption(libc, descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1, 'cannot get receive times (SO_TIMESTAMPNS)');
}

/**
 * Reads how many datagrams the kernel dropped on a socket since it was made (its buffer was full, or the outer checksum
 * was wrong). It is the number that SO_RXQ_OVFL attaches to datagrams, but without a cost for each of them, and known
 * even when no datagram follows the dropped ones. 32 bits that wrap.
 */
export class DropReader {
  readonly #meminfo: StructOption;

  constructor(libc: Libc, descriptor: number) {
    const what = 'cannot read the drop counter of a UDP socket (SO_MEMINFO)';
    this.#meminfo = new StructOption(libc, descriptor, SOL_SOCKET, SO_MEMINFO, meminfoBytes, what);
  }

  read(): number {
    return this.#meminfo.read().readUInt32LE(meminfoDropsOffset);
  }
}

/** SO_RCVBUFFORCE passes the limit of net.core.rmem_max but needs CAP_NET_ADMIN; SO_RCVBUF is cut to the limit. */
function growReceiveBuffer(libc: Libc, descriptor: number, bytes: number): string[] {
  if (trySetOption(libc, descriptor, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) return [];
  setOption(libc, descriptor, SOL_SOCKET, SO_RCVBUF, bytes, 'cannot set the receive buffer (SO_RCVBUF)');
  // The kernel doubles the value for its own bookkeeping and reports the double (socket(7)).
  const granted = getOption(libc, descriptor, SOL_SOCKET, SO_RCVBUF, 'cannot read the receive buffer') / 2;
  return granted >= bytes ? [] : [receiveBufferWarning(bytes, granted)];
}

/** What to tell a user whose kernel granted a smaller receive buffer. */
export function receiveBufferWarning(askedBytes: number, grantedBytes: number): string {
  return (
    `the UDP receive buffer is ${grantedBytes} bytes instead of ${askedBytes}: bursts may be dropped (and are counted); ` +
    `set sysctl net.core.rmem_max=${askedBytes} or grant CAP_NET_ADMIN`
  );
}
