import type { OutgoingRequest, ReplayResult } from './target.ts';

/** A request that was accepted and has not settled. */
export interface Pending {
  readonly request: OutgoingRequest;
  readonly settle: (result: ReplayResult) => void;
  /** When it was accepted; with a pace, when it was due. */
  readonly queuedAtMs: number;
  /** With a pace, when it should have gone out, which may be before it came; NaN without one. */
  readonly scheduledMs: number;
  /** It was sent once, on a kept-alive connection that turned out to be dead. */
  retried: boolean;
}
