/**
 * IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers, up to the protocol they carry.
 *
 * The length in the header rules: what a frame holds behind it is padding, what it lacks was cut off by the mirror. A
 * length of 0 is an offloaded super-frame that reaches to the end of the frame. Checksums are never looked at.
 */
import { Decoded } from './decoded.ts';
import { Layer } from './packet-view.ts';
import type { PacketView } from './packet-view.ts';
import { TunnelKind } from './segment.ts';

export const Protocol = {
  hopByHop: 0,
  icmp: 1,
  ipv4: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  authentication: 51,
  icmp6: 58,
  destinationOptions: 60,
  mobility: 135,
} as const;

/** Extension headers in one packet; RFC 8200 section 4.1 knows seven places for them. */
const EXTENSIONS_MAX = 16;

export function readIp(view: PacketView): number {
  if (view.length < 1) return Decoded.truncatedIp;
  const version = (view.bytes[view.start]) >>> 4;
  if (version === 4) return Layer.ipv4;
  return version === 6 ? Layer.ipv6 : Decoded.badIpVersion;
}

export function readIpv4(view: PacketView): number {
  if (view.length < 20) return Decoded.truncatedIp;
  const first = view.bytes[view.start];
  if (first >>> 4 !== 4) return Decoded.badIpVersion;
  const headerLength = (first & 0x0f) * 4;
  const totalLength = view.uint16(2);
  if (headerLength < 20) return Decoded.badIpLength;
  if (totalLength !== 0) {
    if (totalLength < headerLength) return Decoded.badIpLength;
    view.cutAt(totalLength);
  }
  if (view.length < headerLength) return Decoded.truncatedIp;
  setIpv4Address(view.source, view.int32(12));
  setIpv4Address(view.destination, view.int32(16));
  view.protocol = view.bytes[view.start + 9];
  view.ipVersion = 4;
  const fragment = view.uint16(6) & 0x3fff;
  if (fragment === 0) {
    view.start += headerLength;
    return Layer.transport;
  }
  const identification = view.uint16(4);
  view.start += headerLength;
  return readFragment(view, identification, (fragment & 0x1fff) * 8, (fragment & 0x2000) !== 0);
}

function setIpv4Address(words: Int32Array, address: number): void {
  words[0] = 0;
  words[1] = 0;
  words[2] = 0xffff;
  words[3] = address;
}

export function readIpv6(view: PacketView): number {
  if (view.length < 40) return Decoded.truncatedIp;
  if ((view.bytes[view.start]) >>> 4 !== 6) return Decoded.badIpVersion;
  const payloadLength = view.uint16(4);
  if (payloadLength !== 0) view.cutAt(40 + payloadLength);
  for (let word = 0; word < 4; word++) {
    view.source[word] = view.int32(8 + word * 4);
    view.destination[word] = view.int32(24 + word * 4);
  }
  view.protocol = view.bytes[view.start + 6];
  view.ipVersion = 6;
  view.start += 40;
  return Layer.transport;
}

/** Extension headers, then whatever `view.protocol` names. */
export function readTransport(view: PacketView): number {
  for (let extensions = 0; isExtension(view); extensions++) {
    if (extensions === EXTENSIONS_MAX) return Decoded.badExtension;
    if (view.length < 8) return Decoded.truncatedIp;
    const protocol = view.protocol;
    const next = view.bytes[view.start];
    const lengthField = view.bytes[view.start + 1];
    if (protocol === Protocol.fragment) {
      const fragment = view.uint16(2);
      const identification = view.int32(4);
      view.protocol = next;
      view.start += 8;
      // An atomic fragment is a whole packet (RFC 6946).
      if ((fragment & 0xfff9) === 0) continue;
      return readFragment(view, identification, fragment & 0xfff8, (fragment & 1) !== 0);
    }
    // The authentication header counts in other units than the rest (RFC 4302 section 2.2).
    const length = protocol === Protocol.authentication ? (lengthField + 2) * 4 : (lengthField + 1) * 8;
    if (view.start + length > view.limit) return Decoded.badExtension;
    if (view.length < length) return Decoded.truncatedIp;
    view.protocol = next;
    view.start += length;
  }
  switch (view.protocol) {
    case Protocol.tcp:
      return Layer.tcp;
    case Protocol.udp:
      return view.anyTunnel || view.vxlanInside ? Layer.udp : Decoded.udp;
    case Protocol.ipv4:
      return view.anyTunnel ? view.enterTunnel(TunnelKind.ip, 0, Layer.ipv4) : Decoded.otherProtocol;
    case Protocol.ipv6:
      return view.anyTunnel ? view.enterTunnel(TunnelKind.ip, 0, Layer.ipv6) : Decoded.otherProtocol;
    case Protocol.gre:
      return view.anyTunnel ? Layer.gre : Decoded.otherProtocol;
    case Protocol.icmp:
    case Protocol.icmp6:
      return Decoded.icmp;
    default:
      return Decoded.otherProtocol;
  }
}

function isExtension(view: PacketView): boolean {
  switch (view.protocol) {
    case Protocol.authentication:
      return true;
    case Protocol.hopByHop:
    case Protocol.routing:
    case Protocol.fragment:
    case Protocol.destinationOptions:
    case Protocol.mobility:
      return view.ipVersion === 6;
    default:
      return false;
  }
}

/** Holds a fragment; when it completes its packet, the view moves into the reassembled bytes and decoding goes on. */
function readFragment(view: PacketView, identification: number, offset: number, more: boolean): number {
  if (!isWanted(view)) return ignored(view.protocol);
  if (view.end < view.limit) return Decoded.truncatedFragment;
  const result = view.fragments.add(view, identification, offset, more);
  if (result !== Decoded.segment) return result;
  const whole = view.fragments.assembled;
  view.bytes = whole;
  view.start = 0;
  view.end = whole.length;
  view.limit = whole.length;
  view.protocol = view.fragments.assembledProtocol;
  return Layer.transport;
}

/** Whether TCP may be found in a fragmented packet of this protocol; nothing else is held. */
function isWanted(view: PacketView): boolean {
  switch (view.protocol) {
    case Protocol.tcp:
      return true;
    case Protocol.udp:
      return view.anyTunnel || view.vxlanInside;
    case Protocol.gre:
    case Protocol.ipv4:
    case Protocol.ipv6:
      return view.anyTunnel;
    default:
      return isExtension(view);
  }
}

function ignored(protocol: number): number {
  if (protocol === Protocol.udp) return Decoded.udp;
  return protocol === Protocol.icmp || protocol === Protocol.icmp6 ? Decoded.icmp : Decoded.otherProtocol;
}
