/**
 * What the flow table counts. All fields are plain numbers that only the table writes.
 *
 * Every payload byte pushed is in exactly one place: `payloadBytes = deliveredBytes + retransmittedBytes +
 * beforeStartBytes + ignoredBytes + ` the payload held behind holes (none after `flush`).
 */

/** Why bytes of a stream will never be seen. */
export type GapCause =
  /** Production's receiver had them, or nothing brought them in time, or the connection ended. */
  | 'lost'
  /** The mirror cut the packet. */
  | 'truncated'
  /** A bound on memory was reached. */
  | 'evicted';

export class FlowCounters {
  segments = 0;
  /** Captured payload bytes in all segments. */
  payloadBytes = 0;
  deliveredBytes = 0;
  /** Segments that brought bytes which were there before, and how many such bytes. */
  retransmittedSegments = 0;
  retransmittedBytes = 0;
  /** Among the retransmitted bytes: those that differed from the held ones. The first ones seen were kept. */
  conflictingBytes = 0;
  /** Bytes from before the place where a connection was picked up. */
  beforeStartBytes = 0;
  /** Bytes dropped because no open stream can hold them; the segment counters below say why. */
  ignoredBytes = 0;
  /** After the connection or its direction was closed, including bytes beyond a FIN. */
  afterCloseSegments = 0;
  /** Sequence number too far from the stream to be part of it. */
  implausibleSegments = 0;
  /** Neither payload nor SYN, and of no known flow. */
  straySegments = 0;
  outOfOrderSegments = 0;

  syn = 0;
  rst = 0;
  /** Resets whose sequence number is not of this connection. */
  resetsIgnored = 0;

  /** Connections that carried payload, and how they ended. */
  opened = 0;
  closedFin = 0;
  closedReset = 0;
  closedReused = 0;
  closedEvicted = 0;
  closedIdle = 0;
  closedFlushed = 0;
  /** Flows forgotten for lack of room, with or without payload. */
  evictedFlows = 0;
  /** Now: connections that carry payload, and flows that have not yet. */
  active = 0;
  halfOpen = 0;

  gapsLost = 0;
  gapsTruncated = 0;
  gapsEvicted = 0;
  gapBytesLost = 0;
  gapBytesTruncated = 0;
  gapBytesEvicted = 0;

  /** Memory held behind holes, with overhead: now and at most. */
  bufferedBytes = 0;
  bufferedBytesPeak = 0;
}
