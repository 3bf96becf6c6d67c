/**
 * From a packet of a ring to the VXLAN datagrams that carry it: usually one, with the packet's bytes sent from where they
 * lie. What an offloading interface shows as one large packet is cut into segments that the way can carry, as the
 * interface itself does before it sends; what cannot be cut goes out whole as long as a datagram can hold it.
 */
import type { BatchSender } from '../system/batch-sender.ts';
import type { PacketRing } from '../system/packet-ring.ts';

const vxlanHeaderBytes = 8;
const macBytes = 12;
const tagBytes = 4;
/** Longest link header that is looked at: Ethernet with tags that are in the frame. */
const linkBytesMax = 40;
/** VXLAN, a link header with a tag put in, and IP and TCP headers with all their options. */
export const tapHeadBytes = 256;

const ipv6HeaderBytes = 40;
const protocolTcp = 6;
const finAndPush = 0x09;

/** Addresses for frames that have none: locally administered. */
const madeUpLink = Buffer.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);

export class TapFramer {
  /** Packets of which not all bytes were sent. */
  truncated = 0;
  /** Datagrams beyond the first of a packet. */
  added = 0;
  /** Longest frame that is sent in one piece if it can be cut; see `BatchSender.payloadBytesMax`. */
  frameBytesMax: number;
  readonly #sender: BatchSender;
  readonly #vni: number;
  readonly #ringAddress: number;
  readonly #frameBytesLimit: number;

  constructor(sender: BatchSender, vni: number, ringAddress: bigint) {
    this.#sender = sender;
    this.#vni = vni;
    // Addresses of a process have 47 bits, or 56 where the system was asked for more: 47 are what Node gets.
    this.#ringAddress = Number(ringAddress);
    this.#frameBytesLimit = sender.payloadBytesLimit - vxlanHeaderBytes;
    this.frameBytesMax = 0;
    this.updateFrameBytesMax();
  }

  /** Asks the system again how much the way to the receiver can carry. */
  updateFrameBytesMax(): void {
    this.frameBytesMax = Math.max(this.#sender.payloadBytesMax() - vxlanHeaderBytes, 576);
  }

  /** Adds the datagrams for the packet that the ring stands at; its block must be held until they are sent. */
  push(packet: PacketRing): void {
    const { network, end } = packet;
    const link = this.#writeLink(packet, this.#sender.headAt) - this.#sender.headAt;
    const missing = packet.originalLength - (end - packet.start);
    if (missing > 0) this.truncated++;
    const frameBytes = link - vxlanHeaderBytes + (end - network);
    if (frameBytes > this.frameBytesMax && this.#split(packet, link, Math.max(missing, 0))) return;
    let body = end - network;
    if (frameBytes > this.#frameBytesLimit) {
      body -= frameBytes - this.#frameBytesLimit;
      if (missing <= 0) this.truncated++;
    }
    this.#sender.add(link, this.#ringAddress + network, body);
  }

  /** VXLAN (RFC 7348 section 5) and the link header, with the tag that the kernel took out; returns where they end. */
  #writeLink({ bytes, start, network, hasEthernet, vlanTag, vlanTagType }: PacketRing, headAt: number): number {
    const { heads } = this.#sender;
    heads[headAt] = 0x08;
    heads[headAt + 4] = this.#vni >>> 16;
    heads[headAt + 5] = this.#vni >>> 8;
    heads[headAt + 6] = this.#vni;
    let at = headAt + vxlanHeaderBytes;
    const linkBytes = network - start;
    const isWhole = hasEthernet && linkBytes >= madeUpLink.length && linkBytes <= linkBytesMax;
    if (!isWhole) {
      heads.set(madeUpLink, at);
      if (bytes[network] >>> 4 === 6) heads.writeUInt16BE(0x86dd, at + macBytes);
      return at + madeUpLink.length;
    }
    for (let offset = 0; offset < macBytes; offset++) heads[at++] = bytes[start + offset];
    if (vlanTag >= 0) {
      heads.writeUInt16BE(vlanTagType, at);
      heads.writeUInt16BE(vlanTag, at + 2);
      at += tagBytes;
    }
    for (let offset = macBytes; offset < linkBytes; offset++) heads[at++] = bytes[start + offset];
    return at;
  }

  /** Cuts a TCP packet, whose link header stands in the head; false when it is none that can be cut. */
  #split({ bytes, network, end }: PacketRing, linkBytes: number, missing: number): boolean {
    const ipBytes = ipHeaderBytesOfTcp(bytes, network, end);
    if (ipBytes === 0) return false;
    const tcp = network + ipBytes;
    const headerBytes = ipBytes + (bytes[tcp + 12] >>> 4) * 4;
    const pieceMax = this.frameBytesMax - (linkBytes - vxlanHeaderBytes) - headerBytes;
    const payload = network + headerBytes;
    if (headerBytes < ipBytes + 20 || payload > end || pieceMax <= 0) return false;
    const sender = this.#sender;
    const sequence = bytes.readUInt32BE(tcp + 4);
    const flags = bytes[tcp + 13];
    const link = Buffer.from(sender.heads.subarray(sender.headAt, sender.headAt + linkBytes));
    for (let at = payload; at < end || at === payload; at += pieceMax) {
      const { heads, headAt } = sender;
      const pieceEnd = Math.min(at + pieceMax, end);
      const isLast = pieceEnd === end;
      heads.set(link, headAt);
      const ip = headAt + linkBytes;
      heads.set(bytes.subarray(network, payload), ip);
      // What was cut off behind the last piece is still told by its length.
      const length = headerBytes + (pieceEnd - at) + (isLast ? missing : 0);
      if (bytes[network] >>> 4 === 4) writeIpv4Length(heads, ip, ipBytes, Math.min(length, 0xffff));
      else heads.writeUInt16BE(Math.min(length - ipv6HeaderBytes, 0xffff), ip + 4);
      heads.writeUInt32BE((sequence + (at - payload)) >>> 0, ip + ipBytes + 4);
      heads[ip + ipBytes + 13] = isLast ? flags : flags & ~finAndPush;
      if (at > payload) this.added++;
      sender.add(linkBytes + headerBytes, this.#ringAddress + at, pieceEnd - at);
    }
    return true;
  }
}

/** Bytes in front of the TCP header of a whole packet; 0 when it is a fragment, or no TCP. */
function ipHeaderBytesOfTcp(bytes: Buffer, network: number, end: number): number {
  if (end - network < ipv6HeaderBytes) return 0;
  if (bytes[network] >>> 4 === 6) {
    return bytes[network + 6] === protocolTcp && end - network >= ipv6HeaderBytes + 20 ? ipv6HeaderBytes : 0;
  }
  const headerBytes = (bytes[network] & 0x0f) * 4;
  const isFragment = (bytes.readUInt16BE(network + 6) & 0x3fff) !== 0;
  const isWhole = headerBytes >= 20 && end - network >= headerBytes + 20;
  return bytes[network + 9] === protocolTcp && !isFragment && isWhole ? headerBytes : 0;
}

/** The total length, and the checksum that goes with it (RFC 791 section 3.1). */
function writeIpv4Length(heads: Buffer, ip: number, headerBytes: number, length: number): void {
  heads.writeUInt16BE(length, ip + 2);
  heads.writeUInt16BE(0, ip + 10);
  let sum = 0;
  for (let offset = 0; offset < headerBytes; offset += 2) sum += heads.readUInt16BE(ip + offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  heads.writeUInt16BE(~sum & 0xffff, ip + 10);
}
