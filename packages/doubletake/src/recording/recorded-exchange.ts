/**
 * What a recording holds of a request and of production's response to it, whatever the file format: plain values, in the
 * bytes in which they were on the wire (after sanitizing), with when and on which connection.
 */
import type { Framing, IncompleteReason } from '../http/exchange.ts';

/** A request or a response. */
export interface RecordedMessage {
  /** Start line through empty line, as it came. */
  head: Buffer;
  /** The body as it was on the wire, with chunk framing and trailers; null where it is not in the recording. */
  body: Buffer | null;
  /** Bytes that the body had on the wire; those of `body` where it is there. */
  bodyBytes: number;
  framing: Framing;
  /** Times of the first and of the last byte, microseconds since the epoch. */
  startUs: number;
  endUs: number;
  /** `complete`, or why it is not whole. */
  outcome: 'complete' | IncompleteReason;
}

export interface RecordedEndpoint {
  /** IPv4 or IPv6 address, without brackets. */
  address: string;
  port: number;
}

/** The connection on which production served an exchange. */
export interface RecordedConnection {
  /** The same for all exchanges of a connection, and for no others in any recording. */
  key: string;
  /** `client:port>server:port`, as `inspect` prints it; connections may share it, one after the other. */
  label: string;
  client: RecordedEndpoint;
  server: RecordedEndpoint;
  /** Network identifier of the tunnel and VLAN id in which it was seen; 0 for none. */
  tunnel: number;
  vlan: number;
}

export interface RecordedExchange {
  connection: RecordedConnection;
  /** Position among the requests of its connection, from 0. */
  index: number;
  request: RecordedMessage;
  /** Production's final response; null when none was seen. */
  response: RecordedMessage | null;
  /** How far this is what production saw and answered: bits of `Fidelity` in http/fidelity.ts. */
  fidelity: number;
  /** With which probability it came into the sample, above 0 and at most 1. */
  probability: number;
}
