/**
 * Sends many datagrams with one system call (sendmmsg): slots of one buffer, described once. Linux, x64 and arm64;
 * layouts as in `system/batch-receiver.ts`.
 */
import { createRequire } from 'node:module';
import { loadLibc, type Libc } from '../packages/doubletake/src/system/libc.ts';
import { AF_INET, encodeSocketAddress } from '../packages/doubletake/src/system/socket-address.ts';
import type { PacketBatch } from './traffic.ts';

const SOCK_DGRAM = 2;
const mmsghdrBytes = 64;
const iovecBytes = 16;

/** The one function of koffi that is needed here. */
interface ForeignFunctions {
  load(library: null): { func(prototype: string): unknown };
}

type Connect = (descriptor: number, address: Buffer, addressBytes: number) => number;
type Sendmmsg = (descriptor: number, messages: Buffer, count: number, flags: number) => number;

export class DatagramSender implements PacketBatch {
  readonly bytes: Buffer;
  readonly slotBytes: number;
  readonly lengths: Int32Array;
  readonly slots: number;
  /** Filled slots, which the next `flush` sends. */
  count = 0;
  /** Datagrams sent. */
  sent = 0;
  readonly #libc: Libc;
  readonly #sendmmsg: Sendmmsg;
  readonly #descriptor: number;
  readonly #messages: Buffer;
  readonly #iovecs: Buffer;
  readonly #iovecWords: Int32Array;

  /** Opens a socket to an IPv4 address. Throws where libc cannot be called. */
  constructor(host: string, port: number, slots: number, slotBytes: number) {
    const loaded = loadLibc();
    if (!('libc' in loaded)) throw new Error(`the sender ${loaded.unavailable}`);
    const libc = loaded.libc;
    const { connect, sendmmsg } = declare();
    this.#libc = libc;
    this.#sendmmsg = sendmmsg;
    this.slots = slots;
    this.slotBytes = slotBytes;
    this.bytes = Buffer.alloc(slots * slotBytes);
    this.lengths = new Int32Array(slots);
    this.#messages = Buffer.alloc(slots * mmsghdrBytes);
    this.#iovecs = Buffer.alloc(slots * iovecBytes);
    this.#iovecWords = new Int32Array(this.#iovecs.buffer, this.#iovecs.byteOffset, slots * (iovecBytes / 4));
    for (let slot = 0; slot < slots; slot++) {
      this.#iovecs.writeBigUInt64LE(libc.addressOf(this.bytes) + BigInt(slot * slotBytes), slot * iovecBytes);
      const iovec = libc.addressOf(this.#iovecs) + BigInt(slot * iovecBytes);
      this.#messages.writeBigUInt64LE(iovec, slot * mmsghdrBytes + 16);
      this.#messages.writeBigUInt64LE(1n, slot * mmsghdrBytes + 24);
    }
    this.#descriptor = libc.socket(AF_INET, SOCK_DGRAM, 0);
    const address = encodeSocketAddress(host, port);
    if (this.#descriptor < 0 || connect(this.#descriptor, address, address.length) < 0) {
      throw new Error(`cannot send to ${host}:${port} (errno ${libc.errno()})`);
    }
  }

  /** Slots still free in this batch. */
  get room(): number {
    return this.slots - this.count;
  }

  /** Sends the filled slots and waits where the socket makes it wait; throws when nobody listens any more. */
  flush(): void {
    for (let slot = 0; slot < this.count; slot++) this.#iovecWords[slot * 4 + 2] = this.lengths[slot];
    for (let from = 0; from < this.count; ) {
      const rest = from === 0 ? this.#messages : this.#messages.subarray(from * mmsghdrBytes);
      const done = this.#sendmmsg(this.#descriptor, rest, this.count - from, 0);
      if (done < 0) throw new Error(`sendmmsg failed (errno ${this.#libc.errno()})`);
      from += done;
    }
    this.sent += this.count;
    this.count = 0;
  }
}

/** koffi belongs to the product's package, and is looked up from there. */
function declare(): { connect: Connect; sendmmsg: Sendmmsg } {
  const packageRequire = createRequire(new URL('../packages/doubletake/package.json', import.meta.url));
  const library = (packageRequire('koffi') as ForeignFunctions).load(null);
  return {
    connect: library.func('int connect(int, const void *, uint32_t)') as Connect,
    sendmmsg: library.func('int sendmmsg(int, void *, uint32_t, int)') as Sendmmsg,
  };
}
