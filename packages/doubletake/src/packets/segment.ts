/**
 * What packet decoding hands to TCP: one segment, as a view over the buffer that the packet arrived in.
 *
 * The decoder owns a single `Segment` and overwrites it for every packet, so nothing is allocated for each one. Whoever
 * needs a value after the call returns copies it. Addresses are four 32-bit words, most significant first; an IPv4
 * address is held in its IPv4-mapped form (0, 0, 0xffff, address), so that one key layout serves both families.
 */
export interface Segment {
  /** The buffer that holds the payload; valid only during the call. */
  bytes: Buffer;
  /** Offset of the first captured payload byte in `bytes`. */
  payloadStart: number;
  /** Offset behind the last captured payload byte in `bytes`. */
  payloadEnd: number;
  /** Payload bytes that the packet carried but the mirror cut off behind `payloadEnd`. */
  payloadMissing: number;
  /** Capture time in microseconds since the epoch. */
  timeUs: number;
  /** Which tunnel it came through: 0 for none, else unique for kind and network identifier (see `tunnelId`). */
  tunnel: number;
  /** Inner VLAN stack: 0 for none, else outer tag * 4096 + inner tag, each tag being its 12-bit id. */
  vlan: number;
  /** Source address words, as unsigned or signed 32-bit integers (compare with `| 0`). */
  source: Int32Array;
  destination: Int32Array;
  sourcePort: number;
  destinationPort: number;
  /** Sequence number of the first payload byte (of the SYN itself when the SYN flag is set), unsigned 32-bit. */
  sequence: number;
  /** Acknowledgement number, unsigned 32-bit; meaningful only with the ACK flag. */
  acknowledgement: number;
  /** TCP flags byte: see `TcpFlag`. */
  flags: number;
}

/** Bits of the TCP flags byte (RFC 9293 section 3.1). */
export const TcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10, urg: 0x20 } as const;

/** Tunnel kinds, the high part of a tunnel id. */
export const TunnelKind = { none: 0, vxlan: 1, geneve: 2, gre: 3, erspan: 4, ayiya: 5, ip: 6 } as const;

/**
 * Unique number for a tunnel: kind and its network identifier (24 bits for VXLAN and GENEVE, up to 32 bits for a GRE
 * key). Fits a double exactly; the low 32 bits and the kind are also kept apart by the flow table.
 */
export function tunnelId(kind: number, network: number): number {
  return kind * 0x1_0000_0000 + network;
}

/** A new segment for a decoder to fill. */
export function createSegment(): Segment {
  return {
    bytes: Buffer.alloc(0),
    payloadStart: 0,
    payloadEnd: 0,
    payloadMissing: 0,
    timeUs: 0,
    tunnel: 0,
    vlan: 0,
    source: new Int32Array(4),
    destination: new Int32Array(4),
    sourcePort: 0,
    destinationPort: 0,
    sequence: 0,
    acknowledgement: 0,
    flags: 0,
  };
}
