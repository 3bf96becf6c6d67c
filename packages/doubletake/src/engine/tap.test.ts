import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { tcpFrame } from '../../test/support/frames.ts';
import { eventually } from '../../test/support/mirror.ts';
import { captureProblem, injectFrames } from '../../test/support/ring-lab.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { TcpFlag, TunnelKind, tunnelId } from '../packets/segment.ts';
import { Tap, type TapOptions, type TapReport } from './tap.ts';

const problem = captureProblem();
if (problem !== null) process.stderr.write(`skipped: the tap is not tested: ${problem}\n`);

const opened: (Socket | Server)[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

interface Sent {
  vlan: number;
  tunnel: number;
  sourcePort: number;
  sequence: number;
  payload: Buffer;
  missing: number;
  flags: number;
  datagramBytes: number;
}

/** Receives what a tap sends, and takes it apart. */
async function receiver(): Promise<{ port: number; sent: Sent[]; results: Set<number> }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 32 << 20 });
  opened.push(socket);
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const decoder = new PacketDecoder();
  const sent: Sent[] = [];
  const results = new Set<number>();
  socket.on('message', (bytes) => {
    results.add(decoder.decodeVxlan(bytes, 0, bytes.length, 0));
    const { vlan, tunnel, sourcePort, sequence, payloadStart, payloadEnd, payloadMissing, flags } = decoder.segment;
    const payload = Buffer.from(bytes.subarray(payloadStart, payloadEnd));
    const datagramBytes = bytes.length;
    sent.push({ vlan, tunnel, sourcePort, sequence, payload, missing: payloadMissing, flags, datagramBytes });
  });
  return { port: socket.address().port, sent, results };
}

/** Runs a tap on the loopback interface around `work`. */
async function tapped(options: Partial<TapOptions>, work: () => Promise<void>): Promise<TapReport> {
  const tap = await Tap.open(
    {
      interfaceName: 'lo',
      ports: [],
      to: { host: '127.0.0.1', port: 4_789 },
      vni: 77,
      frameBytesMax: null,
      ringBytes: 4 << 20,
      cpuShare: 1,
      packetsPerSecond: null,
      bytesPerSecond: null,
      ...options,
    },
    () => {},
  );
  await work();
  const report = await tap.close();
  const { captured, added, sent, failed, skipped } = report;
  expect(captured + added).toBe(sent + failed + skipped.cpu + skipped.rate);
  return report;
}

/** Sends bytes to a server that takes them; resolves with the client's port. */
async function upload(server: Server, bytes: Buffer): Promise<number> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let localPort = 0;
  socket.on('connect', () => (localPort = socket.localPort ?? 0));
  socket.end(bytes);
  await new Promise((resolve) => socket.resume().on('close', resolve));
  return localPort;
}

async function sink(): Promise<Server> {
  const server = createServer((socket) => socket.resume().on('end', () => socket.end()));
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}

/** The bytes of a direction from its segments, in whatever order and however often. */
function stream(sent: readonly Sent[], sourcePort: number): Buffer {
  const own = sent.filter((segment) => segment.sourcePort === sourcePort);
  const syn = own.find(({ flags }) => (flags & TcpFlag.syn) !== 0)?.sequence ?? 0;
  const pieces = own
    .filter(({ payload }) => payload.length > 0)
    .map(({ sequence, payload }) => ({ offset: (sequence - syn - 1) >>> 0, payload }));
  const bytes = Buffer.alloc(Math.max(...pieces.map(({ offset, payload }) => offset + payload.length)));
  for (const { offset, payload } of pieces) payload.copy(bytes, offset);
  return bytes;
}

const content = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => (index * 13) % 241));

describe.skipIf(problem !== null)('a tap on the loopback interface', () => {
  test('sends every byte of both directions', async () => {
    const [server, { port, sent, results }] = [await sink(), await receiver()];
    let clientPort = 0;
    const serverPort = (server.address() as AddressInfo).port;
    const report = await tapped({ ports: [serverPort], to: { host: '127.0.0.1', port } }, async () => {
      clientPort = await upload(server, content);
    });
    await eventually('everything sent', () => (sent.length >= report.sent ? true : null));
    expect(results).toEqual(new Set([Decoded.segment]));
    expect(new Set(sent.map(({ tunnel }) => tunnel))).toEqual(new Set([tunnelId(TunnelKind.vxlan, 77)]));
    expect(stream(sent, clientPort).equals(content)).toBe(true);
    expect(report).toMatchObject({ failed: 0, truncated: 0, kernelDrops: 0, skipped: { cpu: 0, rate: 0 } });
  });

  test.each([
    { source: '10.0.0.1', destination: '10.0.0.2', payloadBytes: 65_480 },
    { source: 'fd00::1', destination: 'fd00::2', payloadBytes: 65_460 },
  ])('cuts a segment that no datagram can hold into two: $source', async ({ source, destination, payloadBytes }) => {
    const { port, sent, results } = await receiver();
    const payload = content.subarray(0, payloadBytes);
    const flags = TcpFlag.ack | TcpFlag.psh | TcpFlag.fin;
    const ends = { source, destination, destinationPort: 47_128 };
    const report = await tapped({ ports: [47_128], to: { host: '127.0.0.1', port } }, async () => {
      injectFrames([tcpFrame({ ...ends, sequence: 0xffff_fff0, flags, payload, tcpOptions: Buffer.alloc(12, 1) })]);
    });
    await eventually('both', () => (sent.length === 2 ? true : null));
    expect(results).toEqual(new Set([Decoded.segment]));
    expect(report).toMatchObject({ captured: 1, added: 1, sent: 2, truncated: 0 });
    const [first, second] = sent;
    expect(Buffer.concat(sent.map((piece) => piece.payload)).equals(payload)).toBe(true);
    expect(first).toMatchObject({ sequence: 0xffff_fff0, flags: TcpFlag.ack, missing: 0 });
    expect(second).toMatchObject({ sequence: (first?.payload.length ?? 0) - 16, flags, missing: 0 });
  });

  test('truncated frames say how much is missing', async () => {
    const { port, sent } = await receiver();
    const report = await tapped({ ports: [47_125], frameBytesMax: 100, to: { host: '127.0.0.1', port } }, async () => {
      injectFrames([tcpFrame({ destinationPort: 47_125, payload: 'x'.repeat(500) })]);
    });
    await eventually('it', () => (sent.length === 1 ? true : null));
    expect(sent[0]).toMatchObject({ missing: 454, datagramBytes: 108 });
    expect(sent[0]?.payload.toString()).toBe('x'.repeat(46));
    expect(report).toMatchObject({ captured: 1, sent: 1, truncated: 1 });
  });

  test.each([[[7]], [[7, 42]]])('VLAN tags %j are sent along', async (vlans) => {
    const { port, sent, results } = await receiver();
    await tapped({ ports: [47_126], to: { host: '127.0.0.1', port } }, async () => {
      injectFrames([tcpFrame({ destinationPort: 47_126, vlans, payload: 'hello' })]);
    });
    await eventually('it', () => (sent.length === 1 ? true : null));
    expect(results).toEqual(new Set([Decoded.segment]));
    expect(sent[0]).toMatchObject({ vlan: vlans.reduce((sum, id) => sum * 4_096 + id, 0), payload: Buffer.from('hello') });
  });

  test('never sends its own datagrams on, even when it takes everything', async () => {
    const { port, sent } = await receiver();
    // Only the packets of this test's connections, and those of whoever else uses the loopback interface: no UDP.
    const report = await tapped({ to: { host: '127.0.0.1', port } }, async () => {
      injectFrames(Array.from({ length: 50 }, () => tcpFrame({ destinationPort: 47_127, payload: 'once' })));
    });
    await eventually('them', () => (sent.filter(({ payload }) => payload.toString() === 'once').length >= 50 ? true : null));
    expect(sent.filter(({ payload }) => payload.toString() === 'once')).toHaveLength(50);
    // The last of what others sent may not have been read yet.
    await eventually('everything', () => (sent.length >= report.sent ? true : null));
    expect(report.sent).toBe(sent.length);
  });

  test('a receiver whose name nobody knows is one clear line', async () => {
    await expect(tapped({ to: { host: 'no-such-host.invalid', port: 1 } }, async () => {})).rejects.toMatchObject({
      code: 'DT_TAP_RECEIVER',
    });
  });
});
