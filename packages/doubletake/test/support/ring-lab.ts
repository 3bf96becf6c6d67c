/** What tests need that capture on interfaces of this machine: the privilege, and sockets that open a ring. */
import { loadLibc } from '../../src/system/libc.ts';
import { openPacketSockets } from '../../src/system/packet-socket.ts';

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
