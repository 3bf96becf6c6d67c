/**
 * The public face of replay: a target takes requests in the form in which they go out, and settles each exactly once.
 */
import type { DropReason, FailReason } from '../ledger/outcome.ts';

export type { DropReason, FailReason };

/** A request ready to be sent. `bytes` are exactly what goes on the wire; nobody looks at them before they go. */
export interface OutgoingRequest {
  bytes: Buffer[];
  /** Sum of the lengths in `bytes`, or near it when those are made late. */
  length: number;
  /** HEAD, CONNECT and the like change how the response is framed. */
  method: string;
  /** Requests of one lane keep their order and never overlap; null for no order. The production connection, usually. */
  lane: object | null;
  /** Capture time of its first byte, microseconds since the epoch. */
  timeUs: number;
  /** The probability with which requests like it are replayed, above 0 and at most 1: it stands for 1 / probability. */
  probability: number;
}

/** The target's final answer, read to its end. */
export interface ReplayResponse {
  status: number;
  /** Raw head as received, from status line through the empty line. */
  head: Buffer;
  /** Body bytes after the transfer coding is removed, when kept, else null. */
  body: Buffer | null;
  bodyBytes: number;
  /** Milliseconds (fractions) on the monotonic clock; `queuedAtMs` is when it was due where there is a `pace`. */
  queuedAtMs: number;
  sentAtMs: number;
  firstByteAtMs: number;
  endAtMs: number;
}

export type ReplayResult =
  | { outcome: 'replayed'; response: ReplayResponse }
  | { outcome: 'failed'; reason: FailReason; detail: string }
  | { outcome: 'dropped'; reason: DropReason }
  | { outcome: 'blocked'; guard: 'production' | 'kill_switch' };

/** As far apart as they were captured, divided by `speed`; or evenly, so many a second. */
export type Pace = { speed: number } | { perSecond: number };

export interface TargetOptions {
  name: string;
  url: URL;
  /** PEM text of the only certificate authorities to trust for https; undefined: the system's. */
  ca?: string;
  /** Connections open at once. */
  connectionsMax: number;
  /** Requests in flight at once. A connection carries one, so that `connectionsMax` is a bound on them too. */
  inFlightMax: number;
  /** Requests waiting for their time, for a connection or for their turn in their lane. */
  queueRequestsMax: number;
  /** Bytes of the requests that wait or are in flight; a request larger than this is never sent. */
  queueBytesMax: number;
  /** For a connection, with name lookup, every address tried and the TLS handshake. */
  connectTimeoutMs: number;
  /** From the first byte out to the last byte in. */
  responseTimeoutMs: number;
  /** An idle connection is closed after this long. */
  idleTimeoutMs: number;
  /** A connection takes no further request after this long, and names are resolved again. */
  connectionAgeMaxMs: number;
  /** Response bodies up to this many bytes are kept; 0 keeps none. */
  keepBodyBytesMax: number;
  /** When requests go out; null: when they come. */
  pace: Pace | null;
  /** Hears of each request that goes out, where there is a pace, by how many milliseconds it is behind its time. */
  sentLate?: (ms: number) => void;
  /**
   * Addresses to which no connection may be made, asked with what `plainAddress` makes of each before connecting to it.
   * See `ReplayTarget.recheck`.
   */
  refused?: (address: string, port: number) => boolean;
  /** Turns the URL's host name into addresses; undefined: the system's resolver. */
  resolve?: Resolver;
}

/** All addresses of a host name; rejects when there is none. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;
