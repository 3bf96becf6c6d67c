import { createSocket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../test/support/mirror.ts';
import { tcpFrame } from '../../test/support/frames.ts';
import { captureProblem, injectFrames } from '../../test/support/ring-lab.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { buildCaptureFilter, buildDatagramFilter } from '../system/capture-filter.ts';
import { needLibc } from '../system/libc.ts';
import type { PacketRing } from '../system/packet-ring.ts';
import { type Fanout, openPacketSockets } from '../system/packet-socket.ts';
import { attachFilter } from '../system/socket-options.ts';
import { buildSteeringProgram } from '../system/steering.ts';
import { readDatagram } from './ring-datagram.ts';
import { RingSource } from './ring-source.ts';

const problem = captureProblem();
if (problem !== null) process.stderr.write(`skipped: packet rings are not tested: ${problem}\n`);

const alone: Fanout = { count: 1, program: null, defragment: false };
const opened: (RingSource | Server)[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

interface Sources {
  sources: RingSource[];
  warnings: string[];
}

/** Rings on the loopback interface; the listener learns from which ring a packet is. */
function openRings(
  options: { fanout?: Fanout; ringBytes?: number; interfaceName?: string; skipBlock?: (packets: number) => boolean },
  filter: Parameters<typeof attachFilter>[2],
  onPacket: (packet: PacketRing, ring: number) => void,
): Sources {
  const { fanout = alone, ringBytes = 4 << 20, interfaceName = 'lo', skipBlock } = options;
  const libc = needLibc('the test');
  const warnings: string[] = [];
  const sources = openPacketSockets(libc, { interfaceName, ringBytes }, fanout).map((descriptor, index) => {
    attachFilter(libc, descriptor, filter);
    const source = new RingSource(libc, {
      descriptor,
      interfaceName,
      ringBytes,
      onPacket: (packet) => onPacket(packet, index),
      onWarning: (text) => warnings.push(text),
      ...(skipBlock === undefined ? {} : { skipBlock }),
    });
    opened.push(source);
    return source;
  });
  return { sources, warnings };
}

/** A server that echoes, and its port. */
async function echoServer(): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket));
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** Sends bytes, waits until they came back, and tells the client's port. */
async function exchange(port: number, bytes: Buffer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let [back, localPort] = [0, 0];
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('connect', () => (localPort = socket.localPort ?? 0));
    socket.on('data', (chunk) => {
      if ((back += chunk.length) === bytes.length) socket.end();
    });
    socket.on('close', () => resolve());
    socket.write(bytes);
  });
  return localPort;
}

describe.skipIf(problem !== null)('a ring on the loopback interface', () => {
  test('shows every byte of both directions once, with times that do not go back, and nothing of other ports', async () => {
    const [port, otherPort] = [await echoServer(), await echoServer()];
    const decoder = new PacketDecoder();
    const seen = new Map<number, Map<number, Buffer>>();
    const results: number[] = [];
    const times: number[] = [];
    let [carried, repeated] = [0, 0];
    const startUs = Date.now() * 1_000;
    const { sources } = openRings({}, buildCaptureFilter({ ports: [port] }), (packet) => {
      const { bytes, start, end, originalLength, timeUs } = packet;
      results.push(decoder.decode(bytes, start, end, originalLength, 1, timeUs));
      times.push(timeUs);
      const { sourcePort, sequence, payloadStart, payloadEnd } = decoder.segment;
      const stream = seen.get(sourcePort) ?? new Map<number, Buffer>();
      seen.set(sourcePort, stream);
      if (payloadEnd === payloadStart) return;
      carried++;
      if (stream.has(sequence)) repeated++;
      stream.set(sequence, Buffer.from(bytes.subarray(payloadStart, payloadEnd)));
    });
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 251));
    await exchange(otherPort, Buffer.from('not this'));
    const clientPort = await exchange(port, sent);
    await sources[0]?.close();
    expect(new Set(seen.keys())).toEqual(new Set([clientPort, port]));
    for (const stream of seen.values()) {
      const pieces = [...stream].toSorted(([a], [b]) => (a - b) | 0);
      const [[first] = [0]] = pieces;
      // What TCP sends a second time may be cut elsewhere.
      const bytes = Buffer.alloc(sent.length);
      let end = 0;
      for (const [sequence, piece] of pieces) {
        const start = (sequence - first) | 0;
        piece.copy(bytes, start);
        end = Math.max(end, start + piece.length);
      }
      expect(end).toBe(sent.length);
      expect(bytes.equals(sent)).toBe(true);
    }
    // On a busy machine TCP sends some a second time by itself.
    expect(repeated).toBeLessThanOrEqual(carried / 4);
    expect(new Set(results)).toEqual(new Set([Decoded.segment]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(startUs);
    // Times of packets are finer than this clock, which rounds down.
    expect(times.at(-1)).toBeLessThan((Date.now() + 1) * 1_000);
    expect(sources[0]?.kernelDrops).toBe(0);
  });

  test('wraps around: what comes after many rounds of a small ring is whole', async () => {
    const port = await echoServer();
    const rounds = 40;
    const decoder = new PacketDecoder();
    // By connection and direction: the bytes that were seen, and whether each of them was its round's.
    const seen = new Map<string, { bytes: number; foreign: number }>();
    const { sources } = openRings({ ringBytes: 1 << 20 }, buildCaptureFilter({ ports: [port] }), (packet) => {
      decoder.decode(packet.bytes, packet.start, packet.end, packet.originalLength, 1, packet.timeUs);
      const { bytes, sourcePort, destinationPort, payloadStart, payloadEnd } = decoder.segment;
      const key = `${sourcePort} ${destinationPort}`;
      const before = seen.get(key) ?? { bytes: 0, foreign: 0 };
      const payload = bytes.subarray(payloadStart, payloadEnd);
      before.bytes += payload.length;
      before.foreign += payload.some((byte) => byte !== payload[0]) ? 1 : 0;
      seen.set(key, before);
    });
    for (let round = 0; round < rounds; round++) await exchange(port, Buffer.alloc(100_000, round));
    await sources[0]?.close();
    expect(seen.size).toBe(2 * rounds);
    expect([...seen.values()].filter(({ bytes, foreign }) => bytes < 100_000 || foreign > 0)).toEqual([]);
    expect(sources[0]?.kernelDrops).toBe(0);
  });

  test('counts what the kernel dropped while nobody read', async () => {
    const receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await new Promise((resolve) => receiver.once('listening', resolve));
    const { port } = receiver.address();
    let taken = 0;
    const filter = buildDatagramFilter({ address: '127.0.0.1', port });
    const { sources } = openRings({ ringBytes: 1 << 20 }, filter, () => taken++);
    const datagrams = 4_000;
    const sender = createSocket('udp4');
    const payload = Buffer.alloc(1_000);
    let sentCount = 0;
    // Node sends at once where it can: this turn of the event loop ends with all of them sent and none read.
    for (let index = 0; index < datagrams; index++) sender.send(payload, port, '127.0.0.1', () => sentCount++);
    await eventually('all sent', () => (sentCount === datagrams ? true : null));
    await sources[0]?.close();
    sender.close();
    receiver.close();
    const drops = sources[0]?.kernelDrops ?? 0;
    expect(taken + drops).toBe(datagrams);
    expect(taken).toBeGreaterThan(0);
  });

  test('blocks that are to be skipped are told with the number of their packets', async () => {
    const port = await echoServer();
    let [skipped, taken] = [0, 0];
    const skipBlock = (packets: number): boolean => {
      skipped += packets;
      return true;
    };
    const { sources } = openRings({ skipBlock }, buildCaptureFilter({ ports: [port] }), () => taken++);
    await exchange(port, Buffer.from('hello'));
    await sources[0]?.close();
    expect(taken).toBe(0);
    // Three packets to open, two of data, two to close, and acknowledgements.
    expect(skipped).toBeGreaterThanOrEqual(7);
  });

  test('several rings share the connections and split none', async () => {
    const port = await echoServer();
    const decoder = new PacketDecoder();
    const rings = new Map<number, Set<number>>();
    const { sources } = openRings({ fanout: { count: 3, program: null, defragment: true } }, buildCaptureFilter({ ports: [port] }), (packet, ring) => {
      decoder.decode(packet.bytes, packet.start, packet.end, packet.originalLength, 1, packet.timeUs);
      const { sourcePort, destinationPort } = decoder.segment;
      const client = sourcePort === port ? destinationPort : sourcePort;
      rings.set(client, (rings.get(client) ?? new Set()).add(ring));
    });
    const clients = await Promise.all(Array.from({ length: 60 }, () => exchange(port, Buffer.from('hello'))));
    for (const source of sources) await source.close();
    expect(new Set(rings.keys())).toEqual(new Set(clients));
    expect([...rings.values()].filter((set) => set.size !== 1)).toEqual([]);
    expect(new Set([...rings.values()].flatMap((set) => [...set])).size).toBe(3);
  });

  test.each([
    { address: '127.0.0.1', bytes: 100 },
    // Larger than the interface carries: it comes in fragments, which the kernel puts together.
    { address: '127.0.0.1', bytes: 65_507 },
    { address: '::1', bytes: 1_000 },
  ])('datagrams of $bytes bytes to $address are handed over as they were sent', async ({ address, bytes }) => {
    const receiver = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
    await new Promise((resolve) => receiver.once('listening', resolve));
    const { port } = receiver.address();
    const got: Buffer[] = [];
    const program = buildSteeringProgram({ workers: 1, tunnel: 'vxlan', over: 'rings' });
    const { sources } = openRings(
      { fanout: { count: 1, program, defragment: true } },
      buildDatagramFilter({ address, port }),
      (packet) => readDatagram(packet, (all, start, end) => got.push(Buffer.from(all.subarray(start, end)))),
    );
    const payload = Buffer.from(Array.from({ length: bytes }, (_, index) => index % 256));
    const sender = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise((resolve) => sender.send(payload, port, address, resolve));
    await sources[0]?.close();
    sender.close();
    receiver.close();
    expect(got.map((datagram) => datagram.equals(payload))).toEqual([true]);
  });

  test.each([
    { vlans: [], vlan: 0 },
    { vlans: [7], vlan: 7 },
    { vlans: [7, 42], vlan: 7 * 4_096 + 42 },
  ])('VLAN tags $vlans, of which the kernel takes the outer one out of the frame, are known', async ({ vlans, vlan }) => {
    const decoder = new PacketDecoder();
    const seen: { result: number; vlan: number; payload: string }[] = [];
    const ports = [47_123];
    const { sources } = openRings({}, buildCaptureFilter({ ports }), (packet) => {
      const { bytes, start, end, originalLength, timeUs, vlanTag } = packet;
      const tag = vlanTag < 0 ? 0 : vlanTag & 0xfff;
      const result = decoder.decode(bytes, start, end, originalLength, 1, timeUs, tag);
      const { segment } = decoder;
      const payload = bytes.toString('latin1', segment.payloadStart, segment.payloadEnd);
      seen.push({ result, vlan: segment.vlan, payload });
    });
    injectFrames([tcpFrame({ destinationPort: 47_123, vlans, payload: 'hello' })]);
    await sources[0]?.close();
    expect(seen).toEqual([{ result: Decoded.segment, vlan, payload: 'hello' }]);
  });

  test('frames that end anywhere are no trouble', async () => {
    const whole = tcpFrame({ destinationPort: 47_124, payload: 'x'.repeat(50) });
    const decoder = new PacketDecoder();
    const results = new Set<number>();
    const { sources } = openRings({}, buildCaptureFilter({ ports: [47_124] }), (packet) => {
      results.add(decoder.decode(packet.bytes, packet.start, packet.end, packet.originalLength, 1, packet.timeUs));
    });
    // The shortest frame that the loopback interface takes is an Ethernet header.
    injectFrames(Array.from({ length: whole.length - 13 }, (_, index) => whole.subarray(0, 14 + index)));
    await sources[0]?.close();
    expect(results).toEqual(new Set([Decoded.truncatedTcp, Decoded.segment]));
  });

  test('an interface that is not there is one clear line', () => {
    expect(() => openRings({ interfaceName: 'none7' }, [], () => {})).toThrow(
      "there is no network interface 'none7'; `ip link` lists those of this machine, and `any` takes all of them",
    );
  });
});
