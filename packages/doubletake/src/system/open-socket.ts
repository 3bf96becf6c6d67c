/** Opening sockets: a socket that cannot be made ready is closed again. */
import type { SystemError } from './errors.ts';
import type { Libc } from './libc.ts';

/** linux/net.h, asm-generic/fcntl.h: types and what is added to them. */
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/**
 * Opens a socket, which no program that is started inherits, and returns what `prepare` returns. Throws `failed` of the
 * errno when there is none to be had, and what `prepare` throws, and then leaves nothing open.
 */
export function openSocket<T>(
  libc: Libc,
  family: number,
  type: number,
  failed: (errno: number) => SystemError,
  prepare: (descriptor: number) => T,
): T {
  const descriptor = libc.socket(family, type | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw failed(libc.errno());
  try {
    return prepare(descriptor);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
}
