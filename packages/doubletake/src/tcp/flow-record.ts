/**
 * Layout of a flow's record: 32 words of 32 bits in one Int32Array, two cache lines a flow.
 *
 * Words 0 to 10 are the key, 11 to 15 belong to the index, two blocks of six words hold the state of the two streams
 * (endpoint 0's, then endpoint 1's). Sequence numbers are held as signed words: the same 32 bits.
 */

export const recordWords = 32;

export const Word = {
  /** Eight words: the address of endpoint 0, then of endpoint 1. */
  addresses: 0,
  /** Port of endpoint 0 in the high half, of endpoint 1 in the low half. */
  ports: 8,
  /** Low 32 bits of the tunnel id. */
  tunnel: 9,
  /** Tunnel kind in the high 8 bits, VLAN stack in the low 24. */
  scope: 10,
  hash: 11,
  /** Neighbours in the list of the flow's phase. */
  older: 12,
  newer: 13,
  /** Second in which the flow last saw a segment. */
  touchedS: 14,
  phase: 15,
  streams: 16,
  /** `Connection.initiator`. */
  initiator: 28,
} as const;

export const streamWords = 6;

/** Words of one stream: the bytes that one endpoint sends. */
export const StreamWord = {
  /** Sequence number of the next byte to deliver; behind the FIN once the stream ended. Valid with `known`. */
  next: 0,
  /** Sequence number of the first byte: behind the SYN, or where the stream was picked up. Valid with `known`. */
  start: 1,
  /** Sequence number of the FIN. Valid with `finSeen`. */
  fin: 2,
  /** Highest acknowledgement by the peer while `next` is not known. Valid with `acknowledged`. */
  acknowledged: 3,
  /** End of the last segment that was implausibly far away. Valid with `jumped`. */
  jump: 4,
  flags: 5,
} as const;

export const StreamFlag = {
  /** `next` and `start` are valid. */
  known: 1,
  /** A segment of this endpoint was seen. */
  seen: 2,
  synSeen: 4,
  finSeen: 8,
  /** `end` was reached, or the connection is closed: nothing more is delivered. */
  ended: 16,
  /** There is a backlog: a hole, or bytes whose place is not known. */
  held: 32,
  acknowledged: 64,
  jumped: 128,
} as const;

/** Phases of a flow; each has its own list from the longest untouched to the latest. */
export const Phase = {
  /** No payload was delivered yet. */
  halfOpen: 0,
  /** A `Connection` exists. */
  active: 1,
  /** The `Connection` was freed as idle; sequence numbers are kept. */
  dormant: 2,
  /** Closed; remembered to recognise late retransmissions. */
  closed: 3,
  /** As active, but the sender is done and the peer has been silent from the SYN on: likely not in the capture. */
  lone: 4,
} as const;
export const phases = 5;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Index of the first word of a stream's block. */
export function streamAt(slot: number, direction: number): number {
  return slot * recordWords + Word.streams + direction * streamWords;
}
