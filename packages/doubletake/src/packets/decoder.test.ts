import { describe, expect, test } from 'vitest';
import { decodeFrame, outcome } from '../../test/support/decoding.ts';
import {
  LinkType,
  ipPacket,
  linkFrame,
  tcpFrame,
  tcpSegment,
  udpDatagram,
  vxlan,
  wrapInVxlanFrame,
} from '../../test/support/frames.ts';
import type { TcpFrameOptions } from '../../test/support/frames.ts';
import { Decoded, decodedResults } from './decoded.ts';
import { PacketDecoder } from './decoder.ts';
import { TunnelKind, tunnelId } from './segment.ts';

const ip6 = { source: '2001:db8::5', destination: '2001:db8::2' };
const get = 'GET /';

test('a segment shows every field of its headers', () => {
  const frame = tcpFrame({ sequence: 0xfffffff0, acknowledgement: 0x80000001, flags: 0x19, payload: get });
  expect(decodeFrame(new PacketDecoder(), frame)).toEqual({
    result: 'segment',
    from: '10.0.2.5:41234',
    to: '10.0.1.2:80',
    tunnel: 0,
    vlan: 0,
    sequence: 0xfffffff0,
    acknowledgement: 0x80000001,
    flags: 0x19,
    missing: 0,
    payload: get,
  });
});

describe('link types', () => {
  for (const [name, linkType] of Object.entries(LinkType)) {
    for (const [family, ends] of [
      ['IPv4', {}],
      ['IPv6', ip6],
    ] as const) {
      if ((name === 'rawIpv4' && family === 'IPv6') || (name === 'rawIpv6' && family === 'IPv4')) continue;
      test(`${name} with ${family}`, () => {
        const frame = tcpFrame({ ...ends, linkType, payload: get });
        expect(decodeFrame(new PacketDecoder(), frame, linkType)).toMatchObject({ payload: get, sequence: 1 });
      });
    }
  }

  test('raw IP under its older numbers', () => {
    const packet = tcpFrame({ linkType: LinkType.raw, payload: get });
    for (const linkType of [12, 14]) {
      expect(decodeFrame(new PacketDecoder(), packet, linkType)).toMatchObject({ payload: get });
    }
  });

  test('PPP without address and control bytes, and with a one-byte protocol', () => {
    const packet = tcpFrame({ linkType: LinkType.raw, payload: get });
    for (const header of [[0x00, 0x21], [0x21], [0xff, 0x03, 0x21]]) {
      const frame = Buffer.concat([Buffer.from(header), packet]);
      expect(decodeFrame(new PacketDecoder(), frame, LinkType.ppp)).toMatchObject({ payload: get });
    }
  });

  test('loopback of a machine of the other byte order', () => {
    const packet = tcpFrame({ linkType: LinkType.raw, payload: get });
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 2]), packet]);
    expect(decodeFrame(new PacketDecoder(), frame, LinkType.loopback)).toMatchObject({ payload: get });
  });

  test('an unknown one is said to be unknown', () => {
    expect(decodeFrame(new PacketDecoder(), tcpFrame({}), 147)).toBe('unknown_link_type');
  });
});

describe('between Ethernet and IP', () => {
  const cases: [string, TcpFrameOptions, number][] = [
    ['802.1Q', { vlans: [42] }, 42],
    ['802.1Q with a priority tag', { vlans: [0] }, 0],
    ['QinQ', { vlans: [7, 42] }, 7 * 4096 + 42],
    ['QinQ with the old tag', { vlans: [7, 42], outerTagType: 0x9100 }, 7 * 4096 + 42],
    ['two 802.1Q tags', { vlans: [7, 42], outerTagType: 0x8100 }, 7 * 4096 + 42],
    ['three tags: the inner two count', { vlans: [9, 7, 42] }, 7 * 4096 + 42],
    ['MPLS', { labels: [100, 200] }, 0],
    ['VLAN and MPLS', { vlans: [42], labels: [100] }, 42],
  ];
  test.each(cases)('%s', (_name, options, vlan) => {
    for (const ends of [{}, ip6]) {
      const frame = tcpFrame({ ...ends, ...options, payload: get });
      expect(decodeFrame(new PacketDecoder(), frame)).toMatchObject({ vlan, payload: get });
    }
  });

  test('an Ethernet pseudowire over MPLS, with and without control word', () => {
    const inner = tcpFrame({ vlans: [5], payload: get });
    const outer = linkFrame(Buffer.alloc(0), { labels: [100] });
    // Without a control word only the first address byte tells: one above 0x70 is neither IPv4 nor IPv6.
    const bare = Buffer.from(inner).fill(0xfe, 0, 1);
    for (const parts of [[Buffer.alloc(4), inner], [bare]]) {
      const frame = Buffer.concat([outer, ...parts]);
      expect(decodeFrame(new PacketDecoder(), frame)).toMatchObject({ vlan: 5, payload: get });
    }
  });

  test('PPPoE and SNAP', () => {
    const packet = tcpFrame({ linkType: LinkType.raw, payload: get });
    const header = (tail: number[]): Buffer => Buffer.concat([Buffer.alloc(12), Buffer.from(tail), packet]);
    const length = [packet.length >> 8, packet.length & 255];
    const pppoe = header([0x88, 0x64, 0x11, 0, 0, 1, ...length, 0x00, 0x21]);
    const snap = header([...length, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]);
    expect(decodeFrame(new PacketDecoder(), pppoe)).toMatchObject({ payload: get });
    expect(decodeFrame(new PacketDecoder(), snap)).toMatchObject({ payload: get });
  });

  test('a frame of nothing but tags is refused', () => {
    const vlans = Array.from({ length: 40 }, (_, index) => index);
    expect(decodeFrame(new PacketDecoder(), tcpFrame({ vlans }))).toBe('nested_too_deep');
  });
});

describe('IP', () => {
  test('IPv4 options and TCP options are no payload', () => {
    const frame = tcpFrame({ ipOptions: Buffer.alloc(40, 1), tcpOptions: Buffer.alloc(40, 1), payload: get });
    expect(decodeFrame(new PacketDecoder(), frame)).toMatchObject({ payload: get });
  });

  test('IPv6 extension headers are passed over', () => {
    const extensions = [
      { type: 0, header: Buffer.alloc(8) },
      { type: 60, header: Buffer.from([0, 1, ...Buffer.alloc(14)]) },
      { type: 43, header: Buffer.alloc(8) },
      { type: 51, header: Buffer.from([0, 4, ...Buffer.alloc(22)]) },
      { type: 44, header: Buffer.alloc(8) },
    ];
    expect(decodeFrame(new PacketDecoder(), tcpFrame({ ...ip6, extensions, payload: get }))).toMatchObject({
      payload: get,
    });
  });

  test('an extension header that is longer than its packet is malformed', () => {
    const extensions = [{ type: 60, header: Buffer.from([0, 255, 0, 0, 0, 0, 0, 0]) }];
    expect(decodeFrame(new PacketDecoder(), tcpFrame({ ...ip6, extensions }))).toBe('bad_extension');
  });

  test('Ethernet padding is no payload', () => {
    for (const payload of ['', 'G', 'GET']) {
      const frame = tcpFrame({ payload, padTo: 60, padding: 0x47 });
      expect(frame.length).toBe(60);
      expect(decodeFrame(new PacketDecoder(), frame)).toMatchObject({ payload, missing: 0 });
    }
  });

  test('length 0 is a super-frame that reaches to the end', () => {
    const payload = 'x'.repeat(60_000);
    for (const ends of [{}, ip6]) {
      const frame = tcpFrame({ ...ends, zeroLength: true, payload });
      expect(decodeFrame(new PacketDecoder(), frame)).toMatchObject({ payload, missing: 0 });
    }
  });

  test('a super-frame that the capture cut lacks what its original length says', () => {
    const frame = tcpFrame({ zeroLength: true, payload: 'x'.repeat(100) });
    const decoder = new PacketDecoder();
    const result = decoder.decode(frame, 0, frame.length - 40, frame.length, 1, 0);
    expect(outcome(decoder, result)).toMatchObject({ payload: 'x'.repeat(60), missing: 40 });
  });

  test('a cut frame shows what is there and how much is missing, wherever the cut is', () => {
    const frame = tcpFrame({ tcpOptions: Buffer.alloc(12, 1), payload: '0123456789' });
    for (let missing = 0; missing <= 10 + 12; missing++) {
      const shown = decodeFrame(new PacketDecoder(), frame.subarray(0, frame.length - missing));
      const lost = Math.min(10, missing);
      expect(shown).toMatchObject({ payload: '0123456789'.slice(0, 10 - lost), missing: lost });
    }
    expect(decodeFrame(new PacketDecoder(), frame.subarray(0, frame.length - 23))).toBe('truncated_tcp');
    expect(decodeFrame(new PacketDecoder(), frame.subarray(0, 33))).toBe('truncated_ip');
    expect(decodeFrame(new PacketDecoder(), frame.subarray(0, 13))).toBe('truncated_link');
    expect(decodeFrame(new PacketDecoder(), Buffer.alloc(0))).toBe('truncated_link');
  });

  test('lengths that cannot be are malformed', () => {
    const sound = tcpFrame({ payload: get });
    const change = (offset: number, value: number): Buffer => {
      const frame = Buffer.from(sound);
      frame[offset] = value;
      return frame;
    };
    expect(decodeFrame(new PacketDecoder(), change(14, 0x44))).toBe('bad_ip_length');
    expect(decodeFrame(new PacketDecoder(), change(14, 0x65))).toBe('bad_ip_version');
    expect(decodeFrame(new PacketDecoder(), change(17, 19))).toBe('bad_ip_length');
    expect(decodeFrame(new PacketDecoder(), change(17, 39))).toBe('bad_tcp_length');
    expect(decodeFrame(new PacketDecoder(), change(46, 0x40))).toBe('bad_tcp_length');
    expect(decodeFrame(new PacketDecoder(), change(46, 0xf0))).toBe('bad_tcp_length');
  });

  test('what is not TCP is told apart', () => {
    const arp = Buffer.concat([Buffer.alloc(12), Buffer.from([0x08, 0x06]), Buffer.alloc(28)]);
    const other = Buffer.concat([Buffer.alloc(12), Buffer.from([0x88, 0xcc]), Buffer.alloc(28)]);
    const shown = [
      arp,
      other,
      linkFrame(ipPacket(17, udpDatagram(1, 53, Buffer.alloc(4)))),
      linkFrame(ipPacket(1, Buffer.alloc(8))),
      linkFrame(ipPacket(58, Buffer.alloc(8), ip6)),
      linkFrame(ipPacket(50, Buffer.alloc(8))),
    ].map((frame) => decodeFrame(new PacketDecoder(), frame));
    expect(shown).toEqual(['arp', 'not_ip', 'udp', 'icmp', 'icmp', 'other_protocol']);
  });
});

describe('what is wanted', () => {
  test('a port list takes both directions and nothing else', () => {
    const decoder = new PacketDecoder({ ports: new Set([80, 8080]) });
    const ports = (sourcePort: number, destinationPort: number): unknown =>
      decodeFrame(decoder, tcpFrame({ sourcePort, destinationPort }));
    expect(ports(40_000, 80)).toMatchObject({ result: 'segment' });
    expect(ports(8080, 40_000)).toMatchObject({ result: 'segment' });
    expect(ports(40_000, 443)).toBe('port_not_allowed');
  });

  test('a VNI list takes its tunnels and nothing outside of one', () => {
    const decoder = new PacketDecoder({ vnis: new Set([7]), tunnels: true });
    expect(decodeFrame(decoder, wrapInVxlanFrame(tcpFrame({}), 7))).toMatchObject({
      tunnel: tunnelId(TunnelKind.vxlan, 7),
    });
    expect(decodeFrame(decoder, wrapInVxlanFrame(tcpFrame({}), 8))).toBe('vni_not_allowed');
    expect(decodeFrame(decoder, wrapInVxlanFrame(tcpFrame({}).subarray(0, 20), 8))).toBe('vni_not_allowed');
    expect(decodeFrame(decoder, tcpFrame({}))).toBe('vni_not_allowed');
    expect(decodeFrame(decoder, wrapInVxlanFrame(wrapInVxlanFrame(tcpFrame({}), 7), 8))).toMatchObject({
      tunnel: tunnelId(TunnelKind.vxlan, 7),
    });
  });

  test('what counts on our VXLAN port is the VNI of the session, whatever overlay its network carries', () => {
    const decoder = new PacketDecoder({ vnis: new Set([7]), tunnels: true });
    const overlay = wrapInVxlanFrame(tcpFrame({}), 9);
    const ours = vxlan(7, overlay);
    const foreign = vxlan(9, overlay);
    expect(outcome(decoder, decoder.decodeVxlan(ours, 0, ours.length, 0))).toMatchObject({
      tunnel: tunnelId(TunnelKind.vxlan, 9),
    });
    expect(outcome(decoder, decoder.decodeVxlan(foreign, 0, foreign.length, 0))).toBe('vni_not_allowed');
  });

  test('merged tunnels are one network; VLANs stay apart', () => {
    const decoder = new PacketDecoder({ mergeTunnels: true });
    const payload = vxlan(7, tcpFrame({ vlans: [3] }));
    const result = decoder.decodeVxlan(payload, 0, payload.length, 0);
    expect(outcome(decoder, result)).toMatchObject({ tunnel: 0, vlan: 3 });
  });
});

test('the table names every result once', () => {
  const codes = Object.values(Decoded);
  expect(codes).toEqual(codes.map((_, index) => index));
  expect(decodedResults).toHaveLength(codes.length);
  expect(new Set(decodedResults.map(({ name }) => name)).size).toBe(codes.length);
});

test('a frame in the middle of a buffer gives a view into that buffer', () => {
  const frame = linkFrame(ipPacket(6, tcpSegment({ payload: get })));
  const buffer = Buffer.concat([Buffer.alloc(100, 0xff), frame, Buffer.alloc(100, 0xff)]);
  const decoder = new PacketDecoder();
  expect(decoder.decode(buffer, 100, 100 + frame.length, frame.length, 1, 1_767_225_600_000_001)).toBe(Decoded.segment);
  expect(decoder.segment.bytes).toBe(buffer);
  expect(decoder.segment.payloadEnd).toBe(100 + frame.length);
  expect(decoder.segment.timeUs).toBe(1_767_225_600_000_001);
});
