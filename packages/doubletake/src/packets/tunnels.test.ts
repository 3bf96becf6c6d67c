import { describe, expect, test } from 'vitest';
import { decodeFrame, outcome } from '../../test/support/decoding.ts';
import type { DecodedPacket } from '../../test/support/decoding.ts';
import {
  geneve,
  gre,
  ipPacket,
  linkFrame,
  tcpFrame,
  udpDatagram,
  vxlan,
  wrapInVxlanFrame,
} from '../../test/support/frames.ts';
import { PacketDecoder } from './decoder.ts';
import { TunnelKind, tunnelId } from './segment.ts';

const inner = tcpFrame({ vlans: [3], payload: 'GET /' });
const innerIp4 = inner.subarray(18);
const innerIp6 = tcpFrame({ source: '2001:db8::5', destination: '2001:db8::2', linkType: 101, payload: 'GET /' });
const outer6 = { source: '2001:db8:1::1', destination: '2001:db8:1::2' };

const udp = (port: number, payload: Buffer, options = {}): Buffer =>
  linkFrame(ipPacket(17, udpDatagram(50_000, port, payload), options), { vlans: [99] });
const ip = (protocol: number, payload: Buffer): Buffer => linkFrame(ipPacket(protocol, payload), { vlans: [99] });

const erspan2 = Buffer.from([0x10, 0x03, 0x18, 0x64, 0, 0, 0, 0]);
const erspan3 = Buffer.from([0x20, 0x03, 0x18, 0x64, 0, 0, 0, 0, 0, 0, 0, 0]);
const erspan3Platform = Buffer.concat([erspan3.subarray(0, 11), Buffer.from([1]), Buffer.alloc(8)]);
const ayiya = (next: number, operation = 1): Buffer =>
  Buffer.concat([Buffer.from([0x40 | 1, 0x50 | 1, 0x10 | operation, next]), Buffer.alloc(4 + 16 + 20)]);

function receive(decoder: PacketDecoder, kind: 'Vxlan' | 'Geneve', payload: Buffer): DecodedPacket | string {
  const padded = Buffer.concat([Buffer.alloc(10, 0xff), payload, Buffer.alloc(10, 0xff)]);
  const end = 10 + payload.length;
  const result = kind === 'Vxlan' ? decoder.decodeVxlan(padded, 10, end, 0) : decoder.decodeGeneve(padded, 10, end, 0);
  return outcome(decoder, result);
}

describe('inside a captured frame', () => {
  const cases: [string, Buffer, { tunnel: number; vlan: number }][] = [
    ['VXLAN', udp(4789, vxlan(7, inner)), { tunnel: tunnelId(TunnelKind.vxlan, 7), vlan: 3 }],
    [
      'VXLAN on the port of old Linux, largest VNI',
      udp(8472, vxlan(0xffffff, inner)),
      { tunnel: tunnelId(TunnelKind.vxlan, 0xffffff), vlan: 3 },
    ],
    ['VXLAN over IPv6', udp(4789, vxlan(7, inner), outer6), { tunnel: tunnelId(TunnelKind.vxlan, 7), vlan: 3 }],
    ['GENEVE', udp(6081, geneve(9, inner)), { tunnel: tunnelId(TunnelKind.geneve, 9), vlan: 3 }],
    [
      'GENEVE with options and IPv4',
      udp(6081, geneve(9, innerIp4, { options: Buffer.alloc(252, 1), protocol: 0x0800 })),
      { tunnel: tunnelId(TunnelKind.geneve, 9), vlan: 0 },
    ],
    [
      'GENEVE with IPv6',
      udp(6081, geneve(9, innerIp6, { protocol: 0x86dd })),
      { tunnel: tunnelId(TunnelKind.geneve, 9), vlan: 0 },
    ],
    [
      'VXLAN in GENEVE: the innermost names the flow',
      udp(6081, geneve(0, wrapInVxlanFrame(inner, 7).subarray(14), { protocol: 0x0800 })),
      { tunnel: tunnelId(TunnelKind.vxlan, 7), vlan: 3 },
    ],
    [
      'VXLAN in VXLAN',
      udp(4789, vxlan(1, wrapInVxlanFrame(inner, 7))),
      { tunnel: tunnelId(TunnelKind.vxlan, 7), vlan: 3 },
    ],
    ['GRE', ip(47, gre(0x0800, innerIp4)), { tunnel: tunnelId(TunnelKind.gre, 0), vlan: 0 }],
    [
      'GRE with checksum, key and sequence number',
      ip(47, gre(0x6558, inner, { checksum: true, key: 0xfedcba98, sequence: 1 })),
      { tunnel: tunnelId(TunnelKind.gre, 0xfedcba98), vlan: 3 },
    ],
    ['GRE with IPv6', ip(47, gre(0x86dd, innerIp6)), { tunnel: tunnelId(TunnelKind.gre, 0), vlan: 0 }],
    ['GRE in UDP', udp(4754, gre(0x6558, inner, { key: 5 })), { tunnel: tunnelId(TunnelKind.gre, 5), vlan: 3 }],
    [
      'MPLS in GRE',
      ip(47, gre(0x8847, Buffer.concat([Buffer.from([0, 0x10, 0x01, 64]), innerIp4]))),
      { tunnel: tunnelId(TunnelKind.gre, 0), vlan: 0 },
    ],
    ['ERSPAN I', ip(47, gre(0x88be, inner)), { tunnel: tunnelId(TunnelKind.erspan, 0), vlan: 3 }],
    [
      'ERSPAN II',
      ip(47, gre(0x88be, Buffer.concat([erspan2, inner]), { sequence: 1 })),
      { tunnel: tunnelId(TunnelKind.erspan, 100), vlan: 3 },
    ],
    [
      'ERSPAN III',
      ip(47, gre(0x22eb, Buffer.concat([erspan3, inner]), { sequence: 1 })),
      { tunnel: tunnelId(TunnelKind.erspan, 100), vlan: 3 },
    ],
    [
      'ERSPAN III with a platform part',
      ip(47, gre(0x22eb, Buffer.concat([erspan3Platform, inner]), { sequence: 1 })),
      { tunnel: tunnelId(TunnelKind.erspan, 100), vlan: 3 },
    ],
    ['AYIYA', udp(5072, Buffer.concat([ayiya(41), innerIp6])), { tunnel: tunnelId(TunnelKind.ayiya, 0), vlan: 0 }],
    ['IP in IP', ip(4, innerIp4), { tunnel: tunnelId(TunnelKind.ip, 0), vlan: 0 }],
    ['6in4', ip(41, innerIp6), { tunnel: tunnelId(TunnelKind.ip, 0), vlan: 0 }],
  ];
  test.each(cases)('%s', (_name, frame, place) => {
    const from: unknown = expect.stringMatching(/^(10\.0\.2\.5|\[2001:db8::5\]):41234$/);
    const decoder = new PacketDecoder({ tunnels: true });
    expect(decodeFrame(decoder, frame)).toMatchObject({ ...place, from, payload: 'GET /', missing: 0 });
  });

  test.each(cases)('%s: closed unless asked for', (_name, frame) => {
    expect(decodeFrame(new PacketDecoder(), frame)).toMatch(/^(udp|other_protocol)$/);
  });

  test('what the mirror cut off inside a tunnel is missing', () => {
    const frame = udp(4789, vxlan(7, inner));
    const shown = decodeFrame(new PacketDecoder({ tunnels: true }), frame.subarray(0, frame.length - 2));
    expect(shown).toMatchObject({ payload: 'GET', missing: 2 });
  });

  test('UDP on a tunnel port without the tunnel is ignored', () => {
    const decoder = new PacketDecoder({ tunnels: true });
    const noFlag = vxlan(7, inner);
    noFlag[0] = 0;
    expect(decodeFrame(decoder, udp(4789, noFlag))).toBe('not_tunnel');
    expect(decodeFrame(decoder, udp(4789, Buffer.alloc(3)))).toBe('not_tunnel');
    expect(decodeFrame(decoder, udp(6081, Buffer.alloc(40, 0xff)))).toBe('not_tunnel');
    expect(decodeFrame(decoder, udp(5072, Buffer.alloc(7)))).toBe('not_tunnel');
    expect(decodeFrame(decoder, udp(53, vxlan(7, inner)))).toBe('udp');
  });

  test('messages of the tunnel itself are told apart', () => {
    const decoder = new PacketDecoder({ tunnels: true });
    const oam = geneve(9, inner);
    oam[1] = 0x80;
    expect(decodeFrame(decoder, udp(6081, oam))).toBe('tunnel_control');
    expect(decodeFrame(decoder, udp(5072, Buffer.concat([ayiya(59, 2), innerIp6])))).toBe('tunnel_control');
    const pptp = Buffer.from([0x30, 0x01, 0x88, 0x0b, ...Buffer.alloc(20)]);
    expect(decodeFrame(decoder, ip(47, pptp))).toBe('tunnel_control');
  });

  test('tunnels inside each other end somewhere', () => {
    let frame = inner;
    for (let depth = 0; depth < 9; depth++) frame = wrapInVxlanFrame(frame, depth);
    expect(decodeFrame(new PacketDecoder({ tunnels: true }), frame)).toBe('nested_too_deep');
  });
});

describe('received on a tunnel socket', () => {
  test('VXLAN, whose reserved bits mean nothing', () => {
    const payload = vxlan(7, inner);
    payload.set([0xff, 0xff, 0xff, 0xff], 0);
    payload[7] = 0xff;
    expect(receive(new PacketDecoder(), 'Vxlan', payload)).toMatchObject({
      tunnel: tunnelId(TunnelKind.vxlan, 7),
      vlan: 3,
      payload: 'GET /',
    });
  });

  test('VXLAN without the I flag, or too short, is malformed', () => {
    const payload = vxlan(7, inner);
    payload[0] = 0xf7;
    expect(receive(new PacketDecoder(), 'Vxlan', payload)).toBe('bad_tunnel');
    expect(receive(new PacketDecoder(), 'Vxlan', payload.subarray(0, 7))).toBe('truncated_tunnel');
    expect(receive(new PacketDecoder(), 'Vxlan', Buffer.alloc(0))).toBe('truncated_tunnel');
  });

  test('a foreign VNI is turned away', () => {
    const decoder = new PacketDecoder({ vnis: new Set([8]) });
    expect(receive(decoder, 'Vxlan', vxlan(7, inner))).toBe('vni_not_allowed');
    expect(receive(decoder, 'Vxlan', vxlan(8, inner))).toMatchObject({ payload: 'GET /' });
  });

  test('GENEVE around the VXLAN of a mirror session', () => {
    const packet = wrapInVxlanFrame(inner, 7).subarray(14);
    const payload = geneve(0, packet, { options: Buffer.alloc(32, 1), protocol: 0x0800 });
    const wanted = { tunnel: tunnelId(TunnelKind.vxlan, 7), vlan: 3, payload: 'GET /' };
    expect(receive(new PacketDecoder(), 'Geneve', payload)).toMatchObject(wanted);
    expect(receive(new PacketDecoder({ vnis: new Set([7]) }), 'Geneve', payload)).toMatchObject(wanted);
    expect(receive(new PacketDecoder({ vnis: new Set([0]) }), 'Geneve', payload)).toBe('vni_not_allowed');
  });

  test('GENEVE of an unknown version is malformed, of an unknown protocol ignored', () => {
    const payload = geneve(9, inner);
    payload[0] = 0x40;
    expect(receive(new PacketDecoder(), 'Geneve', payload)).toBe('bad_tunnel');
    expect(receive(new PacketDecoder(), 'Geneve', geneve(9, inner, { protocol: 0x0806 }))).toBe('not_ip');
  });
});
