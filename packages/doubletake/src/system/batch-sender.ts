/**
 * Many datagrams with one system call (sendmmsg), each of two parts: a head, which is written into a slot here, and a
 * body, which stays where it is in memory. So what a packet ring holds is sent without being copied by us.
 *
 * It never waits: what the socket or the network does not take is counted and gone.
 * Layouts as in `batch-receiver.ts`, with two `struct iovec` for each message.
 */
import { type SystemError, systemErrorFromErrno } from './errors.ts';
import type { Libc } from './libc.ts';
import { openSocket, SOCK_DGRAM } from './open-socket.ts';
import { AF_INET6, encodeSocketAddress } from './socket-address.ts';
import { setOption, SOL_SOCKET, trySetOption } from './socket-options.ts';

const MSG_DONTWAIT = 0x40;
/** asm-generic/socket.h. */
const SO_SNDBUF = 7;
const SO_NO_CHECK = 11;
/** linux/in.h, linux/in6.h: the path's MTU, known of a connected socket. */
const IPPROTO_IP = 0;
const IP_MTU = 14;
const IPPROTO_IPV6 = 41;
const IPV6_MTU = 24;

const EINTR = 4;
const ECONNREFUSED = 111;

const mmsghdrBytes = 64;
const iovecBytes = 16;
/** What may wait in the socket for the interface to take it. */
const sendBufferBytes = 4 * 1024 * 1024;
const udpHeaderBytes = 8;

export interface BatchSenderOptions {
  /** Numeric address. */
  host: string;
  port: number;
  /** Datagrams in one system call. */
  slots: number;
  /** Room for the head of each. */
  headBytes: number;
}

export class BatchSender {
  /** Heads: that of the next datagram begins at `headAt`. */
  readonly heads: Buffer;
  /** Datagrams that the socket took. */
  sent = 0;
  /** Datagrams that it did not take: no room, no route, or nobody there. */
  failed = 0;
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #isIpv6: boolean;
  readonly #slots: number;
  readonly #headBytes: number;
  readonly #messages: Buffer;
  readonly #iovecs: Buffer;
  readonly #iovecWords: Uint32Array;
  #count = 0;

  /** Throws `SystemError`. */
  constructor(libc: Libc, { host, port, slots, headBytes }: BatchSenderOptions) {
    this.#libc = libc;
    this.#slots = slots;
    this.#headBytes = headBytes;
    this.heads = Buffer.alloc(slots * headBytes);
    this.#messages = Buffer.alloc(slots * mmsghdrBytes);
    this.#iovecs = Buffer.alloc(slots * 2 * iovecBytes);
    this.#iovecWords = new Uint32Array(this.#iovecs.buffer, this.#iovecs.byteOffset, (slots * 2 * iovecBytes) / 4);
    for (let slot = 0; slot < slots; slot++) {
      const iovec = slot * 2 * iovecBytes;
      this.#iovecs.writeBigUInt64LE(libc.addressOf(this.heads) + BigInt(slot * headBytes), iovec);
      this.#messages.writeBigUInt64LE(libc.addressOf(this.#iovecs) + BigInt(iovec), slot * mmsghdrBytes + 16);
      this.#messages.writeBigUInt64LE(2n, slot * mmsghdrBytes + 24);
    }
    const address = encodeSocketAddress(host, port);
    const family = address.readUInt16LE(0);
    this.#isIpv6 = family === AF_INET6;
    const what = `cannot send to ${host} port ${port}`;
    const failed = (errno: number): SystemError => systemErrorFromErrno(what, errno);
    this.#descriptor = openSocket(libc, family, SOCK_DGRAM, failed, (descriptor) => {
      if (libc.connect(descriptor, address, address.length) < 0) throw failed(libc.errno());
      setOption(libc, descriptor, SOL_SOCKET, SO_SNDBUF, sendBufferBytes, what);
      // RFC 7348 section 5: the outer checksum should be zero. Over IPv6 it would need an agreement of both ends.
      if (!this.#isIpv6) trySetOption(libc, descriptor, SOL_SOCKET, SO_NO_CHECK, 1);
      return descriptor;
    });
  }

  /** Where the head of the next datagram is to be written. */
  get headAt(): number {
    return this.#count * this.#headBytes;
  }

  /**
   * Adds a datagram, whose head is at `headAt` and whose body at an address in memory, where it must stay until `flush`.
   * A full batch is sent at once.
   */
  add(headBytes: number, bodyAddress: number, bodyBytes: number): void {
    const words = this.#iovecWords;
    const word = this.#count * 8;
    words[word + 2] = headBytes;
    words[word + 4] = bodyAddress;
    words[word + 5] = bodyAddress / 0x1_0000_0000;
    words[word + 6] = bodyBytes;
    if (++this.#count === this.#slots) this.flush();
  }

  /** Sends what was added. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    let refused = false;
    for (let from = 0; from < count; ) {
      const rest = from === 0 ? this.#messages : this.#messages.subarray(from * mmsghdrBytes);
      const done = this.#libc.sendmmsg(this.#descriptor, rest, count - from, MSG_DONTWAIT);
      if (done > 0) {
        this.sent += done;
        from += done;
        refused = false;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === EINTR) continue;
      // That nobody was there for an earlier datagram is told in place of sending this one: it gets another try.
      if (errno === ECONNREFUSED && !refused) {
        refused = true;
        continue;
      }
      refused = false;
      this.failed++;
      from++;
    }
  }

  /** The most that a datagram can carry without being sent in fragments, as the way to the receiver is known now. */
  payloadBytesMax(): number {
    const value = Buffer.alloc(4);
    const length = Buffer.from([4, 0, 0, 0]);
    const [level, option, headers] = this.#isIpv6 ? [IPPROTO_IPV6, IPV6_MTU, 40] : [IPPROTO_IP, IP_MTU, 20];
    const known = this.#libc.getsockopt(this.#descriptor, level, option, value, length) === 0;
    const mtu = known ? value.readInt32LE() : 1500;
    return Math.min(mtu, 65_535) - headers - udpHeaderBytes;
  }

  /** The most that it can carry at all. */
  get payloadBytesLimit(): number {
    return 65_535 - udpHeaderBytes - (this.#isIpv6 ? 0 : 20);
  }

  close(): void {
    this.#libc.close(this.#descriptor);
  }
}
