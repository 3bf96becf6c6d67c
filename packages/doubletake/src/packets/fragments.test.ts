import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, outcome } from '../../test/support/decoding.ts';
import { fragmentedTcpFrames, linkFrame, ipPacket, udpDatagram, tcpFrame, vxlan } from '../../test/support/frames.ts';
import type { TcpFrameOptions } from '../../test/support/frames.ts';
import { PacketDecoder } from './decoder.ts';
import { TunnelKind, tunnelId } from './segment.ts';

const payload = Array.from({ length: 300 }, (_, index) => String.fromCharCode(33 + (index % 90))).join('');
const ip6 = { source: '2001:db8::5', destination: '2001:db8::2' };

const fragments = (options: TcpFrameOptions & { fragmentBytes?: number }): Buffer[] =>
  fragmentedTcpFrames({ payload, fragmentBytes: 64, ...options });

function firstFragment(identification: number): Buffer {
  return fragments({ identification })[0];
}

function last(frames: Buffer[]): Buffer {
  return frames[frames.length - 1];
}

const families: [string, TcpFrameOptions][] = [
  ['IPv4', { padTo: 60, ipOptions: Buffer.alloc(4, 1) }],
  ['IPv6', ip6],
];

describe.each(families)('fragments of an %s packet', (_family, ends) => {
  test('give the whole when the last one came', () => {
    const decoder = new PacketDecoder();
    const shown = fragments(ends).map((frame) => decodeFrame(decoder, frame));
    expect(shown.slice(0, -1)).toEqual(['fragment', 'fragment', 'fragment', 'fragment']);
    expect(shown.at(-1)).toEqual(decodeFrame(new PacketDecoder(), tcpFrame({ ...ends, payload })));
    expect(decoder.fragmentCounters).toMatchObject({ packets: 0, bytes: 0, reassembled: 1, fragmentsGivenUp: 0 });
  });

  test('in any order, with any repetition, give the whole exactly when all are there', () => {
    const whole = decodeFrame(new PacketDecoder(), tcpFrame({ ...ends, payload }));
    const frames = fragments({ ...ends, fragmentBytes: 40 });
    const indexes = frames.map((_, index) => index);
    const order = fc
      .tuple(fc.shuffledSubarray(indexes, { minLength: indexes.length }), fc.array(fc.nat(indexes.length - 1)))
      .map(([all, again]) => again.reduce((list, index) => list.toSpliced(index, 0, index), all));
    fc.assert(
      fc.property(order, (sequence) => {
        const decoder = new PacketDecoder();
        const seen = new Set<number>();
        for (const index of sequence) {
          const shown = decodeFrame(decoder, frames[index]);
          seen.add(index);
          expect(shown).toEqual(seen.size === indexes.length ? whole : 'fragment');
          // What is repeated behind the end begins to gather anew.
          if (seen.size === indexes.length) seen.clear();
        }
      }),
    );
  });

  test('that overlap are refused, and so is what follows of their packet', () => {
    const decoder = new PacketDecoder();
    const coarse = fragments(ends);
    const fine = fragments({ ...ends, fragmentBytes: 48 });
    expect(decodeFrame(decoder, coarse[0])).toBe('fragment');
    expect(decodeFrame(decoder, fine[1])).toBe('overlapping_fragment');
    for (const frame of coarse) expect(decodeFrame(decoder, frame)).toBe('overlapping_fragment');
    expect(decoder.fragmentCounters).toMatchObject({ overlapping: 1, fragmentsGivenUp: 1, bytes: 0 });
  });

  test('of another packet with the same identification replace the old ones', () => {
    const decoder = new PacketDecoder();
    const old = fragments({ ...ends, payload: 'x'.repeat(300) });
    for (const frame of old.slice(0, -1)) decodeFrame(decoder, frame);
    const shown = fragments(ends).map((frame) => decodeFrame(decoder, frame));
    expect(shown.at(-1)).toMatchObject({ payload });
    expect(decoder.fragmentCounters).toMatchObject({ replaced: 1, fragmentsGivenUp: old.length - 1 });
  });

  test('beyond the end that the last one told are refused', () => {
    const decoder = new PacketDecoder();
    const frames = fragments(ends);
    const longer = fragments({ ...ends, payload: payload + payload });
    decodeFrame(decoder, last(frames));
    expect(decodeFrame(decoder, last(longer))).toBe('overlapping_fragment');
  });
});

test('packets of different tunnels, VLANs and protocols do not mix', () => {
  const decoder = new PacketDecoder();
  const a = fragments({ vlans: [1] });
  const b = fragments({ vlans: [2], payload: payload.toUpperCase() });
  a.slice(0, -1).forEach((frame, index) => {
    decodeFrame(decoder, frame);
    decodeFrame(decoder, b[index]);
  });
  expect(decodeFrame(decoder, last(a))).toMatchObject({ vlan: 1, payload });
  expect(decodeFrame(decoder, last(b))).toMatchObject({ vlan: 2, payload: payload.toUpperCase() });
});

test('inner fragments received in VXLAN give the segment of their tunnel', () => {
  const decoder = new PacketDecoder();
  let shown: unknown;
  for (const frame of fragments({}).map((fragment) => vxlan(7, fragment))) {
    shown = outcome(decoder, decoder.decodeVxlan(frame, 0, frame.length, 0));
  }
  expect(shown).toMatchObject({ tunnel: tunnelId(TunnelKind.vxlan, 7), payload });
});

test('a tunnel packet that was fragmented itself is opened', () => {
  const datagram = udpDatagram(50_000, 4789, vxlan(7, tcpFrame({ payload })));
  const parts = [0, 160].map((offset) => {
    const part = datagram.subarray(offset, offset === 0 ? 160 : undefined);
    return linkFrame(ipPacket(17, part, {}, { offset, more: offset === 0 }));
  });
  const decoder = new PacketDecoder({ tunnels: true });
  const shown = parts.map((frame) => decodeFrame(decoder, frame));
  expect(shown[1]).toMatchObject({ tunnel: tunnelId(TunnelKind.vxlan, 7), payload });
});

test('fragments of what cannot hold TCP are not kept', () => {
  const decoder = new PacketDecoder();
  const frame = linkFrame(ipPacket(17, Buffer.alloc(64), {}, { offset: 0, more: true }));
  expect(decodeFrame(decoder, frame)).toBe('udp');
  expect(decoder.fragmentCounters.packets).toBe(0);
});

test('fragments that cannot be, or were cut, are malformed', () => {
  const decoder = new PacketDecoder();
  const odd = linkFrame(ipPacket(6, Buffer.alloc(63), {}, { offset: 0, more: true }));
  const beyond = linkFrame(ipPacket(6, Buffer.alloc(64), {}, { offset: 65_528, more: false }));
  const empty = linkFrame(ipPacket(6, Buffer.alloc(0), {}, { offset: 8, more: false }));
  const whole = linkFrame(ipPacket(6, Buffer.alloc(64), {}, { offset: 0, more: true }));
  expect([odd, beyond, empty].map((frame) => decodeFrame(decoder, frame))).toEqual(Array(3).fill('bad_fragment'));
  expect(decodeFrame(decoder, whole.subarray(0, -1))).toBe('truncated_fragment');
});

describe('bounds', () => {
  test('the oldest packet goes when there are too many, and its fragments are counted', () => {
    const decoder = new PacketDecoder({ fragments: { packetsMax: 3 } });
    for (const identification of [1, 2, 3, 4, 5]) decodeFrame(decoder, firstFragment(identification));
    expect(decoder.fragmentCounters).toMatchObject({ packets: 3, evicted: 2, fragmentsGivenUp: 2 });
    for (const frame of fragments({ identification: 5 }).slice(1, -1)) decodeFrame(decoder, frame);
    expect(decodeFrame(decoder, last(fragments({ identification: 5 })))).toMatchObject({ payload });
  });

  test('bytes are bounded, also those of many small pieces', () => {
    const decoder = new PacketDecoder({ fragments: { bytesMax: 20_000 } });
    for (let index = 0; index < 2000; index++) {
      const place = { offset: (index & 15) * 16, more: true };
      const part = ipPacket(6, Buffer.alloc(8), { identification: index >> 4 }, place);
      decodeFrame(decoder, linkFrame(part));
      expect(decoder.fragmentCounters.bytes).toBeLessThanOrEqual(20_000);
    }
    expect(decoder.fragmentCounters.evicted).toBeGreaterThan(50);
  });

  test('a packet that never becomes whole is given up when its time is over', () => {
    const decoder = new PacketDecoder({ fragments: { ageUsMax: 1_000_000 } });
    decodeFrame(decoder, firstFragment(1), 1, 5_000_000);
    decodeFrame(decoder, firstFragment(2), 1, 6_000_001);
    expect(decoder.fragmentCounters).toMatchObject({ packets: 1, aged: 1, fragmentsGivenUp: 1 });
  });
});
