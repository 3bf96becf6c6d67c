/**
 * Several sockets on one UDP port, one for each worker, with the kernel choosing among them by a program of ours.
 *
 * The program returns an index in the order in which the sockets were bound, so one thread must bind them all. It then
 * gives each worker its descriptor number: worker threads share the descriptors of their process. The order holds as
 * long as no socket of the group is closed (the kernel would move the last one into its place), therefore a group lives
 * and ends as a whole; a worker that is replaced passes its descriptor on.
 */
import type { BpfInstruction } from '../system/bpf.ts';
import { SystemError } from '../system/errors.ts';
import { loadLibc, type Libc } from '../system/libc.ts';
import { allowJoining, attachSteering, openUdpSocket, type UdpSocket } from '../system/udp-socket.ts';
import { receiveBufferBytesDefault } from './udp-defaults.ts';

export interface UdpGroupOptions {
  /** Numeric address; `::` takes IPv4 too. */
  host: string;
  /** 0 lets the kernel choose. */
  port: number;
  count: number;
  /** From `buildSteeringProgram`, for `count` workers. */
  program: readonly BpfInstruction[];
  /** For each socket. */
  receiveBufferBytes?: number;
}

export interface UdpGroup {
  /** For the option `descriptor` of `openUdpSource`, by index of the worker. Whoever opens a source on one closes it. */
  descriptors: number[];
  address: string;
  port: number;
  warnings: string[];
}

/**
 * Binds the group. Throws `SystemError`, and then leaves nothing open; with code `DT_SOURCE_UNAVAILABLE` where groups
 * are not possible. A port that anybody else listens on is refused, even if they would share it: each of the two
 * would silently get a part of the traffic.
 */
export function bindUdpGroup(options: UdpGroupOptions): UdpGroup {
  const result = loadLibc();
  if ('unavailable' in result) {
    throw new SystemError('DT_SOURCE_UNAVAILABLE', `several workers on one UDP port: ${result.unavailable}`, '');
  }
  const { libc } = result;
  const { host, count, program, receiveBufferBytes = receiveBufferBytesDefault } = options;
  // Bound alone first, so that a port in use is noticed; it lets others join only then.
  const first = openUdpSocket(libc, { host, port: options.port, receiveBufferBytes });
  const sockets = [first];
  try {
    allowJoining(libc, first.descriptor);
    for (let index = 1; index < count; index++) {
      sockets.push(openUdpSocket(libc, { host, port: first.port, receiveBufferBytes, join: true }));
      // The group comes into being with its second member.
      if (index === 1) attachSteering(libc, first.descriptor, program);
    }
  } catch (error) {
    closeAll(libc, sockets);
    throw error;
  }
  return {
    descriptors: sockets.map((socket) => socket.descriptor),
    address: first.address,
    port: first.port,
    warnings: first.warnings,
  };
}

function closeAll(libc: Libc, sockets: readonly UdpSocket[]): void {
  for (const socket of sockets) libc.close(socket.descriptor);
}
