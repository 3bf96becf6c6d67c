/**
 * Sequence numbers (RFC 9293 section 3.4): 32 bits that wrap. Every comparison of sequence numbers goes through here.
 * Numbers are held unsigned; the distance is right for signed words of the same 32 bits too.
 */

/** Distance from `from` to `to`, positive when `to` is ahead; within -2^31 .. 2^31 - 1. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `sequence` moved on by `length` bytes. */
export function sequenceAdd(sequence: number, length: number): number {
  return (sequence + length) >>> 0;
}
