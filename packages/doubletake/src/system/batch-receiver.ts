/**
 * Many datagrams with one system call: recvmmsg into slots of one buffer, whose description is written once and reused.
 *
 * Slot i is always filled before slot i + 1, so memory is touched (and becomes resident) only as far as batches and
 * datagrams really go. Slots are not 64 KiB apart but a few cache lines more: at a power of two all their first lines
 * would compete for the same few places of the processor's caches.
 * Layouts are those of Linux on LP64, little endian: `struct mmsghdr` 64 bytes, `struct iovec` 16.
 */
import { systemErrorFromErrno } from './errors.ts';
import type { Libc } from './libc.ts';

/** The largest UDP datagram without jumbograms: 65,535 bytes of IPv6 payload with the UDP header. */
const slotBytesDefault = 65_536;
const slotSkewBytes = 5 * 64;

const mmsghdrBytes = 64;
const iovecBytes = 16;
/** Offsets within `struct mmsghdr`. */
const iovecPointer = 16;
const iovecCount = 24;
const controlPointer = 32;
const controlLength = 40;
const messageFlags = 48;
const messageLength = 56;

/** Room for the one control message asked for: `struct cmsghdr` (16) and `struct timespec` (16), and room to spare. */
const controlBytes = 64;
const SOL_SOCKET = 1;
const SCM_TIMESTAMPNS = 35;
const timestampMessageBytes = 32;

const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

const EINTR = 4;
const EAGAIN = 11;
const EBADF = 9;
const EFAULT = 14;
const EINVAL = 22;
const ENOTSOCK = 88;
/** These mean that our own code is wrong; anything else is the network's or the kernel's trouble and passes. */
const ownBugs = new Set([EBADF, EFAULT, EINVAL, ENOTSOCK]);

export interface BatchReceiverOptions {
  /** Datagrams in one system call. */
  slots: number;
  /** Longer datagrams are cut and flagged. */
  slotBytes?: number;
}

export class BatchReceiver {
  /** Holds the datagrams of the last batch. */
  readonly bytes: Buffer;
  /** Bytes from the start of one slot to the start of the next: datagram i begins at i * stride. */
  readonly stride: number;
  readonly slots: number;
  /** Reads that the kernel refused for want of memory or for an error of the network. */
  readErrors = 0;
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #headers: Buffer;
  readonly #headerWords: Int32Array;
  readonly #iovecs: Buffer;
  readonly #controls: Buffer;
  readonly #controlWords: Int32Array;

  constructor(libc: Libc, descriptor: number, options: BatchReceiverOptions) {
    const { slots, slotBytes = slotBytesDefault } = options;
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.slots = slots;
    this.stride = slotBytes + slotSkewBytes;
    // Not zeroed, so that no page is touched before a datagram needs it.
    this.bytes = Buffer.allocUnsafeSlow(slots * this.stride);
    this.#headers = Buffer.alloc(slots * mmsghdrBytes);
    this.#headerWords = new Int32Array(this.#headers.buffer, this.#headers.byteOffset, (slots * mmsghdrBytes) / 4);
    this.#iovecs = Buffer.alloc(slots * iovecBytes);
    this.#controls = Buffer.alloc(slots * controlBytes);
    this.#controlWords = new Int32Array(this.#controls.buffer, this.#controls.byteOffset, (slots * controlBytes) / 4);
    this.#describeSlots(slotBytes);
  }

  #describeSlots(slotBytes: number): void {
    const bytesAt = this.#libc.addressOf(this.bytes);
    const iovecsAt = this.#libc.addressOf(this.#iovecs);
    const controlsAt = this.#libc.addressOf(this.#controls);
    for (let slot = 0; slot < this.slots; slot++) {
      const iovec = slot * iovecBytes;
      this.#iovecs.writeBigUInt64LE(bytesAt + BigInt(slot * this.stride), iovec);
      this.#iovecs.writeBigUInt64LE(BigInt(slotBytes), iovec + 8);
      const header = slot * mmsghdrBytes;
      this.#headers.writeBigUInt64LE(iovecsAt + BigInt(iovec), header + iovecPointer);
      this.#headers.writeBigUInt64LE(1n, header + iovecCount);
      this.#headers.writeBigUInt64LE(controlsAt + BigInt(slot * controlBytes), header + controlPointer);
      this.#headers.writeBigUInt64LE(BigInt(controlBytes), header + controlLength);
    }
  }

  /** Reads what is there, up to `slots` datagrams, without waiting; returns how many. Overwrites the last batch. */
  receive(): number {
    const count = this.#libc.recvmmsg(this.#descriptor, this.#headers, this.slots, MSG_DONTWAIT, null);
    return count >= 0 ? count : this.#refused(this.#libc.errno());
  }

  #refused(errno: number): number {
    if (errno === EAGAIN || errno === EINTR) return 0;
    if (ownBugs.has(errno)) throw systemErrorFromErrno('cannot read from a UDP socket (recvmmsg)', errno);
    this.readErrors++;
    return 0;
  }

  /** Length of a datagram of the last batch, as far as it was received. */
  length(slot: number): number {
    return this.#headerWords[(slot * mmsghdrBytes + messageLength) >> 2];
  }

  /** Whether the datagram was longer than its slot. */
  truncated(slot: number): boolean {
    return (this.#headerWords[(slot * mmsghdrBytes + messageFlags) >> 2] & MSG_TRUNC) !== 0;
  }

  /**
   * When the kernel received the datagram, in microseconds since the epoch; -1 when it did not say. Must be asked once
   * for each datagram of a batch, since it also makes the control buffer ready for the next one.
   */
  takeTimeUs(slot: number): number {
    const header = (slot * mmsghdrBytes + controlLength) >> 2;
    const length = this.#headerWords[header];
    // The kernel overwrote the size of the buffer by what it used.
    this.#headerWords[header] = controlBytes;
    const control = (slot * controlBytes) >> 2;
    const words = this.#controlWords;
    if (
      length !== timestampMessageBytes ||
      words[control + 2] !== SOL_SOCKET ||
      words[control + 3] !== SCM_TIMESTAMPNS
    ) {
      return -1;
    }
    const seconds = words[control + 5] * 0x1_0000_0000 + (words[control + 4] >>> 0);
    return seconds * 1e6 + Math.floor(words[control + 6] / 1000);
  }
}
