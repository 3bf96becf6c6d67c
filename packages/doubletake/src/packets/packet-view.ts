/**
 * The packet being decoded: where the part that is not read yet lies, and what the headers read so far said.
 *
 * Decoding is a chain of small readers, one a protocol. A reader looks at `bytes[start..end)`, moves `start` behind its
 * header and returns what follows: the number of a `Layer`, or a `Decoded` result when the packet ends there. Readers
 * call no other layer's reader, so tunnels inside tunnels need no recursion, and every one of them consumes bytes or
 * deepens a bounded nesting, so the chain ends.
 *
 * Two ends are kept. `end` is where the captured bytes stop; `limit` is where the innermost header read so far says
 * that the packet stops. Bytes behind `limit` are padding and are cut off at once, so `end <= limit` always; what lies
 * between the two was cut off by the mirror.
 */
import { Decoded } from './decoded.ts';
import type { FragmentStore } from './fragments.ts';
import { TunnelKind } from './segment.ts';

/** What comes next. All numbers are above those of `Decoded`. */
export const Layer = {
  ethernet: 100,
  ipv4: 101,
  ipv6: 102,
  /** IPv4 or IPv6, told by the version in the first byte. */
  ip: 103,
  /** What `protocol` says, with `ipVersion` saying which numbering holds. */
  transport: 104,
  tcp: 105,
  udp: 106,
  gre: 107,
  ppp: 108,
} as const;

/** Results and layers share one number space. */
export function isLayer(next: number): boolean {
  return next >= Layer.ethernet;
}

/** Tunnels inside each other. Real networks have two or three. */
const TUNNEL_DEPTH_MAX = 8;

export class PacketView {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  limit = 0;
  timeUs = 0;
  /** Protocol number of what follows an IP header. */
  protocol = 0;
  ipVersion = 4;
  /** Innermost tunnel: `TunnelKind` and its network identifier. */
  tunnelKind: number = TunnelKind.none;
  network = 0;
  vlan = 0;
  depth = 0;
  /** Open tunnels of every kind found inside the packet. */
  anyTunnel = false;
  /** Open VXLAN inside UDP, whatever `anyTunnel` says. */
  vxlanInside = false;
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly fragments: FragmentStore;

  constructor(source: Int32Array, destination: Int32Array, fragments: FragmentStore) {
    this.source = source;
    this.destination = destination;
    this.fragments = fragments;
  }

  begin(bytes: Buffer, start: number, end: number, limit: number, timeUs: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.limit = limit;
    this.timeUs = timeUs;
    this.tunnelKind = TunnelKind.none;
    this.network = 0;
    this.vlan = 0;
    this.depth = 0;
  }

  /** Captured bytes left. */
  get length(): number {
    return this.end - this.start;
  }

  /** Unsigned 16-bit number at `offset` from `start`; the caller has checked the length. */
  uint16(offset: number): number {
    const at = this.start + offset;
    return ((this.bytes[at]) << 8) | (this.bytes[at + 1]);
  }

  /** 32-bit number at `offset` from `start`, signed; the caller has checked the length. */
  int32(offset: number): number {
    const at = this.start + offset;
    const bytes = this.bytes;
    return (
      ((bytes[at]) << 24) |
      ((bytes[at + 1]) << 16) |
      ((bytes[at + 2]) << 8) |
      (bytes[at + 3])
    );
  }

  /** The packet ends `length` bytes from `start`: what was captured behind that is padding. */
  cutAt(length: number): void {
    this.limit = this.start + length;
    if (this.end > this.limit) this.end = this.limit;
  }

  /**
   * The rest is a packet inside a tunnel. The innermost tunnel names the flow: identifiers of the tunnels around it and
   * VLAN tags outside of it are forgotten, since they say how the copy travelled and not whose traffic it is.
   */
  enterTunnel(kind: number, network: number, inner: number): number {
    if (++this.depth > TUNNEL_DEPTH_MAX) return Decoded.nestedTooDeep;
    this.tunnelKind = kind;
    this.network = network;
    this.vlan = 0;
    return inner;
  }
}
