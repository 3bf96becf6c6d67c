/** Options of sockets: whole numbers, structures, and BPF programs. */
import { encodeInstructions, type BpfInstruction } from './bpf.ts';
import { systemErrorFromErrno } from './errors.ts';
import type { Libc } from './libc.ts';

/** asm-generic/socket.h. */
export const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Sets an `int`; throws `SystemError`, which begins with `what`. */
export function setOption(
  libc: Libc,
  descriptor: number,
  level: number,
  option: number,
  value: number,
  what: string,
): void {
  if (!trySetOption(libc, descriptor, level, option, value)) throw systemErrorFromErrno(what, libc.errno());
}

/** Sets an `int`; false when the kernel refuses (see `errno`). */
export function trySetOption(libc: Libc, descriptor: number, level: number, option: number, value: number): boolean {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return libc.setsockopt(descriptor, level, option, bytes, bytes.length) === 0;
}

/** Reads an `int`; throws `SystemError`. */
export function getOption(libc: Libc, descriptor: number, level: number, option: number, what: string): number {
  return new StructOption(libc, descriptor, level, option, 4, what).read().readInt32LE();
}

/** Sets a structure; throws `SystemError`, which begins with `what`. */
export function setStruct(
  libc: Libc,
  descriptor: number,
  level: number,
  option: number,
  value: Buffer,
  what: string,
): void {
  if (libc.setsockopt(descriptor, level, option, value, value.length) < 0) throw systemErrorFromErrno(what, libc.errno());
}

/** A structure of so many bytes that is read again and again, into the same memory. */
export class StructOption {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #level: number;
  readonly #option: number;
  readonly #what: string;
  readonly #value: Buffer;
  readonly #length = Buffer.alloc(4);

  constructor(libc: Libc, descriptor: number, level: number, option: number, bytes: number, what: string) {
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#level = level;
    this.#option = option;
    this.#what = what;
    this.#value = Buffer.alloc(bytes);
  }

  /** What it is now, until the next read; throws `SystemError`, which begins with `what`. */
  read(): Buffer {
    // The kernel overwrites the size of the buffer by what it used.
    this.#length.writeUInt32LE(this.#value.length);
    if (this.#libc.getsockopt(this.#descriptor, this.#level, this.#option, this.#value, this.#length) < 0) {
      throw systemErrorFromErrno(this.#what, this.#libc.errno());
    }
    return this.#value;
  }
}

/** Passes a program (`struct sock_fprog`: a count, padding to 8 bytes, a pointer); throws `SystemError`. */
export function attachProgram(
  libc: Libc,
  descriptor: number,
  level: number,
  option: number,
  program: readonly BpfInstruction[],
  what: string,
): void {
  const instructions = encodeInstructions(program);
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length, 0);
  header.writeBigUInt64LE(libc.addressOf(instructions), 8);
  setStruct(libc, descriptor, level, option, header, what);
  keepAlive(instructions);
}

/** Lets a program choose what comes into a socket's queue or ring; replaces the one before it at once. */
export function attachFilter(libc: Libc, descriptor: number, program: readonly BpfInstruction[]): void {
  attachProgram(libc, descriptor, SOL_SOCKET, SO_ATTACH_FILTER, program, 'cannot filter packets (SO_ATTACH_FILTER)');
}

/** The kernel reads a buffer through its address alone: this reference, after the call, keeps it from being collected. */
function keepAlive(buffer: Buffer): void {
  if (buffer.length === 0) throw new Error('an empty buffer was passed to the kernel');
}
