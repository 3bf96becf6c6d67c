/** What tests need that capture on interfaces of this machine: the privilege, and frames of any form. */
import { loadLibc } from '../../src/system/libc.ts';
import { bindToInterface, openPacketSockets } from '../../src/system/packet-socket.ts';

/** Why nothing can be captured here, or null. */
export function captureProblem(): string | null {
  const loaded = loadLibc();
  if ('unavailable' in loaded) return loaded.unavailable;
  try {
    const sockets = openPacketSockets(
      loaded.libc,
      { interfaceName: 'lo', ringBytes: 1 << 20 },
      { count: 1, program: null, defragment: false },
    );
    for (const descriptor of sockets) loaded.libc.close(descriptor);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const AF_PACKET = 17;
const SOCK_RAW = 3;

/** Puts frames on the loopback interface as they are. */
export function injectFrames(frames: readonly Buffer[]): void {
  const loaded = loadLibc();
  if ('unavailable' in loaded) throw new Error(loaded.unavailable);
  const { libc } = loaded;
  const descriptor = libc.socket(AF_PACKET, SOCK_RAW, 0);
  try {
    if (!bindToInterface(libc, descriptor, libc.interfaceIndex('lo'))) throw new Error(`bind: errno ${libc.errno()}`);
    for (const frame of frames) {
      // struct iovec, and a struct mmsghdr that points to it.
      const iovec = Buffer.alloc(16);
      iovec.writeBigUInt64LE(libc.addressOf(frame), 0);
      iovec.writeBigUInt64LE(BigInt(frame.length), 8);
      const message = Buffer.alloc(64);
      message.writeBigUInt64LE(libc.addressOf(iovec), 16);
      message.writeBigUInt64LE(1n, 24);
      if (libc.sendmmsg(descriptor, message, 1, 0) !== 1) throw new Error(`sendmmsg: errno ${libc.errno()}`);
    }
  } finally {
    libc.close(descriptor);
  }
}
