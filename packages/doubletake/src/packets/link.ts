/**
 * Link types of capture files (tcpdump.org/linktypes.html): how a packet begins. Ethernet has its own file.
 */
import { Decoded } from './decoded.ts';
import { readEtherType, readMpls } from './ethernet.ts';
import { Layer } from './packet-view.ts';
import type { PacketView } from './packet-view.ts';

/** ARPHRD_NETLINK: a cooked capture of netlink messages, whose protocol field is no EtherType. */
const HARDWARE_NETLINK = 824;

/** First layer of a packet of link type `linkType`, behind the link header. */
export function readLink(view: PacketView, linkType: number): number {
  switch (linkType) {
    case 1:
      return Layer.ethernet;
    case 12: // DLT_RAW as some systems wrote it into files
    case 14: // the same on OpenBSD
    case 101:
      return Layer.ip;
    case 228:
      return Layer.ipv4;
    case 229:
      return Layer.ipv6;
    case 0:
    case 108:
      return readLoopback(view);
    case 9:
    case 50: // PPP in HDLC-like framing
      return Layer.ppp;
    case 104:
      return readCiscoHdlc(view);
    case 113:
      return readLinuxCooked(view);
    case 276:
      return readLinuxCooked2(view);
    default:
      return Decoded.unknownLinkType;
  }
}

/** BSD loopback: an address family in the byte order of the machine that captured (type 0) or of the network (108). */
function readLoopback(view: PacketView): number {
  if (view.length < 4) return Decoded.truncatedLink;
  const family = (view.bytes[view.start]) | (view.bytes[view.start + 3]);
  view.start += 4;
  switch (family) {
    case 2:
      return Layer.ipv4;
    case 10: // Linux
    case 23: // Windows
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      return Layer.ipv6;
    default:
      return Decoded.notIp;
  }
}

/** PPP (RFC 1661, RFC 1662): address and control bytes may be left out, the protocol may be one byte. */
export function readPpp(view: PacketView): number {
  if (view.length >= 2 && view.uint16(0) === 0xff03) view.start += 2;
  if (view.length < 2) return Decoded.truncatedLink;
  const first = view.bytes[view.start];
  const compressed = (first & 1) === 1;
  const protocol = compressed ? first : view.uint16(0);
  view.start += compressed ? 1 : 2;
  switch (protocol) {
    case 0x0021:
      return Layer.ipv4;
    case 0x0057:
      return Layer.ipv6;
    case 0x0281:
      return readMpls(view);
    default:
      return Decoded.notIp;
  }
}

function readCiscoHdlc(view: PacketView): number {
  if (view.length < 4) return Decoded.truncatedLink;
  const type = view.uint16(2);
  view.start += 4;
  return readEtherType(view, type);
}

function readLinuxCooked(view: PacketView): number {
  if (view.length < 16) return Decoded.truncatedLink;
  const hardware = view.uint16(2);
  const type = view.uint16(14);
  view.start += 16;
  return hardware === HARDWARE_NETLINK ? Decoded.notIp : readEtherType(view, type);
}

function readLinuxCooked2(view: PacketView): number {
  if (view.length < 20) return Decoded.truncatedLink;
  const hardware = view.uint16(8);
  const type = view.uint16(0);
  view.start += 20;
  return hardware === HARDWARE_NETLINK ? Decoded.notIp : readEtherType(view, type);
}
