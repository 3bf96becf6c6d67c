/** Runs frames through a decoder and shows the outcome as plain values, for tests to compare. */
import { formatEndpoint } from '../../src/packets/address.ts';
import { decodedResults } from '../../src/packets/decoded.ts';
import type { PacketDecoder } from '../../src/packets/decoder.ts';

export interface DecodedPacket {
  result: string;
  from: string;
  to: string;
  tunnel: number;
  vlan: number;
  sequence: number;
  acknowledgement: number;
  flags: number;
  missing: number;
  payload: string;
}

/** What the decoder says of a whole frame: the name of the result, or the segment when there is one. */
export function decodeFrame(decoder: PacketDecoder, frame: Buffer, linkType = 1, timeUs = 0): DecodedPacket | string {
  return outcome(decoder, decoder.decode(frame, 0, frame.length, frame.length, linkType, timeUs));
}

/** Turns a result of any of the decoder's calls into its name, or the segment when there is one. */
export function outcome(decoder: PacketDecoder, result: number): DecodedPacket | string {
  const name = decodedResults[result]?.name ?? `unknown result ${result}`;
  if (name !== 'segment') return name;
  const { segment } = decoder;
  return {
    result: name,
    from: formatEndpoint(segment.source, 0, segment.sourcePort),
    to: formatEndpoint(segment.destination, 0, segment.destinationPort),
    tunnel: segment.tunnel,
    vlan: segment.vlan,
    sequence: segment.sequence,
    acknowledgement: segment.acknowledgement,
    flags: segment.flags,
    missing: segment.payloadMissing,
    payload: segment.bytes.toString('latin1', segment.payloadStart, segment.payloadEnd),
  };
}
