/** What the parts of a mirror sink have in common: who reads the requests, the limits, and what is watched for time. */

/** The two ends of a connection to the sink. */
export interface SinkEnds {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
}

/** Reads the requests of one connection, or the one request of an HTTP/2 stream. */
export interface SinkReader {
  /** Reads on and returns what to write now, latin1; empty for nothing. `bytes` is valid during the call only. */
  read(bytes: Buffer, timeUs: number): string;
  /** Nothing more will come; `timedOut` when it is us who gave up. Called exactly once. */
  end(timedOut: boolean, timeUs: number): void;
  /** Nothing more can be read: the connection is to be closed behind the last answer. */
  readonly over: boolean;
  /** What is waited for next. */
  readonly waitingFor: 'request' | 'head' | 'body';
}

export type OpenReader = (ends: SinkEnds, http2: boolean) => SinkReader;

export interface SinkLimits {
  connectionsMax: number;
  /** HTTP/2 requests of one connection at a time. */
  streamsMax: number;
  /** Longer than the 60 s for which nginx keeps an idle connection, so that it is the proxy that closes it. */
  idleMsMax: number;
  headMsMax: number;
  bodyMsMax: number;
  /** Answers that a client does not read: no more is read from it meanwhile. */
  unreadBytesMax: number;
}

export const defaultSinkLimits: SinkLimits = {
  connectionsMax: 4_096,
  streamsMax: 256,
  idleMsMax: 180_000,
  headMsMax: 10_000,
  bodyMsMax: 60_000,
  unreadBytesMax: 65_536,
};

export interface SinkCounters {
  connections: number;
  /** Closed at once, because there were too many. */
  refused: number;
  /** Cut off in the middle of a request that took too long. */
  timedOut: number;
  /** HTTP/2 requests that HTTP/1.1 has no form for. */
  untranslatable: number;
}

/** Something that may take too long: a connection, or a stream of one. */
export interface Watched {
  readonly waitingFor: SinkReader['waitingFor'] | 'closing';
  /** Since when it waits for that. */
  readonly sinceMs: number;
  cutOff(timedOut: boolean): void;
}

/** What all connections of a sink share. */
export interface SinkContext {
  readonly limits: SinkLimits;
  readonly counters: SinkCounters;
  readonly open: OpenReader;
  /** Everything that waits for bytes. */
  readonly watched: Set<Watched>;
  /** The sink stops: no further request is taken on a connection. */
  readonly closing: boolean;
}

/** Microseconds since the epoch. */
export function nowUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1_000);
}
