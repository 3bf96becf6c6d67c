/**
 * A TCP relay that mirrors what it relays: the stand-in for a cloud's traffic mirroring, without privileges.
 *
 * Clients connect to the relay, it connects to production and passes bytes both ways, unchanged and with backpressure.
 * What it relays it also emits as VXLAN packets (RFC 7348), as if a mirror session stood between client and server:
 * handshake, data segments, acknowledgements, FIN and RST with consistent numbers. Mirroring never slows the relay:
 * packets that the mirror's socket cannot take any more are dropped and counted, as a cloud does.
 *
 * Inside the packets the server is `10.0.1.10:80` (`innerServer`) and a client is `10.0.2.X` with its real port, X being
 * the last octet of its real address: clients bound to different loopback addresses are different hosts.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { HostPort } from '../host-port.ts';
import { resetSocket } from '../socket-reset.ts';
import { framePayloadBytesMax, parseIpv4 } from './frames.ts';
import { listen } from './listen.ts';
import { MirroredConnection, type Side } from './mirrored-connection.ts';

export interface MirroringRelayOptions {
  /** Where clients connect; default `127.0.0.1` and a port of the system's choosing. */
  listen?: HostPort;
  /** Where the relay connects to, once for each client connection. */
  production: HostPort;
  /** Where the VXLAN packets go: the mirror. Either this or `onPacket`, or both. */
  mirrorTo?: HostPort;
  /** Gets each packet (VXLAN header and frame, a buffer of its own): for capturing, dropping and reordering. */
  onPacket?: (packet: Buffer) => void;
  /** VXLAN network identifier; default 1. */
  vni?: number;
  /** Payload of a segment at most, 1 to 65,445; default 1460. Above 8,900 it looks like an offloaded super-frame. */
  segmentBytesMax?: number;
  /** The server as the packets show it; default `10.0.1.10:80`. */
  innerServer?: HostPort;
  /** Bytes waiting for the mirror's socket at most; what goes beyond is dropped and counted. Default 8 MiB. */
  mirrorQueueBytesMax?: number;
}

export interface MirroringRelay {
  readonly host: string;
  readonly port: number;
  /** Packets handed to the network and to `onPacket` so far. */
  readonly packetsSent: number;
  /** Packets that the mirror's socket had no room for, or refused. */
  readonly packetsDropped: number;
  /** Client connections accepted so far. */
  readonly connections: number;
  /** Resets what is open, sends the last packets and frees both ports. */
  close(): Promise<void>;
}

/** Starts a relay; it takes connections when the promise resolves. Rejects when the address cannot be bound. */
export async function startMirroringRelay(options: MirroringRelayOptions): Promise<MirroringRelay> {
  const { production, onPacket, vni = 1, segmentBytesMax = 1460 } = options;
  const listenAt = options.listen ?? { host: '127.0.0.1', port: 0 };
  const inner = options.innerServer ?? { host: '10.0.1.10', port: 80 };
  const innerAddress = parseIpv4(inner.host);
  if (!Number.isInteger(vni) || vni < 0 || vni > 0xff_ffff) throw new RangeError(`not a VXLAN network: ${vni}`);
  if (!Number.isInteger(segmentBytesMax) || segmentBytesMax < 1 || segmentBytesMax > framePayloadBytesMax) {
    throw new RangeError(`segmentBytesMax has to be 1 to ${framePayloadBytesMax}: ${segmentBytesMax}`);
  }
  const udp = options.mirrorTo && (await openPacketSender(options.mirrorTo, options.mirrorQueueBytesMax ?? 8 << 20));
  const sockets = new Set<Socket>();
  let packetsSent = 0;
  let connections = 0;
  let closing: Promise<void> | undefined;

  const emit = (packet: Buffer): void => {
    onPacket?.(packet);
    if (!udp || udp.send(packet)) packetsSent++;
  };

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    if (closing !== undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ ...production, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    const mirrored = new MirroredConnection(
      {
        vni,
        sourceAddress: parseIpv4('10.0.2.0') + lastOctet(client.remoteAddress),
        sourcePort: client.remotePort ?? 0,
        destinationAddress: innerAddress,
        destinationPort: inner.port,
      },
      initialSequences(connections++),
      segmentBytesMax,
      emit,
    );
    relay(client, upstream, mirrored);
  });
  const { address, port } = await listen(server, listenAt.port, listenAt.host).catch(async (error: unknown) => {
    await udp?.close();
    throw error;
  });

  return {
    host: address,
    port,
    get packetsSent() {
      return packetsSent;
    },
    get packetsDropped() {
      return udp?.dropped ?? 0;
    },
    get connections() {
      return connections;
    },
    close() {
      closing ??= closeAll(server, sockets).then(() => udp?.close());
      return closing;
    },
  };
}

async function closeAll(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed: Promise<void>[] = [new Promise((resolve) => server.close(() => resolve()))];
  for (const socket of sockets) {
    closed.push(new Promise((resolve) => socket.once('close', () => resolve())));
    resetSocket(socket);
  }
  await Promise.all(closed);
}

/** Joins the two sockets of one connection and tells `mirrored` what happens on them. */
function relay(client: Socket, upstream: Socket, mirrored: MirroredConnection): void {
  mirrored.open();
  upstream.once('connect', () => {
    mirrored.accept();
    oneWay('client', client, upstream, mirrored);
    oneWay('server', upstream, client, mirrored);
  });
  breakTogether('client', client, upstream, mirrored);
  breakTogether('server', upstream, client, mirrored);
}

/** The listeners stand before the pipe, so that a packet is mirrored before the other side can answer it. */
function oneWay(side: Side, from: Socket, to: Socket, mirrored: MirroredConnection): void {
  from.on('data', (bytes) => mirrored.data(side, bytes));
  from.on('end', () => mirrored.finish(side));
  from.pipe(to);
}

/** A side that ends without FIN, or that cannot be reached, takes the other one with it. */
function breakTogether(side: Side, from: Socket, to: Socket, mirrored: MirroredConnection): void {
  // What went wrong does not matter to a relay: a 'close' follows every 'error'.
  from.on('error', () => {});
  from.on('close', (hadError) => {
    if (!hadError && from.readableEnded && from.writableFinished) return;
    mirrored.reset(side);
    resetSocket(to);
  });
}

interface PacketSender {
  readonly dropped: number;
  /** False when the packet was dropped because the queue is full. */
  send(packet: Buffer): boolean;
  /** Waits for what is queued, then closes. */
  close(): Promise<void>;
}

async function openPacketSender(to: HostPort, queueBytesMax: number): Promise<PacketSender> {
  const socket: UdpSocket = createSocket({ type: isIPv6(to.host) ? 'udp6' : 'udp4' });
  // Without a receiver the system reports a refused packet on a later send, which is its callback's business.
  socket.on('error', () => {});
  socket.connect(to.port, to.host);
  await once(socket, 'connect');
  let dropped = 0;
  let pending = 0;
  let idle: (() => void) | undefined;
  const sent = (error: Error | null): void => {
    if (error) dropped++;
    if (--pending === 0) idle?.();
  };
  return {
    get dropped() {
      return dropped;
    },
    send(packet) {
      if (socket.getSendQueueSize() + packet.length > queueBytesMax) {
        dropped++;
        return false;
      }
      pending++;
      socket.send(packet, sent);
      return true;
    },
    async close() {
      if (pending > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

/** Well spread and the same in every run. */
function initialSequences(connection: number): Record<Side, number> {
  return {
    client: Math.imul(connection + 1, 0x9e37_79b1) >>> 0,
    server: Math.imul(connection + 1, 0x85eb_ca6b) >>> 0,
  };
}

function lastOctet(address = ''): number {
  return Number(/\.(\d+)$/.exec(address)?.[1] ?? 1);
}
