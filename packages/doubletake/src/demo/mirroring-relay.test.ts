import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { buffer as readAll } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { TcpFlag } from '../packets/segment.ts';
import { listen } from './listen.ts';
import { startMirroringRelay, type MirroringRelay, type MirroringRelayOptions } from './mirroring-relay.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function production(handle: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    handle(socket);
  });
  const { port } = await listen(server, 0, '127.0.0.1');
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return port;
}

async function relayTo(port: number, options: Partial<MirroringRelayOptions> = {}) {
  const packets: Packet[] = [];
  const relay = await startMirroringRelay({
    production: { host: '127.0.0.1', port },
    onPacket: (packet) => packets.push(read(packet)),
    ...options,
  });
  cleanups.push(() => relay.close());
  return { relay, packets };
}

function client(relay: MirroringRelay, localAddress?: string): Socket {
  const socket = connect({
    host: relay.host,
    port: relay.port,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on('error', () => {});
  cleanups.push(() => {
    socket.destroy();
  });
  return socket;
}

/** Waits for the end of a socket, with an error or without. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

interface Packet {
  vni: number;
  from: string;
  to: string;
  sequence: number;
  acknowledgement: number;
  flags: number;
  payload: Buffer;
}

/** Reads a packet by the offsets of the RFCs, and checks what has only one right value. */
function read(packet: Buffer): Packet {
  expect(packet[0]).toBe(0x08);
  expect(packet.readUInt16BE(20)).toBe(0x0800);
  expect(packet[22]).toBe(0x45);
  expect(packet.readUInt16BE(24)).toBe(packet.length - 22);
  expect(packet[31]).toBe(6);
  let sum = 0;
  for (let at = 22; at < 42; at += 2) sum += packet.readUInt16BE(at);
  expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff);
  const endpoint = (ip: number, port: number) =>
    `${packet.subarray(ip, ip + 4).join('.')}:${packet.readUInt16BE(port)}`;
  return {
    vni: packet.readUIntBE(4, 3),
    from: endpoint(34, 42),
    to: endpoint(38, 44),
    sequence: packet.readUInt32BE(46),
    acknowledgement: packet.readUInt32BE(50),
    flags: packet[55] ?? 0,
    payload: packet.subarray(42 + ((packet[54] ?? 0) >>> 4) * 4),
  };
}

/** The stream that one side sent: payloads laid out by sequence number, counted from its SYN. */
function streamFrom(packets: Packet[], side: string): Buffer {
  const mine = packets.filter((packet) => packet.from === side);
  const syn = mine.find((packet) => packet.flags & TcpFlag.syn);
  if (!syn) throw new Error('no SYN');
  const bytes = Buffer.alloc(mine.reduce((sum, packet) => sum + packet.payload.length, 0));
  for (const { payload, sequence } of mine) payload.copy(bytes, (sequence - syn.sequence - 1) >>> 0);
  return bytes;
}

function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at++) {
    state = Math.imul(state, 1_103_515_245) + 12_345;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

describe('a mirroring relay', () => {
  it.each([1460, 8900, 65_445])('passes bytes on unchanged and shows them in segments of %i', async (segmentBytesMax) => {
    const upload = noise(700_001, 1);
    const download = noise(1_300_003, 2);
    let received: Promise<Buffer> | undefined;
    const port = await production((socket) => {
      received = readAll(socket);
      socket.end(download);
    });
    const { relay, packets } = await relayTo(port, { segmentBytesMax });
    const socket = client(relay);
    socket.end(upload);
    expect((await readAll(socket)).equals(download)).toBe(true);
    expect((await received)?.equals(upload)).toBe(true);

    const { from, to } = packets[0];
    expect(streamFrom(packets, from).equals(upload)).toBe(true);
    expect(streamFrom(packets, to).equals(download)).toBe(true);
    expect(Math.max(...packets.map((packet) => packet.payload.length))).toBeLessThanOrEqual(segmentBytesMax);
    expect(relay.packetsSent).toBe(packets.length);
  });

  it('shows a conversation as a mirror session would, with numbers that fit together', async () => {
    const port = await production((socket) => socket.on('data', () => socket.end('pong')));
    const { relay, packets } = await relayTo(port, { vni: 1234, innerServer: { host: '10.9.8.7', port: 8080 } });
    const socket = client(relay);
    socket.end('ping');
    await readAll(socket);
    await gone(socket);
    while (packets.filter((packet) => packet.flags & TcpFlag.fin).length < 2) await turn();

    const [syn, synAck] = [packets[0], packets[1]];
    const told = packets.map(({ flags, payload, sequence, acknowledgement, from, vni }) => {
      expect(vni).toBe(1234);
      const mine = from === syn.from;
      const [own, peer] = mine ? [syn, synAck] : [synAck, syn];
      const names = Object.entries(TcpFlag).filter(([, bit]) => flags & bit);
      return [
        `${mine ? '>' : '<'} ${names.map(([name]) => name).join(' ')}`,
        (sequence - own.sequence) >>> 0,
        flags & TcpFlag.ack ? (acknowledgement - peer.sequence) >>> 0 : '-',
        payload.toString(),
      ].join(' ');
    });
    expect(synAck.from).toBe('10.9.8.7:8080');
    const [open, finishing] = [told.slice(0, 5), told.slice(5)];
    expect(open).toEqual(['> syn 0 - ', '< syn ack 0 1 ', '> ack 1 1 ', '> psh ack 1 1 ping', '< ack 1 5 ']);
    expect(finishing.toSorted()).toEqual(
      ['< psh ack 1 6 pong', '< ack 1 6 ', '> fin ack 5 1 ', '> ack 6 5 ', '< fin ack 5 6 ', '> ack 6 6 '].toSorted(),
    );
  });

  it('does not read on while the receiver is slow, and serves the others', async () => {
    const download = noise(40_000_000, 3);
    const port = await production((socket) => socket.end(download));
    const shown = new Map<string, number>();
    const { relay } = await relayTo(port, {
      onPacket: (packet) => {
        const { to, payload } = read(packet);
        shown.set(to, (shown.get(to) ?? 0) + payload.length);
      },
      segmentBytesMax: 65_000,
    });
    const slow = client(relay).pause();
    await once(slow, 'connect');
    const fast = client(relay);
    await readAll(fast);
    expect(shown.get(`10.0.2.1:${fast.localPort}`)).toBe(download.length);
    expect(shown.get(`10.0.2.1:${slow.localPort}`) ?? 0).toBeLessThan(30_000_000);
    expect((await readAll(slow)).equals(download)).toBe(true);
  });

  it('shows a reset by the server, and resets the client', async () => {
    const port = await production((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { relay, packets } = await relayTo(port);
    const socket = client(relay);
    socket.write('hello');
    await gone(socket);
    const last = packets[packets.length - 1];
    expect(last.flags & TcpFlag.rst).not.toBe(0);
    expect(last.from).toBe('10.0.1.10:80');
  });

  it('shows a refused connection as production would refuse it', async () => {
    const port = await production(() => {});
    await cleanups.pop()?.();
    const { relay, packets } = await relayTo(port);
    await gone(client(relay));
    expect(packets.map((packet) => packet.flags)).toEqual([TcpFlag.syn, TcpFlag.rst | TcpFlag.ack]);
  });

  it('resets what is open when it is closed', async () => {
    const port = await production((socket) => socket.resume());
    const { relay, packets } = await relayTo(port);
    const socket = client(relay);
    await once(socket, 'connect');
    socket.write('x');
    while (packets.length < 5) await turn();
    await relay.close();
    expect(packets[packets.length - 1].flags & TcpFlag.rst).not.toBe(0);
  });

  it('sends each packet to the mirror by UDP', async () => {
    const mirror = createSocket('udp4');
    mirror.bind(0, '127.0.0.1');
    await once(mirror, 'listening');
    const received: Packet[] = [];
    mirror.on('message', (message) => received.push(read(message)));
    cleanups.push(() => new Promise<void>((resolve) => mirror.close(() => resolve())));

    const port = await production((socket) => socket.pipe(socket));
    const { relay, packets } = await relayTo(port, { mirrorTo: { host: '127.0.0.1', port: mirror.address().port } });
    const socket = client(relay);
    socket.end(noise(20_000, 4));
    await readAll(socket);
    await relay.close();
    while (received.length < packets.length) await turn();
    expect(received).toEqual(packets);
    expect(relay.packetsDropped).toBe(0);
  });

  it.runIf(process.platform === 'linux')('tells clients at different addresses apart', async () => {
    const port = await production((socket) => socket.end());
    const { relay, packets } = await relayTo(port);
    for (const address of ['127.0.0.7', '127.0.0.8']) {
      const socket = client(relay, address);
      socket.end();
      await readAll(socket);
    }
    const hosts = packets.filter(({ flags }) => flags === TcpFlag.syn).map(({ from }) => from.split(':')[0]);
    expect(hosts).toEqual(['10.0.2.7', '10.0.2.8']);
  });
});
