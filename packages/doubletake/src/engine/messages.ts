/** What the main thread and a worker say to each other. */
import type { MirrorConfig } from '../config/schema.ts';
import type { CopySupply } from './relay-messages.ts';

/** Everything a worker is born with. */
export interface WorkerStart {
  index: number;
  config: MirrorConfig;
  /** This worker's bound descriptor for each source; null where there is none, as for files. */
  descriptors: readonly (number | null)[];
  /** PEM text for each target, in the order of `config.targets`; null for the system's authorities. */
  authorities: readonly (string | null)[];
  /** This worker's end of the relay; null when there is no proxy. */
  copies: CopySupply | null;
  /** Where the ledger's row is published. */
  shared: SharedArrayBuffer;
  /** Distinguishes the ids that this run gives to requests. */
  runId: string;
}

export type ToWorker =
  /** Stop the capture, drain for at most this long, then end. */
  | { type: 'stop'; drainMs: number }
  /** Decide by this policy from the next request on. */
  | { type: 'reload'; policy: MirrorConfig['policy'] }
  /** Give up what is still under way. */
  | { type: 'abort' };

export type FromWorker =
  /** By source: what it listens on, as in the ready line; null where another worker has it. */
  | { type: 'ready'; addresses: (string | null)[] }
  | { type: 'warning'; text: string }
  /** This worker's sources are files, all read to the end, and every request in them has ended. */
  | { type: 'exhausted' }
  /** The policy of the last `reload` holds. */
  | { type: 'reloaded' }
  /** The worker cannot start; it ends itself. */
  | { type: 'failed'; code: string; text: string };
