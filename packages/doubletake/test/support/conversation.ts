/**
 * A whole TCP connection as a list of packets, for tests that drop, repeat, reorder or cut them.
 *
 *     const packets = conversation({ client: '10.0.2.5:41234', server: '10.0.1.2:80' }, [
 *       { client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
 *       { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
 *     ]);
 *     for (const { frame, timeUs } of packets) ...                          Ethernet frames
 *     packets.map((packet) => ({ ...packet, frame: vxlan(7, packet.frame) }))
 *
 * The packets are: SYN, SYN-ACK, ACK; for each turn its data in segments of at most `mss` bytes, then one ACK of the
 * other side; FIN and ACK of the client, FIN of the server, last ACK. Sequence numbers wrap as in life.
 */
import { TcpFlag } from '../../src/packets/segment.ts';
import { tcpFrame, toBuffer } from './frames.ts';
import type { TcpFrameOptions } from './frames.ts';

type Side = 'client' | 'server';

/** What one side says before the other speaks again. */
export type Turn = { client: Buffer | string } | { server: Buffer | string };

export interface ConversationPacket {
  frame: Buffer;
  timeUs: number;
  from: Side;
  flags: number;
  /** Sequence number of the first payload byte (of the SYN or FIN itself when there is no payload). */
  sequence: number;
  payload: Buffer;
}

export interface ConversationOptions {
  /** `address:port`, with brackets around an IPv6 address. */
  client?: string;
  server?: string;
  clientInitialSequence?: number;
  serverInitialSequence?: number;
  /** Payload bytes in a segment; 1460 by default. */
  mss?: number;
  /** False: the capture began later. */
  handshake?: boolean;
  /** False: the connection stays open. */
  fin?: boolean;
  /** False: no pure ACK after a turn (the acknowledgement rides on the next data). */
  acks?: boolean;
  startUs?: number;
  /** Time from one packet to the next. */
  stepUs?: number;
  /** Further frame options for every packet (VLANs, link type, padding ...). */
  frame?: Omit<TcpFrameOptions, 'payload' | 'sequence' | 'acknowledgement' | 'flags'>;
}

const { fin, syn, psh, ack } = TcpFlag;

export function conversation(options: ConversationOptions, turns: Turn[]): ConversationPacket[] {
  const ends = {
    client: splitEndpoint(options.client ?? '10.0.2.5:41234'),
    server: splitEndpoint(options.server ?? '10.0.1.2:80'),
  };
  const next = { client: options.clientInitialSequence ?? 1000, server: options.serverInitialSequence ?? 5000 };
  const packets: ConversationPacket[] = [];
  let timeUs = options.startUs ?? 1_767_225_600_000_000;

  const emit = (from: Side, flags: number, payload: Buffer): void => {
    const to = from === 'client' ? 'server' : 'client';
    const frame = tcpFrame({
      ...options.frame,
      source: ends[from].host,
      sourcePort: ends[from].port,
      destination: ends[to].host,
      destinationPort: ends[to].port,
      sequence: next[from],
      acknowledgement: (flags & ack) === 0 ? 0 : next[to],
      flags,
      payload,
    });
    packets.push({ frame, timeUs, from, flags, sequence: next[from], payload });
    next[from] = (next[from] + payload.length + ((flags & (syn | fin)) === 0 ? 0 : 1)) >>> 0;
    timeUs += options.stepUs ?? 1000;
  };
  const empty = Buffer.alloc(0);

  if (options.handshake ?? true) {
    emit('client', syn, empty);
    emit('server', syn | ack, empty);
    emit('client', ack, empty);
  }
  for (const turn of turns) {
    const [from, data] = 'client' in turn ? (['client', turn.client] as const) : (['server', turn.server] as const);
    const bytes = toBuffer(data);
    const mss = options.mss ?? 1460;
    for (let offset = 0; offset < bytes.length; offset += mss) {
      const last = offset + mss >= bytes.length;
      emit(from, last ? ack | psh : ack, bytes.subarray(offset, offset + mss));
    }
    if (options.acks ?? true) emit(from === 'client' ? 'server' : 'client', ack, empty);
  }
  if (options.fin ?? true) {
    emit('client', fin | ack, empty);
    emit('server', fin | ack, empty);
    emit('client', ack, empty);
  }
  return packets;
}

function splitEndpoint(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
