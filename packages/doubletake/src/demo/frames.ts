/**
 * Builds the UDP payload of a mirrored packet: VXLAN (RFC 7348), then Ethernet, IPv4 and TCP without options.
 *
 * A direction of a connection has one header of fixed length. It is written once (`writeFrameHeader`), and each packet
 * only changes what moves: numbers, flags, lengths. The IPv4 checksum is right; the TCP checksum stays zero, as it does
 * where a network card fills it in after the packet was copied.
 */

/** Bytes before the TCP payload: VXLAN 8, Ethernet 14, IPv4 20, TCP 20. */
export const frameHeaderBytes = 62;

/** The largest TCP payload for which the whole still fits into one UDP datagram. */
export const framePayloadBytesMax = 65_507 - frameHeaderBytes;

const ipOffset = 22;
const tcpOffset = 42;

/** One direction of a connection, as the packets show it. */
export interface FrameFlow {
  /** VXLAN network identifier, 24 bits. */
  vni: number;
  /** IPv4 addresses as 32-bit numbers: see `parseIpv4`. */
  sourceAddress: number;
  sourcePort: number;
  destinationAddress: number;
  destinationPort: number;
}

/** An IPv4 address in dotted form as an unsigned number; throws a `RangeError` for anything else. */
export function parseIpv4(text: string): number {
  const octets = text.split('.');
  if (octets.length !== 4 || octets.some((octet) => !/^\d{1,3}$/.test(octet) || Number(octet) > 255)) {
    throw new RangeError(`not an IPv4 address: ${text}`);
  }
  return octets.reduce((address, octet) => address * 256 + Number(octet), 0);
}

/** The same flow seen from the other end. */
export function reverseFlow(flow: FrameFlow): FrameFlow {
  return {
    vni: flow.vni,
    sourceAddress: flow.destinationAddress,
    sourcePort: flow.destinationPort,
    destinationAddress: flow.sourceAddress,
    destinationPort: flow.sourcePort,
  };
}

/** Writes all that stays the same in a direction; `writeSegmentFields` has to follow for each packet. */
export function writeFrameHeader(buffer: Buffer, offset: number, flow: FrameFlow): void {
  buffer.fill(0, offset, offset + frameHeaderBytes);
  buffer[offset] = 0x08;
  buffer.writeUIntBE(flow.vni, offset + 4, 3);
  writeMac(buffer, offset + 8, flow.destinationAddress);
  writeMac(buffer, offset + 14, flow.sourceAddress);
  buffer.writeUInt16BE(0x0800, offset + 20);
  const ip = offset + ipOffset;
  buffer[ip] = 0x45;
  buffer.writeUInt16BE(0x4000, ip + 6);
  buffer[ip + 8] = 64;
  buffer[ip + 9] = 6;
  buffer.writeUInt32BE(flow.sourceAddress, ip + 12);
  buffer.writeUInt32BE(flow.destinationAddress, ip + 16);
  const tcp = offset + tcpOffset;
  buffer.writeUInt16BE(flow.sourcePort, tcp);
  buffer.writeUInt16BE(flow.destinationPort, tcp + 2);
  buffer[tcp + 12] = 0x50;
  buffer.writeUInt16BE(0xffff, tcp + 14);
}

/** Writes what differs from packet to packet. `flags` are those of `TcpFlag`; both numbers are unsigned 32-bit. */
export function writeSegmentFields(
  buffer: Buffer,
  offset: number,
  sequence: number,
  acknowledgement: number,
  flags: number,
  payloadLength: number,
): void {
  const ip = offset + ipOffset;
  const ipLength = 40 + payloadLength;
  buffer[ip + 2] = ipLength >>> 8;
  buffer[ip + 3] = ipLength;
  const tcp = offset + tcpOffset;
  buffer.writeUInt32BE(sequence, tcp + 4);
  buffer.writeUInt32BE(acknowledgement, tcp + 8);
  buffer[tcp + 13] = flags;
  writeIpv4Checksum(buffer, ip);
}

/** A locally administered address that tells the host, as a made-up network card would have. */
function writeMac(buffer: Buffer, offset: number, address: number): void {
  buffer.writeUInt16BE(0x0242, offset);
  buffer.writeUInt32BE(address, offset + 2);
}

/** RFC 1071 over the 20 bytes of the header. */
function writeIpv4Checksum(buffer: Buffer, ip: number): void {
  let sum = 0;
  for (let at = 0; at < 20; at += 2) {
    if (at !== 10) sum += (buffer[ip + at] << 8) | buffer[ip + at + 1];
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = ~((sum & 0xffff) + (sum >>> 16));
  buffer[ip + 10] = sum >>> 8;
  buffer[ip + 11] = sum;
}
