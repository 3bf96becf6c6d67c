/**
 * Builders of network frames for tests, layer by layer; each returns a fresh Buffer and may be composed with any other.
 *
 * Most tests need `tcpFrame` (a whole frame on a link), `vxlan` (the UDP payload that a mirror session sends) and
 * `conversation` of `conversation.ts` (a whole TCP connection as frames). `capture-files.ts` writes pcap files.
 *
 *     tcpFrame({ payload: 'GET / HTTP/1.1\r\n\r\n' })         Ethernet, IPv4, 10.0.2.5:41234 > 10.0.1.2:80
 *     tcpFrame({ source: '2001:db8::1', destination: '2001:db8::2', vlans: [7, 42] })         QinQ and IPv6
 *     fragmentedTcpFrames({ payload: body, fragmentBytes: 512 })            the same packet in IP fragments
 *     vxlan(1234, tcpFrame({}))                                              what arrives on UDP 4789
 *     wrapInVxlanFrame(tcpFrame({}), 1234)                                   what a capture of UDP 4789 shows
 *
 * Checksums are left zero: the product never looks at them, because truncated and offloaded packets have none.
 */
import { TcpFlag } from '../../src/packets/segment.ts';

/** Link types of the tcpdump.org registry that `linkFrame` can build. */
export const LinkType = {
  loopback: 0,
  ethernet: 1,
  ppp: 9,
  raw: 101,
  ciscoHdlc: 104,
  openBsdLoopback: 108,
  linuxCooked: 113,
  rawIpv4: 228,
  rawIpv6: 229,
  linuxCooked2: 276,
} as const;

interface TcpFields {
  sourcePort?: number;
  destinationPort?: number;
  sequence?: number;
  acknowledgement?: number;
  /** TCP flags byte; ACK and PSH when left out. */
  flags?: number;
  /** Multiple of four bytes, at most 40. */
  tcpOptions?: Buffer;
  payload?: Buffer | string;
}

interface IpFields {
  /** Text of an IPv4 or IPv6 address; both ends are of one family. */
  source?: string;
  destination?: string;
  /** IPv4 options: a multiple of four bytes, at most 40. */
  ipOptions?: Buffer;
  /** IPv6 extension headers in order: number and whole header; byte 0 (next header) is filled in. */
  extensions?: { type: number; header: Buffer }[];
  /** Write 0 as the length, as an offloaded super-frame shows. */
  zeroLength?: boolean;
  /** Fragment identification. */
  identification?: number;
}

interface LinkFields {
  /** Default Ethernet. */
  linkType?: number;
  /** VLAN ids, outer first; the inner one gets tag type 0x8100, those around it `outerTagType`. */
  vlans?: number[];
  /** Default 0x88a8. */
  outerTagType?: number;
  /** MPLS labels, outer first (Ethernet only). */
  labels?: number[];
  /** Fill with this padding up to this many bytes, as Ethernet does up to 60. */
  padTo?: number;
  padding?: number;
}

export type TcpFrameOptions = TcpFields & IpFields & LinkFields;

const DEFAULT_SOURCE = '10.0.2.5';
const DEFAULT_DESTINATION = '10.0.1.2';

/** A whole frame that holds one TCP segment. */
export function tcpFrame(options: TcpFrameOptions): Buffer {
  return linkFrame(ipPacket(6, tcpSegment(options), options), options);
}

/** The frame of `tcpFrame` in IP fragments of at most `fragmentBytes` (a multiple of eight) of IP payload, in order. */
export function fragmentedTcpFrames(options: TcpFrameOptions & { fragmentBytes: number }): Buffer[] {
  const whole = tcpSegment(options);
  const frames: Buffer[] = [];
  for (let offset = 0; offset < whole.length; offset += options.fragmentBytes) {
    const part = whole.subarray(offset, offset + options.fragmentBytes);
    const more = offset + part.length < whole.length;
    frames.push(linkFrame(ipPacket(6, part, options, { offset, more }), options));
  }
  return frames;
}

/** TCP header and payload. */
export function tcpSegment(options: TcpFields): Buffer {
  const tcpOptions = options.tcpOptions ?? Buffer.alloc(0);
  const header = Buffer.alloc(20);
  header.writeUInt16BE(options.sourcePort ?? 41234, 0);
  header.writeUInt16BE(options.destinationPort ?? 80, 2);
  header.writeUInt32BE((options.sequence ?? 1) >>> 0, 4);
  header.writeUInt32BE((options.acknowledgement ?? 1) >>> 0, 8);
  header[12] = ((20 + tcpOptions.length) / 4) << 4;
  header[13] = options.flags ?? TcpFlag.ack | TcpFlag.psh;
  header.writeUInt16BE(65535, 14);
  return Buffer.concat([header, tcpOptions, toBuffer(options.payload ?? '')]);
}

/** UDP header and payload. */
export function udpDatagram(sourcePort: number, destinationPort: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  header.writeUInt16BE((8 + payload.length) & 0xffff, 4);
  return Buffer.concat([header, payload]);
}

/** IPv4 or IPv6 packet, by the form of the source address; `fragment` makes it one fragment of a larger packet. */
export function ipPacket(
  protocol: number,
  payload: Buffer,
  options: IpFields = {},
  fragment?: { offset: number; more: boolean },
): Buffer {
  const source = addressBytes(options.source ?? DEFAULT_SOURCE);
  const destination = addressBytes(options.destination ?? DEFAULT_DESTINATION);
  return source.length === 4
    ? ipv4Packet(protocol, payload, source, destination, options, fragment)
    : ipv6Packet(protocol, payload, source, destination, options, fragment);
}

function ipv4Packet(
  protocol: number,
  payload: Buffer,
  source: Buffer,
  destination: Buffer,
  options: IpFields,
  fragment: { offset: number; more: boolean } | undefined,
): Buffer {
  const ipOptions = options.ipOptions ?? Buffer.alloc(0);
  const header = Buffer.alloc(12);
  header[0] = 0x40 | ((20 + ipOptions.length) / 4);
  header.writeUInt16BE(options.zeroLength ? 0 : 20 + ipOptions.length + payload.length, 2);
  header.writeUInt16BE(options.identification ?? 1, 4);
  header.writeUInt16BE(fragment ? (fragment.more ? 0x2000 : 0) | (fragment.offset / 8) : 0x4000, 6);
  header[8] = 64;
  header[9] = protocol;
  return Buffer.concat([header, source, destination, ipOptions, payload]);
}

function ipv6Packet(
  protocol: number,
  payload: Buffer,
  source: Buffer,
  destination: Buffer,
  options: IpFields,
  fragment: { offset: number; more: boolean } | undefined,
): Buffer {
  const extensions = [...(options.extensions ?? [])];
  if (fragment) {
    const header = Buffer.alloc(8);
    header.writeUInt16BE(fragment.offset | (fragment.more ? 1 : 0), 2);
    header.writeUInt32BE(options.identification ?? 1, 4);
    extensions.push({ type: 44, header });
  }
  const headers = extensions.map(({ header }, index) => {
    const copy = Buffer.from(header);
    copy[0] = extensions[index + 1]?.type ?? protocol;
    return copy;
  });
  const body = Buffer.concat([...headers, payload]);
  const fixed = Buffer.alloc(8);
  fixed[0] = 0x60;
  fixed.writeUInt16BE(options.zeroLength ? 0 : body.length, 4);
  fixed[6] = extensions[0]?.type ?? protocol;
  fixed[7] = 64;
  return Buffer.concat([fixed, source, destination, body]);
}

/** Puts an IP packet on a link: the header of the link type, with VLAN tags and MPLS labels where it has them. */
export function linkFrame(packet: Buffer, options: LinkFields = {}): Buffer {
  const etherType = (packet[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800;
  const frame = Buffer.concat([linkHeader(etherType, options), packet]);
  const missing = (options.padTo ?? 0) - frame.length;
  return missing > 0 ? Buffer.concat([frame, Buffer.alloc(missing, options.padding ?? 0)]) : frame;
}

function linkHeader(etherType: number, options: LinkFields): Buffer {
  const ip6 = etherType === 0x86dd;
  switch (options.linkType ?? LinkType.ethernet) {
    case LinkType.ethernet:
      return ethernetHeader(etherType, options);
    case LinkType.raw:
    case LinkType.rawIpv4:
    case LinkType.rawIpv6:
      return Buffer.alloc(0);
    case LinkType.loopback:
      return Buffer.from([ip6 ? 24 : 2, 0, 0, 0]);
    case LinkType.openBsdLoopback:
      return Buffer.from([0, 0, 0, ip6 ? 24 : 2]);
    case LinkType.ppp:
      return Buffer.from([0xff, 0x03, 0x00, ip6 ? 0x57 : 0x21]);
    case LinkType.ciscoHdlc:
      return Buffer.concat([Buffer.from([0x0f, 0x00]), uint16(etherType)]);
    case LinkType.linuxCooked:
      return Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]), uint16(etherType)]);
    case LinkType.linuxCooked2:
      return Buffer.concat([uint16(etherType), Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0])]);
    default:
      throw new Error(`no builder for link type ${options.linkType}`);
  }
}

function ethernetHeader(etherType: number, options: LinkFields): Buffer {
  const vlans = options.vlans ?? [];
  const labels = options.labels ?? [];
  const parts: Buffer[] = [Buffer.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1])];
  vlans.forEach((id, index) => {
    const inner = index === vlans.length - 1;
    parts.push(uint16(inner ? 0x8100 : (options.outerTagType ?? 0x88a8)), uint16(id));
  });
  parts.push(uint16(labels.length > 0 ? 0x8847 : etherType));
  labels.forEach((label, index) => {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(((label << 12) | (index === labels.length - 1 ? 0x100 : 0) | 64) >>> 0);
    parts.push(word);
  });
  return Buffer.concat(parts);
}

/** UDP payload of a VXLAN packet (RFC 7348). */
export function vxlan(vni: number, frame: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 0x08;
  header.writeUIntBE(vni, 4, 3);
  return Buffer.concat([header, frame]);
}

/** UDP payload of a GENEVE packet (RFC 8926); `options` is a multiple of four bytes, `protocol` Ethernet by default. */
export function geneve(vni: number, inner: Buffer, settings: { options?: Buffer; protocol?: number } = {}): Buffer {
  const options = settings.options ?? Buffer.alloc(0);
  const header = Buffer.alloc(8);
  header[0] = options.length / 4;
  header.writeUInt16BE(settings.protocol ?? 0x6558, 2);
  header.writeUIntBE(vni, 4, 3);
  return Buffer.concat([header, options, inner]);
}

/** GRE header and what it carries (RFC 2784, RFC 2890). */
export function gre(
  protocol: number,
  inner: Buffer,
  settings: { key?: number; sequence?: number; checksum?: boolean } = {},
): Buffer {
  const { key, sequence, checksum } = settings;
  const flags = (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000);
  const parts: Buffer[] = [uint16(flags), uint16(protocol)];
  if (checksum) parts.push(Buffer.alloc(4));
  if (key !== undefined) parts.push(uint32(key));
  if (sequence !== undefined) parts.push(uint32(sequence));
  return Buffer.concat([...parts, inner]);
}

/** A whole Ethernet frame that carries `frame` in VXLAN over UDP, between two made-up tunnel endpoints. */
export function wrapInVxlanFrame(
  frame: Buffer,
  vni: number,
  options: IpFields & LinkFields & { port?: number } = {},
): Buffer {
  const ends = { source: '192.0.2.10', destination: '192.0.2.20', ...options };
  return linkFrame(ipPacket(17, udpDatagram(50000, options.port ?? 4789, vxlan(vni, frame)), ends), options);
}

function groups(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => parseInt(group, 16));
}

/** 4 or 16 bytes of an address given as text. */
function addressBytes(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Buffer.concat([...before, ...zeros, ...after].map(uint16));
}

function uint16(value: number): Buffer {
  return Buffer.from([(value >>> 8) & 255, value & 255]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Bytes of a payload given as text (latin1) or as bytes. */
export function toBuffer(data: Buffer | string): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}
