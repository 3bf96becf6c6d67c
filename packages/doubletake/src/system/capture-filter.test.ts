import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret, type PacketFacts } from '../../test/support/bpf.ts';
import { fragmentedTcpFrames, ipPacket, linkFrame, LinkType, tcpFrame, udpDatagram } from '../../test/support/frames.ts';
import { buildCaptureFilter, buildDatagramFilter, buildEmptyFilter, frameBytesAll } from './capture-filter.ts';
import { loadLibc } from './libc.ts';
import { attachFilter } from './socket-options.ts';
import { openUdpSocket } from './udp-socket.ts';

const ethernet: PacketFacts = { hardwareType: 1 };
const noLink: PacketFacts = { hardwareType: 65_534 };
const loopbackOut: PacketFacts = { hardwareType: 772, packetType: 4 };
const loopbackIn: PacketFacts = { hardwareType: 772, packetType: 0 };

const ipv4s = ['10.0.0.1', '10.0.0.2', '192.0.2.3'];
const ipv6s = ['fd00::1', 'fd00::2', '2001:db8::3'];
const ports = [80, 443, 8080, 40_000];
const family = fc.constantFrom(ipv4s, ipv6s);
const flows = family.chain((addresses) =>
  fc.record({
    source: fc.constantFrom(...addresses),
    destination: fc.constantFrom(...addresses),
    sourcePort: fc.constantFrom(...ports),
    destinationPort: fc.constantFrom(...ports),
  }),
);
const endpoints = fc.array(
  fc.record({ address: fc.constantFrom(...ipv4s, ...ipv6s), port: fc.constantFrom(...ports) }),
  { maxLength: 70 },
);
const links = fc.constantFrom({ facts: ethernet, linkType: LinkType.ethernet }, { facts: noLink, linkType: LinkType.raw });

describe('the filter of a capture', () => {
  test('takes exactly the TCP of the ports, but for what is excluded, with any tags and on any link', () => {
    const vlans = fc.array(fc.integer({ min: 1, max: 4_094 }), { maxLength: 2 });
    fc.assert(
      fc.property(flows, fc.subarray(ports), endpoints, vlans, links, (flow, chosen, exclude, tags, link) => {
        const { facts, linkType } = link;
        const frame = tcpFrame({ ...flow, linkType, ...(linkType === LinkType.ethernet ? { vlans: tags } : {}) });
        const ours = exclude.slice(0, 64).some(
          ({ address, port }) =>
            (address === flow.source && port === flow.sourcePort) ||
            (address === flow.destination && port === flow.destinationPort),
        );
        const wanted = chosen.length === 0 || chosen.includes(flow.sourcePort) || chosen.includes(flow.destinationPort);
        const taken = interpret(buildCaptureFilter({ ports: chosen, exclude: exclude.slice(0, 64) }), frame, facts);
        expect(taken).toBe(wanted && !ours ? frameBytesAll : 0);
      }),
    );
  });

  test('on the loopback interface, where every packet is seen twice, takes it once', () => {
    const program = buildCaptureFilter({ ports: [80] });
    expect(interpret(program, tcpFrame({}), loopbackOut)).toBe(0);
    expect(interpret(program, tcpFrame({}), loopbackIn)).toBe(frameBytesAll);
    expect(interpret(program, tcpFrame({}), { hardwareType: 1, packetType: 4 })).toBe(frameBytesAll);
  });

  test.each(['10.0.0.1', 'fd00::1'])('takes all fragments of TCP from %s, which have no ports', (source) => {
    const destination = source.replace(/1$/, '2');
    const frames = fragmentedTcpFrames({ source, destination, payload: 'x'.repeat(1_000), fragmentBytes: 256 });
    const program = buildCaptureFilter({ ports: [9] });
    expect(frames.slice(1).map((frame) => interpret(program, frame, ethernet))).toEqual(frames.slice(1).map(() => frameBytesAll));
  });

  test('UDP is left in the kernel, and so is what is in tunnels, unless it is asked for', () => {
    const ends = { source: '10.0.0.1', destination: '10.0.0.2' };
    const inUdp = (port: number): Buffer => linkFrame(ipPacket(17, udpDatagram(5_000, port, tcpFrame({})), ends));
    const gre = linkFrame(ipPacket(47, Buffer.alloc(40), ends));
    const plain = buildCaptureFilter({ ports: [80] });
    const open = buildCaptureFilter({ ports: [80], tunnels: true });
    const taken = [inUdp(4_789), inUdp(6_081), gre].map((frame) => [interpret(plain, frame), interpret(open, frame)]);
    expect(taken).toEqual([1, 2, 3].map(() => [0, frameBytesAll]));
    expect(interpret(open, inUdp(53))).toBe(0);
    expect(interpret(open, tcpFrame({ destinationPort: 81 }))).toBe(0);
  });

  test('asks for as much of a frame as is wanted', () => {
    expect(interpret(buildCaptureFilter({ ports: [], frameBytesMax: 200 }), tcpFrame({}))).toBe(200);
  });

  test('leaves a list of ports to the decoder that is longer than a program may be', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => index + 1_000);
    const program = buildCaptureFilter({ ports: many });
    expect(program.length).toBeLessThan(4_096);
    expect(interpret(program, tcpFrame({ destinationPort: 80 }))).toBe(frameBytesAll);
  });

  test('any bytes give a decision', () => {
    const programs = [buildCaptureFilter({ ports: [80], tunnels: true }), buildDatagramFilter({ address: '::', port: 80 })];
    const facts = fc.constantFrom(ethernet, noLink, loopbackIn);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...programs), facts, (bytes, program, kind) => {
        expect([0, frameBytesAll]).toContain(interpret(program, Buffer.from(bytes), kind));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the filter of a tunnel', () => {
  test.each([
    { listen: '0.0.0.0', takes: [true, true, false] },
    { listen: '::', takes: [true, true, true] },
    { listen: '10.0.0.2', takes: [true, false, false] },
    { listen: 'fd00::2', takes: [false, false, true] },
  ])('on $listen takes what comes in for it', ({ listen, takes }) => {
    const program = buildDatagramFilter({ address: listen, port: 4_789 });
    const datagram = (source: string, destination: string, port = 4_789, fragment?: { offset: number; more: boolean }): Buffer =>
      linkFrame(ipPacket(17, udpDatagram(1, port, Buffer.alloc(60)), { source, destination }, fragment));
    const packets = [
      datagram('10.0.0.1', '10.0.0.2'),
      datagram('10.0.0.1', '10.0.0.3'),
      datagram('fd00::1', 'fd00::2'),
    ];
    expect(packets.map((packet) => interpret(program, packet) > 0)).toEqual(takes);
    const others = [
      datagram('10.0.0.1', '10.0.0.2', 4_790),
      datagram('fd00::1', 'fd00::2', 4_790),
      datagram('10.0.0.1', '10.0.0.2', 4_789, { offset: 0, more: true }),
      datagram('10.0.0.1', '10.0.0.2', 4_789, { offset: 64, more: false }),
      tcpFrame({ source: '10.0.0.1', destination: '10.0.0.2', destinationPort: 4_789 }),
    ];
    expect(others.map((packet) => interpret(program, packet))).toEqual(others.map(() => 0));
    expect(packets.map((packet) => interpret(program, packet, { packetType: 4 }))).toEqual([0, 0, 0]);
  });
});

const loaded = loadLibc();

test.skipIf(!('libc' in loaded))('the kernel accepts every program', () => {
  if (!('libc' in loaded)) return;
  const { libc } = loaded;
  const many = Array.from({ length: 64 }, (_, index) => index + 1);
  const exclude = many.flatMap((port) => ['10.0.0.1', 'fd00::1'].map((address) => ({ address, port })));
  const largest = buildCaptureFilter({ ports: Array.from({ length: 250 }, (_, port) => port + 1), exclude, tunnels: true });
  const tunnels = ['0.0.0.0', '127.0.0.1', '::', 'fd00::1'].map((address) => buildDatagramFilter({ address, port: 1 }));
  const { descriptor } = openUdpSocket(libc, { host: '127.0.0.1', port: 0, receiveBufferBytes: 65_536 });
  try {
    for (const program of [buildEmptyFilter(), buildCaptureFilter({ ports: [] }), largest, ...tunnels]) {
      attachFilter(libc, descriptor, program);
    }
  } finally {
    libc.close(descriptor);
  }
});
