import type { IncompleteReason } from '../ledger/outcome.ts';
import type { Connection, Direction } from '../tcp/connection.ts';
import type { MessageHead } from './head.ts';

export type { IncompleteReason };

/** Why a head was never whole: as for messages, or it was longer than the limit. */
export type PartialHeadReason = IncompleteReason | 'too_large';

/** How the body of a message is delimited (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** Why a message's framing must not be trusted to mean the same to two servers; see docs/architecture.md. */
export type Ambiguity =
  | 'length_and_chunked'
  | 'conflicting_lengths'
  | 'invalid_length'
  | 'invalid_transfer_coding'
  | 'invalid_chunk'
  | 'bare_cr'
  | 'obsolete_fold'
  | 'invalid_header'
  | 'invalid_request_line';

export interface Body {
  framing: Framing;
  /** Length after the transfer coding is removed; what was seen of it when the message is incomplete. */
  bytes: number;
  /** Lower-case hex SHA-256 of the same bytes, or null when hashing is off. */
  sha256: string | null;
  /**
   * The body as it was on the wire, with chunk framing and trailers, in order; null when it was not kept: keeping is
   * off, or it is larger than the limit (`tooLarge`).
   */
  wire: Buffer[] | null;
  /** Bytes on the wire, with chunk framing and trailers. */
  wireBytes: number;
  tooLarge: boolean;
}

/** One request or response whose head was seen whole. */
export interface Message {
  head: MessageHead;
  body: Body;
  /** Capture time of the first and of the last byte, microseconds since the epoch. */
  startUs: number;
  endUs: number;
  /** Sequence number of the first byte and of the byte behind the last. */
  startSequence: number;
  endSequence: number;
  /** `complete`, or why not. */
  outcome: 'complete' | IncompleteReason;
  /** Null when the framing is sound. */
  ambiguity: Ambiguity | null;
}

/** One request and, once it was seen, production's final response to it. */
export interface Exchange {
  connection: Connection<unknown>;
  /** Which endpoint is the client. */
  client: Direction;
  /** Position among the requests of its connection, from 0. */
  index: number;
  request: Message;
  response: Message | null;
  /** How far this is what production really saw and answered: bits of `Fidelity`, as of now. */
  fidelity: number;
}

/** Traffic on a connection that is recognised and not parsed as HTTP/1. */
export const otherProtocols = ['tls', 'http2', 'websocket', 'tunnel', 'upgrade', 'unknown'] as const;
export type OtherProtocol = (typeof otherProtocols)[number];

/**
 * What the HTTP stage reports. Each `request` is followed by exactly one of `response` and `unanswered` for the same
 * exchange, unless the response had been seen whole before the request ended: then `response` follows at once.
 */
export interface ExchangeHandler {
  /** A request head is whole; the body may still be coming. The exchange object stays the same to its end. */
  requestHead(exchange: Exchange): void;
  /** The request ended, complete or not. */
  request(exchange: Exchange): void;
  /** The final response ended, complete or not; `exchange.response` is set. */
  response(exchange: Exchange): void;
  /** The connection ended, or bytes were lost, without a response that could be paired. */
  unanswered(exchange: Exchange): void;
  /** A final response ended whose request was not seen. */
  orphanResponse(connection: Connection<unknown>, response: Message): void;
  /** A message began, but its head was never whole. */
  partialHead(connection: Connection<unknown>, kind: 'request' | 'response', reason: PartialHeadReason): void;
  /** A connection was recognised as something else; called once a connection. */
  other(connection: Connection<unknown>, protocol: OtherProtocol): void;
  /** Payload bytes that belong to no message: before the first provable start, or behind a gap until the next one. */
  skipped(connection: Connection<unknown>, direction: Direction, bytes: number): void;
}
