/**
 * Tunnels: VXLAN (RFC 7348), GENEVE (RFC 8926), GRE (RFC 2784, 2890) with ERSPAN types I to III, GRE in UDP (RFC 8086)
 * and AYIYA. Each reader stands at the tunnel's header and ends at the packet inside.
 *
 * A flow's key takes the identifier that both directions share: VNI, GRE key, ERSPAN session. IP in IP and AYIYA have
 * none (0).
 */
import { Decoded } from './decoded.ts';
import { EtherType, readMpls } from './ethernet.ts';
import { Protocol } from './ip.ts';
import { Layer, isLayer } from './packet-view.ts';
import type { PacketView } from './packet-view.ts';
import { TunnelKind } from './segment.ts';

const UdpPort = { vxlan: 4789, vxlanLinux: 8472, greInUdp: 4754, ayiya: 5072, geneve: 6081 } as const;

const GreType = { erspan: 0x88be, erspan3: 0x22eb, ppp: 0x880b } as const;

/** UDP carries a tunnel when the destination port says so and a tunnel header follows; all other UDP is ignored. */
export function readUdp(view: PacketView): number {
  if (view.length < 8) return Decoded.udp;
  const sourcePort = view.uint16(0);
  const destinationPort = view.uint16(2);
  const length = view.uint16(4);
  if (length >= 8 && view.start + length < view.limit) view.cutAt(length);
  view.start += 8;
  const next = readUdpTunnel(view, sourcePort, destinationPort);
  return next === Decoded.badTunnel || next === Decoded.truncatedTunnel ? Decoded.notTunnel : next;
}

function readUdpTunnel(view: PacketView, sourcePort: number, destinationPort: number): number {
  if (destinationPort === UdpPort.vxlan || destinationPort === UdpPort.vxlanLinux) return readVxlan(view);
  if (!view.anyTunnel) return Decoded.udp;
  if (destinationPort === UdpPort.geneve) return readGeneve(view);
  if (destinationPort === UdpPort.greInUdp) return readGre(view);
  // Both ends of AYIYA may use the port: the client's own port is any.
  if (destinationPort === UdpPort.ayiya || sourcePort === UdpPort.ayiya) return readAyiya(view);
  return Decoded.udp;
}

/** Only the I flag counts: all other bits are reserved and ignored on receipt (RFC 7348 section 5). */
export function readVxlan(view: PacketView): number {
  if (view.length < 8) return Decoded.truncatedTunnel;
  if (((view.bytes[view.start]) & 0x08) === 0) return Decoded.badTunnel;
  const vni = view.int32(4) >>> 8;
  view.start += 8;
  return view.enterTunnel(TunnelKind.vxlan, vni, Layer.ethernet);
}

/** Options are skipped, critical ones too: nothing here depends on them. */
export function readGeneve(view: PacketView): number {
  if (view.length < 8) return Decoded.truncatedTunnel;
  const first = view.bytes[view.start];
  if (first >>> 6 !== 0) return Decoded.badTunnel;
  const headerLength = 8 + (first & 0x3f) * 4;
  if (view.length < headerLength) return Decoded.truncatedTunnel;
  const control = ((view.bytes[view.start + 1]) & 0x80) !== 0;
  const type = view.uint16(2);
  const vni = view.int32(4) >>> 8;
  view.start += headerLength;
  const inner = layerOfType(type);
  if (control) return Decoded.tunnelControl;
  return isLayer(inner) ? view.enterTunnel(TunnelKind.geneve, vni, inner) : inner;
}

export function readGre(view: PacketView): number {
  if (view.length < 4) return Decoded.truncatedTunnel;
  const flags = view.uint16(0);
  const type = view.uint16(2);
  // Version 1 is PPTP (RFC 2637): compressed or encrypted PPP, nothing to be read in it.
  if ((flags & 0x0007) === 1) return Decoded.tunnelControl;
  // Version 0; source routes (RFC 1701) are gone from the protocol.
  if ((flags & 0x4007) !== 0) return Decoded.badTunnel;
  const hasKey = (flags & 0x2000) !== 0;
  const hasSequence = (flags & 0x1000) !== 0;
  const keyOffset = 4 + ((flags & 0x8000) === 0 ? 0 : 4);
  const headerLength = keyOffset + (hasKey ? 4 : 0) + (hasSequence ? 4 : 0);
  if (view.length < headerLength) return Decoded.truncatedTunnel;
  const key = hasKey ? view.int32(keyOffset) >>> 0 : 0;
  view.start += headerLength;
  switch (type) {
    case GreType.erspan:
      // Type I has neither a sequence number nor a header of its own.
      return hasSequence ? readErspan(view, 1, 8) : view.enterTunnel(TunnelKind.erspan, 0, Layer.ethernet);
    case GreType.erspan3:
      return readErspan(view, 2, 12);
    case GreType.ppp:
      return view.enterTunnel(TunnelKind.gre, key, Layer.ppp);
    case EtherType.mpls:
    case EtherType.mplsMulticast: {
      const entered = view.enterTunnel(TunnelKind.gre, key, Layer.ethernet);
      return isLayer(entered) ? readMpls(view) : entered;
    }
    default: {
      const inner = layerOfType(type);
      return isLayer(inner) ? view.enterTunnel(TunnelKind.gre, key, inner) : inner;
    }
  }
}

/** ERSPAN types II and III (draft-foschiano-erspan): the header's version, then its length. */
function readErspan(view: PacketView, version: number, fixedLength: number): number {
  if (view.length < fixedLength) return Decoded.truncatedTunnel;
  if ((view.bytes[view.start]) >>> 4 !== version) return Decoded.badTunnel;
  const session = view.uint16(2) & 0x3ff;
  // The last bit of the type III header announces a platform-specific part.
  const hasExtra = version === 2 && ((view.bytes[view.start + 11]) & 1) !== 0;
  const headerLength = fixedLength + (hasExtra ? 8 : 0);
  if (view.length < headerLength) return Decoded.truncatedTunnel;
  view.start += headerLength;
  return view.enterTunnel(TunnelKind.erspan, session, Layer.ethernet);
}

/** AYIYA (draft-massar-v6ops-ayiya): identity and signature lengths, operation, next header. */
function readAyiya(view: PacketView): number {
  if (view.length < 8) return Decoded.truncatedTunnel;
  const identityLength = 1 << ((view.bytes[view.start]) >>> 4);
  const signatureLength = ((view.bytes[view.start + 1]) >>> 4) * 4;
  const operation = (view.bytes[view.start + 2]) & 0x0f;
  const protocol = view.bytes[view.start + 3];
  const headerLength = 8 + identityLength + signatureLength;
  if (view.length < headerLength) return Decoded.truncatedTunnel;
  if (operation !== 1) return Decoded.tunnelControl;
  view.start += headerLength;
  if (protocol === Protocol.ipv6) return view.enterTunnel(TunnelKind.ayiya, 0, Layer.ipv6);
  if (protocol === Protocol.ipv4) return view.enterTunnel(TunnelKind.ayiya, 0, Layer.ipv4);
  return Decoded.badTunnel;
}

function layerOfType(type: number): number {
  switch (type) {
    case EtherType.ethernet:
      return Layer.ethernet;
    case EtherType.ipv4:
      return Layer.ipv4;
    case EtherType.ipv6:
      return Layer.ipv6;
    default:
      return Decoded.notIp;
  }
}
