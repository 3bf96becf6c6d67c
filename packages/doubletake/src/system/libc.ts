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
import { SystemError } from './errors.ts';

/** `null` is the null pointer. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Buffer, addressBytes: number): number;
  getsockname(descriptor: number, address: Buffer, addressBytes: Buffer): number;
  setsockopt(descriptor: number, level: number, option: number, value: Buffer, valueBytes: number): number;
  getsockopt(descriptor: number, level: number, option: number, value: Buffer, valueBytes: Buffer): number;
  connect(descriptor: number, address: Buffer, addressBytes: number): number;
  /** `messages` is an array of `struct mmsghdr`; no timeout is passed. */
  recvmmsg(descriptor: number, messages: Buffer, count: number, flags: number, timeout: null): number;
  /** `messages` is an array of `struct mmsghdr`. */
  sendmmsg(descriptor: number, messages: Buffer, count: number, flags: number): number;
  /** Index of the network interface of this name; 0 when there is none. */
  interfaceIndex(name: string): number;
  /** Maps `bytes` of what the descriptor offers, shared, to read and to write; null when it cannot (see `errno`). */
  mapShared(descriptor: number, bytes: number): MappedMemory | null;
  close(descriptor: number): number;
  /** Sets an option of the allocator; 0 where it has none such, as in musl. */
  mallopt(option: number, value: number): number;
  /** The error number of the last call that failed on this thread. */
  errno(): number;
  /** Where a buffer's bytes are. Valid as long as the buffer is referenced: its memory does not move. */
  addressOf(buffer: Buffer): bigint;
  /** Calls back from every turn of this thread's event loop in which the descriptor is readable. */
  pollReadable(descriptor: number, callback: () => void): ReadablePoll;
}

/** Memory that the kernel shares with us. After `unmap`, touching the view would end the process: drop it before. */
export interface MappedMemory {
  /** Where it lies, for structures that point into it. */
  address: bigint;
  view: ArrayBuffer;
  unmap(): void;
}

/** A registration with the event loop; must be kept referenced, and closed before its descriptor is. */
export interface ReadablePoll {
  stop(): void;
  start(): void;
  close(): void;
}

type Mmap = (
  address: null,
  bytes: number,
  protection: number,
  flags: number,
  descriptor: number,
  offset: number,
) => bigint;

/** sys/mman.h. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export type LibcResult = { libc: Libc } | { unavailable: string };

let loaded: LibcResult | undefined;

/** libc, or why it cannot be used here. Loads it at the first call. */
export function loadLibc(): LibcResult {
  loaded ??= open();
  return loaded;
}

/** libc for something that cannot be had otherwise; throws `SystemError` where it cannot be used. */
export function needLibc(purpose: string): Libc {
  const result = loadLibc();
  if ('libc' in result) return result.libc;
  throw new SystemError('DT_SOURCE_UNAVAILABLE', `${purpose} is not possible here: ${result.unavailable}`, '');
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
  const mmap = library.func('void *mmap(void *, size_t, int, int, int, int64_t)') as Mmap;
  const munmap = library.func('int munmap(void *, size_t)') as (address: bigint, bytes: number) => number;
  return {
    socket: library.func('int socket(int, int, int)') as Libc['socket'],
    bind: library.func('int bind(int, const void *, uint32_t)') as Libc['bind'],
    getsockname: library.func('int getsockname(int, void *, void *)') as Libc['getsockname'],
    setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)') as Libc['setsockopt'],
    getsockopt: library.func('int getsockopt(int, int, int, void *, void *)') as Libc['getsockopt'],
    connect: library.func('int connect(int, const void *, uint32_t)') as Libc['connect'],
    recvmmsg: library.func('int recvmmsg(int, void *, uint32_t, int, void *)') as Libc['recvmmsg'],
    sendmmsg: library.func('int sendmmsg(int, void *, uint32_t, int)') as Libc['sendmmsg'],
    interfaceIndex: library.func('uint32_t if_nametoindex(const char *)') as Libc['interfaceIndex'],
    mapShared(descriptor, bytes) {
      const address = mmap(null, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
      if (address === MAP_FAILED) return null;
      return { address, view: koffi.view(address, bytes), unmap: () => void munmap(address, bytes) };
    },
    close: library.func('int close(int)') as Libc['close'],
    mallopt(option, value) {
      try {
        return (library.func('int mallopt(int, int)') as Libc['mallopt'])(option, value);
      } catch {
        return 0;
      }
    },
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
