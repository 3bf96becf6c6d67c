/** UDP datagrams in the packets of a ring. */
import type { PacketRing } from '../system/packet-ring.ts';
import type { DatagramListener } from './udp-source.ts';

const udpHeaderBytes = 8;
const ipv6HeaderBytes = 40;

/**
 * Hands over the payload of the UDP datagram that the ring stands at. The filter of the ring has looked at the headers
 * (`buildDatagramFilter`); one that was cut gives a payload of no bytes, which the decoder counts as truncated.
 */
export function readDatagram(packet: PacketRing, onDatagram: DatagramListener): void {
  const { bytes, network, end, timeUs } = packet;
  const first = network < end ? bytes[network] : 0;
  const udp = network + (first >>> 4 === 6 ? ipv6HeaderBytes : (first & 0x0f) * 4);
  const start = Math.min(udp + udpHeaderBytes, end);
  const length = udp + 6 <= end ? (bytes[udp + 4] << 8) | bytes[udp + 5] : 0;
  // Behind the datagram there may be padding; a length of 0 is a jumbogram's (RFC 2675).
  onDatagram(bytes, start, length >= udpHeaderBytes ? Math.min(udp + length, end) : end, timeUs);
}
