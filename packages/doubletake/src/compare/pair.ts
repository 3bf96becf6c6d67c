/**
 * What is compared: a request and what two versions answered to it. Both answers are measured alike, and both have been
 * made safe with the same key, so that a pseudonym is the same on both sides.
 */

/** Why there is no whole answer. `connect`, `timeout`, `reset` and `protocol` as in the ledger. */
export type AnswerFailure = 'connect' | 'timeout' | 'reset' | 'protocol';

/** One version's answer to a request. */
export interface Answer {
  /** Status code; 0 when there was no whole answer. */
  status: number;
  failure: AnswerFailure | null;
  /** Names and values in order, as they were sent, latin1. */
  headers: readonly (readonly [name: string, value: string])[];
  /**
   * Content without transfer coding, its content coding still on; null when it was not kept: there is none, or it is
   * longer than the bound.
   */
  body: Buffer | null;
  /** Whole length in bytes of the same. */
  bodyBytes: number;
  /** Lower-case hex SHA-256 of the whole, when it was not kept; null otherwise. */
  bodySha256: string | null;
  /** From the last byte of the request to the first and to the last byte of the answer, milliseconds. */
  firstByteMs: number;
  totalMs: number;
}

/** Which two are set against each other. */
export type PairKind =
  /** The version in production against the candidate. */
  | 'candidate'
  /** The same version against itself: what differs here is noise. */
  | 'noise';

export interface Pair {
  kind: PairKind;
  /** The replay's id (X-Doubletake-Id); of a noise pair with what makes it another's. */
  id: string;
  /** Capture time of the request's first byte, microseconds since the epoch. */
  timeUs: number;
  /** Requests with the same text belong to one client's session: the production connection, usually. */
  session: string;
  method: string;
  /** Host that was asked for, lower case. */
  host: string;
  /** Path and query as they were replayed. */
  target: string;
  /** Head and body as they were replayed, up to a bound: enough to send it again. */
  request: Buffer;
  /** The probability with which requests like it are compared, above 0 and at most 1: it stands for 1 / probability. */
  probability: number;
  baseline: Answer;
  candidate: Answer;
}
