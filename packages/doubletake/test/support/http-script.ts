/**
 * Conversations for tests of the HTTP stage, without TCP: what each side sends, what is lost, who ends, and the events
 * that come out, as lines that read like the conversation.
 *
 *     const events = play([{ client: 'GET / HTTP/1.1\r\n\r\n' }, { server: 'HTTP/1.1 204 No Content\r\n\r\n' }]);
 *     // ['request 0 GET / none 0 complete', 'response 0 204 none 0 complete']
 *
 * Each step is one segment unless `cut` says how to split it. Sequence and acknowledgement numbers run as they would.
 */
import { Connection, type Direction } from '../../src/tcp/connection.ts';
import { sequenceAdd } from '../../src/tcp/sequence.ts';
import { ExchangeAssembler } from '../../src/http/assembler.ts';
import type { Conversation } from '../../src/http/conversation.ts';
import type { HttpLimits } from '../../src/http/counters.ts';
import type { Exchange, ExchangeHandler, Message } from '../../src/http/exchange.ts';

export type Step =
  | { client: string | Buffer; ack?: number }
  | { server: string | Buffer; ack?: number }
  | { clientGap: number }
  | { serverGap: number }
  | { end: 'client' | 'server' }
  /** Bytes of the client that were sent, and are delivered only later. */
  | { late: number };

/** Splits the bytes of a step into the segments that carry them. */
export type Cut = (bytes: Buffer) => Buffer[];

export interface PlayOptions {
  /** The connection's beginning was seen; default true. */
  syn?: boolean;
  cut?: Cut;
  limits?: Partial<HttpLimits>;
  close?: 'fin' | 'reset' | 'flushed';
  /** Sequence numbers of the first byte of the client and of the server. */
  sequences?: [number, number];
  /** What was played before, by the conversation that is used again; its limits stay. */
  behind?: Played;
}

export const whole: Cut = (bytes) => [bytes];
export const bytewise: Cut = (bytes) => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
export const cutAt =
  (position: number): Cut =>
  (bytes) =>
    position > 0 && position < bytes.length ? [bytes.subarray(0, position), bytes.subarray(position)] : [bytes];

/** Records what the HTTP stage reports. */
export class Recorder implements ExchangeHandler {
  readonly events: string[] = [];
  readonly exchanges: Exchange[] = [];
  readonly orphans: Message[] = [];
  skippedBytes = 0;

  requestHead(exchange: Exchange): void {
    this.exchanges.push(exchange);
  }
  request(exchange: Exchange): void {
    this.events.push(`request ${exchange.index} ${describe(exchange.request)}`);
  }
  response(exchange: Exchange): void {
    if (exchange.response === null) throw new Error('response without one');
    this.events.push(`response ${exchange.index} ${describe(exchange.response)}`);
  }
  unanswered(exchange: Exchange): void {
    this.events.push(`unanswered ${exchange.index}`);
  }
  orphanResponse(_connection: unknown, response: Message): void {
    this.orphans.push(response);
    this.events.push(`orphan ${describe(response)}`);
  }
  partialHead(_connection: unknown, kind: string, reason: string): void {
    this.events.push(`partial ${kind} ${reason}`);
  }
  other(_connection: unknown, protocol: string): void {
    this.events.push(`other ${protocol}`);
  }
  skipped(_connection: unknown, _direction: Direction, bytes: number): void {
    this.skippedBytes += bytes;
  }
}

/** Method and target or status, framing, body bytes, outcome, and the ambiguity if there is one. */
export function describe(message: Message): string {
  const { head, body, outcome, ambiguity } = message;
  const start = head.status === 0 ? `${head.method} ${head.target}` : `${head.status}`;
  const doubt = ambiguity === null ? '' : ` ${ambiguity}`;
  return `${start} ${body.framing} ${body.bytes} ${outcome}${doubt}`;
}

export interface Played {
  events: string[];
  recorder: Recorder;
  assembler: ExchangeAssembler;
  /** It was closed. */
  conversation: Conversation;
}

/** Plays a conversation; the client is endpoint 0. */
export function playInto(steps: Step[], options: PlayOptions = {}): Played {
  const { behind } = options;
  const recorder = behind?.recorder ?? new Recorder();
  const eventsBefore = recorder.events.length;
  const assembler = behind?.assembler ?? new ExchangeAssembler(recorder, { requestBodyBytesMax: 1 << 20, ...options.limits });
  const initiator = options.syn === false ? -1 : 0;
  const connection = new Connection<Conversation>(1, 0, 0, new Int32Array(8), [40_000, 80], initiator);
  connection.state = behind === undefined ? assembler.open(connection) : assembler.reopen(behind.conversation, connection);
  const next = [...(options.sequences ?? [1_000, 5_000])];
  /** What the other side has received of each side: its delivered stream unless a step says otherwise. */
  const delivered = [...next];
  let timeUs = 1;
  const send = (direction: Direction, data: string | Buffer, ack: number | undefined): void => {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    for (const piece of (options.cut ?? whole)(bytes)) {
      // Surrounded by other bytes, as in a packet, so that a reader that runs past the end is found out.
      const packet = Buffer.concat([Buffer.from('\r\n\r\n'), piece, Buffer.from('HTTP/1.1 \r\n\r\n')]);
      const acknowledgement = ack ?? delivered[1 - direction];
      const end = 4 + piece.length;
      assembler.data(connection, direction, packet, 4, end, timeUs++, next[direction], acknowledgement, true);
      packet.fill(0x58);
      next[direction] = sequenceAdd(next[direction], piece.length);
      delivered[direction] = next[direction];
    }
  };
  const gap = (direction: Direction, length: number): void => {
    assembler.gap(connection, direction, length, timeUs++, next[direction]);
    next[direction] = sequenceAdd(next[direction], length);
    delivered[direction] = next[direction];
  };
  for (const step of steps) {
    if ('client' in step) send(0, step.client, step.ack);
    else if ('server' in step) send(1, step.server, step.ack);
    else if ('clientGap' in step) gap(0, step.clientGap);
    else if ('serverGap' in step) gap(1, step.serverGap);
    else if ('late' in step) delivered[0] = sequenceAdd(delivered[0], step.late);
    else assembler.end(connection, step.end === 'client' ? 0 : 1, timeUs++);
  }
  assembler.close(connection, options.close ?? 'fin', timeUs);
  return { events: recorder.events.slice(eventsBefore), recorder, assembler, conversation: connection.state };
}

export function play(steps: Step[], options: PlayOptions = {}): string[] {
  return playInto(steps, options).events;
}
