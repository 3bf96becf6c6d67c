import type { Socket } from 'node:net';

/**
 * Closes a TCP connection at once with a reset, so that the kernel sends nothing more of what it still holds.
 *
 * `Socket.resetAndDestroy` alone first waits for what was written, and when the socket fails while it is shutting down,
 * libuv refuses the reset and 'close' never comes: then a plain close has to do, which resets too if data came in.
 */
export function resetSocket(socket: Socket): void {
  const shuttingDown = socket.writableEnded && !socket.writableFinished;
  if (!socket.destroyed && !socket.connecting && !shuttingDown) socket.resetAndDestroy();
  socket.destroy();
}
