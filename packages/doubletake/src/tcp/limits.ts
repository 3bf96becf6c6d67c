/**
 * Every bound and waiting time of the flow table, with its default.
 *
 * Byte bounds count what held segments cost in memory: their bytes plus a fixed overhead each, so that a flood of
 * one-byte segments is bounded too. Times are compared with packet times and with the time given to `tick`.
 */

export interface FlowLimits {
  /** Flows remembered at once: open, half-open and recently closed. The oldest is evicted for a new one. */
  connectionsMax: number;
  /** Bytes held behind holes in one direction of one connection; above it the oldest hole is given up. */
  streamBufferBytesMax: number;
  /** Bytes held behind holes in all connections; above it the oldest hole of all is given up. */
  totalBufferBytesMax: number;
  /**
   * How long a hole waits once the peer has acknowledged the missing bytes and a round trip has shown it: the mirror may
   * deliver the two directions milliseconds apart, and round trips within a data centre are shorter than that.
   */
  holeProofUs: number;
  /** The same without the round trip. */
  holeGraceUs: number;
  /** How long a hole waits while nothing is seen from the peer (capture of one direction only). */
  holeTimeoutUs: number;
  /** How long a hole waits while the peer is seen and has not acknowledged: the sender is going to retransmit. */
  holeTimeoutMaxUs: number;
  /** After this long without a segment the connection's objects are freed; its sequence numbers are kept. */
  idleUs: number;
  /** How long a flow is remembered that carries no payload, is closed, or is finished by the one side that is seen. */
  quietUs: number;
  /** Seed of the flow hash. A process that reads hostile traffic passes a random one. */
  hashSeed: number;
  /**
   * Whether `bytes[start..end)` may begin a message. Asked for the first payload of a direction whose beginning was not
   * seen: when it may not, the segment waits a little for an earlier one that the mirror delivered late.
   */
  canStart: (bytes: Buffer, start: number, end: number) => boolean;
}

const defaults: FlowLimits = {
  connectionsMax: 262_144,
  streamBufferBytesMax: 4 * 1024 * 1024,
  totalBufferBytesMax: 128 * 1024 * 1024,
  holeProofUs: 5_000,
  holeGraceUs: 20_000,
  holeTimeoutUs: 1_000_000,
  holeTimeoutMaxUs: 10_000_000,
  idleUs: 3_600_000_000,
  quietUs: 120_000_000,
  hashSeed: 0,
  canStart: () => true,
};

/** For captures read from a file, where nobody waits: disorder of up to a second is put right. */
export const fileFlowLimits: Pick<FlowLimits, 'holeProofUs' | 'holeGraceUs'> = {
  holeProofUs: 1_000_000,
  holeGraceUs: 1_000_000,
};

/** The given limits over the defaults. Throws a RangeError for a bound that is no non-negative number. */
export function resolveLimits(options: Partial<FlowLimits>): FlowLimits {
  const limits = { ...defaults, ...options };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && !(value >= 0)) throw new RangeError(`${name} must not be negative: ${value}`);
  }
  if (!Number.isInteger(limits.connectionsMax) || limits.connectionsMax < 1 || limits.connectionsMax > 2 ** 24) {
    throw new RangeError(`connectionsMax must be between 1 and ${2 ** 24}: ${limits.connectionsMax}`);
  }
  return limits;
}
