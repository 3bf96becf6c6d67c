/**
 * The C library of Linux, called through koffi: the only place where foreign functions are declared.
 *
 * Nothing is loaded until `loadLibc` is called, so that this module can be imported on every system. Structures are
 * laid out by hand in buffers (LP64, little endian: x64 and arm64, which agree in every number used here), and pointer
 * arguments are buffers, which koffi passes on without copying. Functions return what libc returns; `errno` must be
 * read directly after a call that failed.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** `null` is the null pointer. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Buffer, addressBytes: number): number;
  getsockname(descriptor: number, address: Buffer, addressBytes: Buffer): number;
  setsockopt(descriptor: number, level: number, option: number, value: Buffer, valueBytes: number): number;
  getsockopt(descriptor: number, level: number, option: number, value: Buffer, valueBytes: Buffer): number;
  /** `messages` is an array of `struct mmsghdr`; no timeout is passed. */
  recvmmsg(descriptor: number, messages: Buffer, count: number, flags: number, timeout: null): number;
  close(descriptor: number): number;
  /** The error number of the last call that failed on this thread. */
  errno(): number;
  /** Where a buffer's bytes are. Valid as long as the buffer is referenced: its memory does not move. */
  addressOf(buffer: Buffer): bigint;
  /** Calls back from every turn of this thread's event loop in which the descriptor is readable. */
  pollReadable(descriptor: number, callback: () => void): ReadablePoll;
}

/** A registration with the event loop; must be kept referenced, and closed before its descriptor is. */
export interface ReadablePoll {
  stop(): void;
  start(): void;
  close(): void;
}

export type LibcResult = { libc: Libc } | { unavailable: string };

let loaded: LibcResult | undefined;

/** libc, or why it cannot be used here. Loads it at the first call. */
export function loadLibc(): LibcResult {
  loaded ??= open();
  return loaded;
}

function open(): LibcResult {
  if (process.platform !== 'linux') return { unavailable: `needs Linux (this is ${process.platform})` };
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    return { unavailable: `needs an x64 or arm64 processor (this is ${process.arch})` };
  }
  try {
    // Declared by the package's own types, which `require` cannot know.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    return { libc: declare(koffi) };
  } catch (error) {
    // Node adds the files that asked for it, a line each.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
    return { unavailable: `the package koffi cannot be loaded: ${reason}` };
  }
}

function declare(koffi: typeof Koffi): Libc {
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int, int, int)') as Libc['socket'],
    bind: library.func('int bind(int, const void *, uint32_t)') as Libc['bind'],
    getsockname: library.func('int getsockname(int, void *, void *)') as Libc['getsockname'],
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)') as Libc['setsockopt'],
    getsockopt: library.func('int getsockopt(int, int, int, void *, void *)') as Libc['getsockopt'],
    recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)') as Libc['recvmmsg'],
    close: library.func('int close(int)') as Libc['close'],
    errno: () => koffi.errno(),
    addressOf: (buffer) => koffi.address(buffer),
    pollReadable(descriptor, callback) {
      const options = { readable: true };
      const handle = koffi.node.poll(descriptor, options, callback);
      return {
        stop: () => handle.stop(),
        start: () => handle.start(options, callback),
        close: () => handle.close(),
      };
    },
  };
}
