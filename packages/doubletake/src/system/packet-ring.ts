/**
 * The packets in a TPACKET_V3 ring, one after the other, without a copy and without a system call: a cursor whose fields
 * are those of the packet that `next` stepped to.
 *
 * The kernel fills a block and hands it over whole; we read it and hand it back. Blocks come in order, so the state of
 * the next one is all there is to look at. What a packet's fields point to holds until its block is released.
 *
 * Layouts (linux/if_packet.h, LP64, little endian), as offsets of 32-bit words:
 * `struct tpacket_block_desc`: 2 status, 3 packets, 4 offset of the first packet in bytes.
 * `struct tpacket3_hdr`: 0 offset of the next packet, 1 seconds, 2 nanoseconds, 3 bytes captured, 4 bytes on the wire,
 * 5 status, 6 offsets of the link header and the network header (16 bits each), 8 VLAN tag, 9 type of the tag; at byte 48
 * `struct sockaddr_ll`: 12 family and protocol, 13 interface, 14 hardware type (16 bits), packet type, address length.
 */
import { systemErrorFromErrno } from './errors.ts';
import type { Libc, MappedMemory } from './libc.ts';
import { ringBlockBytes, wholeRingBytes } from './packet-socket.ts';

const Block = { status: 2, packets: 3, firstPacket: 4 } as const;
const Header = { next: 0, seconds: 1, nanoseconds: 2, captured: 3, length: 4, status: 5, places: 6, tag: 8, tagType: 9, hardware: 14 };

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
const TP_STATUS_VLAN_VALID = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID = 1 << 6;

/** linux/if_arp.h. */
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const etherTypeVlan = 0x8100;

export class PacketRing {
  /** The whole ring: `start` and the other places are offsets in it. */
  readonly bytes: Buffer;
  /** Where it lies in memory. */
  readonly address: bigint;
  /** The frame: from the link header on where it is Ethernet, else from the IP header on. */
  start = 0;
  end = 0;
  hasEthernet = false;
  /** Where the network header begins, as the kernel sees it. */
  network = 0;
  /** Bytes that the frame had on the wire, from `start` on. */
  originalLength = 0;
  /** Microseconds since the epoch. */
  timeUs = 0;
  /** Tag that the kernel took out of the Ethernet header (priority, drop and VLAN id), or -1. */
  vlanTag = -1;
  vlanTagType = etherTypeVlan;
  readonly #memory: MappedMemory;
  readonly #words: Int32Array;
  readonly #blocks: number;
  #block = 0;
  /** Packets of the block held that `next` has not come to; -1 while none is held. */
  #left = -1;
  /** The header that `next` will read. */
  #at = 0;
  #closed = false;

  /** Maps the ring of a socket that `openPacketSockets` made with the same `ringBytes`. Throws `SystemError`. */
  constructor(libc: Libc, descriptor: number, ringBytes: number) {
    const bytes = wholeRingBytes(ringBytes);
    const memory = libc.mapShared(descriptor, bytes);
    if (memory === null) throw systemErrorFromErrno(`cannot map a packet ring of ${bytes} bytes (mmap)`, libc.errno());
    this.#memory = memory;
    this.address = memory.address;
    this.bytes = Buffer.from(memory.view);
    this.#words = new Int32Array(memory.view);
    this.#blocks = bytes / ringBlockBytes;
  }

  /** Takes hold of the next block; returns how many packets are in it, or -1 when there is none yet. */
  acquire(): number {
    const base = (this.#block * ringBlockBytes) >> 2;
    // An acquiring load: what the kernel wrote before it handed the block over is seen after it.
    if (this.#closed || (Atomics.load(this.#words, base + Block.status) & TP_STATUS_USER) === 0) return -1;
    this.#left = this.#words[base + Block.packets];
    this.#at = this.#block * ringBlockBytes + this.#words[base + Block.firstPacket];
    return this.#left;
  }

  /** Whether a block is held. */
  get holds(): boolean {
    return this.#left >= 0;
  }

  /** Steps to the next packet of the block held; false when there is none left in it. */
  next(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    const words = this.#words;
    const at = this.#at;
    const word = at >> 2;
    const places = words[word + Header.places];
    const link = at + (places & 0xffff);
    const network = at + (places >>> 16);
    const hardware = words[word + Header.hardware] & 0xffff;
    const status = words[word + Header.status];
    this.hasEthernet = hardware === ARPHRD_ETHER || hardware === ARPHRD_LOOPBACK;
    this.start = this.hasEthernet ? link : network;
    this.network = network;
    const end = link + words[word + Header.captured];
    this.end = end < this.start ? this.start : end;
    this.originalLength = words[word + Header.length] - (this.start - link);
    this.timeUs = (words[word + Header.seconds] >>> 0) * 1e6 + Math.floor(words[word + Header.nanoseconds] / 1000);
    this.vlanTag = (status & TP_STATUS_VLAN_VALID) === 0 ? -1 : words[word + Header.tag] & 0xffff;
    if (this.vlanTag >= 0) {
      const typed = (status & TP_STATUS_VLAN_TPID_VALID) !== 0;
      this.vlanTagType = typed ? words[word + Header.tagType] & 0xffff : etherTypeVlan;
    }
    this.#at = at + words[word + Header.next];
    return true;
  }

  /** Gives the block held back to the kernel, with what `next` has not come to. */
  release(): void {
    if (this.#left < 0 || this.#closed) return;
    this.#left = -1;
    Atomics.store(this.#words, ((this.#block * ringBlockBytes) >> 2) + Block.status, TP_STATUS_KERNEL);
    this.#block = (this.#block + 1) % this.#blocks;
  }

  /** Gives the memory back. Nothing that the cursor pointed to may be touched afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#left = -1;
    this.#memory.unmap();
  }
}
