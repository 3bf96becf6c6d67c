/** Options of sockets: whole numbers, and BPF programs. */
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
  const bytes = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  if (libc.getsockopt(descriptor, level, option, bytes, length) < 0) throw systemErrorFromErrno(what, libc.errno());
  return bytes.readInt32LE();
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
  if (libc.setsockopt(descriptor, level, option, header, header.length) < 0) {
    throw systemErrorFromErrno(what, libc.errno());
  }
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
