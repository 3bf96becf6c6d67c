/** Limits of the HTTP stage and what it counts; one object of each for all connections of a pipeline. */

export interface HttpLimits {
  /** Wire bytes kept of a request body; a larger body is read on, not kept. */
  requestBodyBytesMax: number;
  /** The same for response bodies; 0 keeps none. */
  responseBodyBytesMax: number;
  /** SHA-256 of each body. */
  hashBodies: boolean;
  /** A head longer than this is given up. */
  headBytesMax: number;
  /** Requests of one connection that wait for their response; 0 where the source carries none. */
  pendingMax: number;
  /** Bytes held by unfinished messages of all connections. */
  keptBytesMax: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  requestBodyBytesMax: 64 * 1024 * 1024,
  responseBodyBytesMax: 0,
  hashBodies: false,
  headBytesMax: 256 * 1024,
  pendingMax: 1024,
  keptBytesMax: 256 * 1024 * 1024,
};

export class HttpCounters {
  connections = 0;
  /** Heads seen whole. */
  requests = 0;
  responses = 0;
  interimResponses = 0;
  orphanResponses = 0;
  unanswered = 0;
  incompleteRequests = 0;
  incompleteResponses = 0;
  ambiguousRequests = 0;
  partialHeads = 0;
  /** Heads given up because of `headBytesMax` or `keptBytesMax`. */
  headsTooLarge = 0;
  /** Bodies not kept because of their own limit. */
  bodiesTooLarge = 0;
  /** Bodies not kept because all connections together held too much. */
  bodiesCrowdedOut = 0;
  /** Requests counted as unanswered because `pendingMax` was reached. */
  pendingEvicted = 0;
  /** Times that responses went on without the request bytes that they acknowledge, for want of room to wait. */
  heldTooLong = 0;
  skippedBytes = 0;
}
