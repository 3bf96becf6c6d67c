/**
 * No input makes the decoder throw, answer without a known result, or look outside of the bytes it was given: the same
 * bytes between different neighbours give the same answer, and the payload lies between them.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame } from '../../test/support/decoding.ts';
import {
  LinkType,
  fragmentedTcpFrames,
  geneve,
  gre,
  ipPacket,
  linkFrame,
  tcpFrame,
  udpDatagram,
  wrapInVxlanFrame,
} from '../../test/support/frames.ts';
import { Decoded, decodedResults } from './decoded.ts';
import { PacketDecoder } from './decoder.ts';

const payload = 'GET / HTTP/1.1\r\n\r\n';
const ip6 = { source: '2001:db8::5', destination: '2001:db8::2' };
const plain = tcpFrame({ payload, padTo: 90, vlans: [7, 42], ipOptions: Buffer.alloc(8, 1) });
const extended = tcpFrame({ ...ip6, payload, extensions: [{ type: 60, header: Buffer.alloc(8) }] });
const ethernetFrames = [
  plain,
  extended,
  wrapInVxlanFrame(plain, 7, ip6),
  linkFrame(ipPacket(17, udpDatagram(1, 6081, geneve(9, plain, { options: Buffer.alloc(12) })))),
  linkFrame(ipPacket(47, gre(0x6558, extended, { key: 1, sequence: 2, checksum: true }))),
  linkFrame(ipPacket(47, gre(0x22eb, Buffer.concat([Buffer.alloc(12, 0x21), plain])))),
  linkFrame(ipPacket(17, udpDatagram(5072, 1, Buffer.concat([Buffer.from([0x40, 0x50, 1, 41]), Buffer.alloc(40)])))),
  tcpFrame({ labels: [1, 2, 3], payload }),
  ...fragmentedTcpFrames({ payload, fragmentBytes: 16 }),
  ...fragmentedTcpFrames({ ...ip6, payload, fragmentBytes: 16 }),
];
const linkTypes = [...Object.values(LinkType), 12, 14, 50, 147, -1];

/** A frame, cut and with some bytes changed. */
const damaged = fc
  .tuple(
    fc.constantFrom(...ethernetFrames),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }),
  )
  .map(([frame, cut, changes]) => {
    const copy = Buffer.from(frame.subarray(0, Math.ceil(frame.length * cut)));
    for (const [offset, value] of changes) if (offset < copy.length) copy[offset] = value;
    return copy;
  });

type Call = 'decode' | 'decodeVxlan' | 'decodeGeneve';

/** The answer for `frame` with 64 bytes of `neighbour` on both sides. */
function answer(frame: Buffer, neighbour: number, call: Call, linkType: number, originalLength: number): unknown {
  const buffer = Buffer.concat([Buffer.alloc(64, neighbour), frame, Buffer.alloc(64, neighbour)]);
  const decoder = new PacketDecoder({ tunnels: call !== 'decodeVxlan', fragments: { bytesMax: 4096 } });
  const end = 64 + frame.length;
  const result =
    call === 'decode'
      ? decoder.decode(buffer, 64, end, originalLength, linkType, 0)
      : decoder[call](buffer, 64, end, 0);
  expect(decodedResults[result]).toBeDefined();
  if (result !== Decoded.segment) return result;
  const { bytes, ...fields } = decoder.segment;
  expect(fields.payloadStart).toBeGreaterThanOrEqual(bytes === buffer ? 64 : 0);
  expect(fields.payloadEnd).toBeGreaterThanOrEqual(fields.payloadStart);
  expect(fields.payloadEnd).toBeLessThanOrEqual(bytes === buffer ? end : bytes.length);
  expect(fields.payloadMissing).toBeGreaterThanOrEqual(0);
  return { ...fields, payload: bytes.toString('latin1', fields.payloadStart, fields.payloadEnd) };
}

/** The answers between three kinds of neighbours, which shall be the same. */
function answers(frame: Buffer, call: Call, linkType: number, originalLength: number): unknown[] {
  return [0x00, 0x08, 0xff].map((neighbour) => answer(frame, neighbour, call, linkType, originalLength));
}

function expectSound(frame: Buffer, call: Call, linkType: number, originalLength: number): void {
  const [first, ...others] = answers(frame, call, linkType, originalLength);
  expect(others).toEqual([first, first]);
}

const call = fc.constantFrom<Call>('decode', 'decodeVxlan', 'decodeGeneve');
const linkType = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.constantFrom(...linkTypes));
const length = fc.oneof(fc.nat(200), fc.constantFrom(0, 70_000, 0xffffffff));

test('any cut of any frame', () => {
  for (const frame of ethernetFrames) {
    for (let end = 0; end <= frame.length; end++) {
      const [first, ...others] = answers(frame.subarray(0, end), 'decode', 1, frame.length);
      expect(others).toEqual([first, first]);
    }
  }
});

test('any flipped bit of any frame', () => {
  for (const frame of ethernetFrames) {
    for (let bit = 0; bit < Math.min(frame.length, 100) * 8; bit += 3) {
      const copy = Buffer.from(frame);
      copy[bit >> 3] = (copy[bit >> 3]) ^ (1 << (bit & 7));
      const [first, ...others] = answers(copy, 'decode', 1, copy.length);
      expect(others).toEqual([first, first]);
    }
  }
});

test('frames changed and cut at random', () => {
  fc.assert(fc.property(damaged, call, linkType, length, expectSound), { numRuns: 3000 });
});

test('random bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
  fc.assert(fc.property(bytes, call, linkType, length, expectSound), { numRuns: 2000 });
});

test('a stream of damaged packets leaves the decoder able to read the next sound one', () => {
  const decoder = new PacketDecoder({ tunnels: true, fragments: { bytesMax: 4096, packetsMax: 8 } });
  fc.assert(
    fc.property(fc.array(damaged, { maxLength: 20 }), (frames) => {
      for (const frame of frames) decodeFrame(decoder, frame);
      expect(decodeFrame(decoder, plain)).toEqual(decodeFrame(new PacketDecoder(), plain));
      expect(decoder.fragmentCounters.packets).toBeLessThanOrEqual(8);
      expect(decoder.fragmentCounters.bytes).toBeLessThanOrEqual(4096);
    }),
    { numRuns: 200 },
  );
});
