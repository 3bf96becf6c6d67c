/**
 * The TCP header (RFC 9293 section 3.1) into a `Segment`. Ports come first: a segment of a port that nobody asked for
 * costs nothing more.
 */
import { Decoded } from './decoded.ts';
import type { PacketView } from './packet-view.ts';
import type { Segment } from './segment.ts';

/**
 * Fills the header fields and the payload's place. `ports` holds 1 for each port that is taken, or is null for all.
 * A header whose options were cut still gives a segment, all of whose payload is missing: its size is known.
 */
export function readTcp(view: PacketView, segment: Segment, ports: Uint8Array | null): number {
  if (view.length < 20) return view.limit - view.start < 20 ? Decoded.badTcpLength : Decoded.truncatedTcp;
  const sourcePort = view.uint16(0);
  const destinationPort = view.uint16(2);
  if (ports !== null && ports[sourcePort] === 0 && ports[destinationPort] === 0) return Decoded.portNotAllowed;
  const headerLength = ((view.bytes[view.start + 12]) >>> 4) * 4;
  const payloadStart = view.start + headerLength;
  if (headerLength < 20 || payloadStart > view.limit) return Decoded.badTcpLength;
  segment.bytes = view.bytes;
  segment.payloadStart = payloadStart < view.end ? payloadStart : view.end;
  segment.payloadEnd = view.end;
  segment.payloadMissing = view.limit - (payloadStart < view.end ? view.end : payloadStart);
  segment.timeUs = view.timeUs;
  segment.vlan = view.vlan;
  segment.sourcePort = sourcePort;
  segment.destinationPort = destinationPort;
  segment.sequence = view.int32(4) >>> 0;
  segment.acknowledgement = view.int32(8) >>> 0;
  segment.flags = view.bytes[view.start + 13];
  return Decoded.segment;
}
