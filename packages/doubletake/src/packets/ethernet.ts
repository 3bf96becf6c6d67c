/**
 * Ethernet and what may stand between it and IP: 802.1Q and QinQ tags, LLC/SNAP, MPLS labels, PPPoE.
 *
 * VLAN ids become part of the flow's key (the innermost two). MPLS labels do not: they differ by direction, so both
 * directions of a connection would never meet.
 */
import { Decoded } from './decoded.ts';
import { Layer } from './packet-view.ts';
import type { PacketView } from './packet-view.ts';

export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  ethernet: 0x6558,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoeSession: 0x8864,
  qinq: 0x88a8,
  qinqOld: 0x9100,
} as const;

const TAGS_MAX = 8;
const LABELS_MAX = 16;

export function readEthernet(view: PacketView): number {
  if (view.length < 14) return Decoded.truncatedLink;
  const etherType = view.uint16(12);
  view.start += 14;
  return readEtherType(view, etherType);
}

/** Goes on behind a header that named `etherType`. */
export function readEtherType(view: PacketView, etherType: number): number {
  let type = etherType;
  for (let tags = 0; type === EtherType.vlan || type === EtherType.qinq || type === EtherType.qinqOld; tags++) {
    if (view.length < 4) return Decoded.truncatedLink;
    if (tags === TAGS_MAX) return Decoded.nestedTooDeep;
    view.vlan = ((view.vlan & 0xfff) << 12) | (view.uint16(0) & 0xfff);
    type = view.uint16(2);
    view.start += 4;
  }
  switch (type) {
    case EtherType.ipv4:
      return Layer.ipv4;
    case EtherType.ipv6:
      return Layer.ipv6;
    case EtherType.arp:
      return Decoded.arp;
    case EtherType.mpls:
    case EtherType.mplsMulticast:
      return readMpls(view);
    case EtherType.pppoeSession:
      return readPppoe(view);
    default:
      return type < 0x600 ? readLlc(view) : Decoded.notIp;
  }
}

/** IEEE 802.2 LLC with a SNAP header that names an EtherType (RFC 1042). */
function readLlc(view: PacketView): number {
  if (view.length < 8 || view.uint16(0) !== 0xaaaa || view.uint16(2) !== 0x0300 || view.uint16(4) >>> 8 !== 0) {
    return Decoded.notIp;
  }
  const type = view.uint16(6);
  view.start += 8;
  return type === EtherType.ipv4 ? Layer.ipv4 : type === EtherType.ipv6 ? Layer.ipv6 : Decoded.notIp;
}

/**
 * MPLS label stack (RFC 3032). Nothing says what follows the last label; as routers do, the first half byte is taken
 * for the IP version, 0 for a pseudowire control word (RFC 4385), and anything else for an Ethernet pseudowire.
 */
export function readMpls(view: PacketView): number {
  for (let labels = 0; ; labels++) {
    if (view.length < 4) return Decoded.truncatedLink;
    if (labels === LABELS_MAX) return Decoded.nestedTooDeep;
    const bottom = view.uint16(2) & 0x100;
    view.start += 4;
    if (bottom !== 0) break;
  }
  if (view.length < 4) return Decoded.truncatedLink;
  const version = (view.bytes[view.start]) >>> 4;
  if (version === 4) return Layer.ipv4;
  if (version === 6) return Layer.ipv6;
  if (version === 0) view.start += 4;
  return view.enterTunnel(view.tunnelKind, view.network, Layer.ethernet);
}

/** PPPoE session (RFC 2516). */
function readPppoe(view: PacketView): number {
  if (view.length < 6) return Decoded.truncatedLink;
  if (view.uint16(0) !== 0x1100) return Decoded.notIp;
  view.start += 6;
  return Layer.ppp;
}
