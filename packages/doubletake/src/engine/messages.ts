/** What the main thread and a worker say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import type { ListedServer } from '../policy/production-servers.ts';
import type { RequestEntry } from '../store/request-filter.ts';
import type { CopySupply } from './relay-messages.ts';

/** What a worker needs for the targets beside their configuration; each list in the order of the targets. */
export interface TargetSupplies {
  /** PEM text; null for the system's authorities. */
  authorities: readonly (string | null)[];
  /** The memory of the rate limit that all workers share; null where there is none. */
  rateLimits: readonly (SharedArrayBuffer | null)[];
  /** From 0 to 1: what each target gets of the requests that the policy lets through. */
  shares: readonly number[];
}

/** Everything a worker is born with. */
export interface WorkerStart {
  index: number;
  config: MirrorConfig;
  /** This worker's bound descriptor for each source; null where there is none, as for files. */
  descriptors: readonly (number | null)[];
  /** For each source, the TCP port on which every worker listens for itself; null where one has the source alone. */
  sharedPorts: readonly (number | null)[];
  /** This worker's end of the relay; null when there is no proxy. */
  copies: CopySupply | null;
  supplies: TargetSupplies;
  /** Production's servers as listed, names resolved. */
  production: readonly ListedServer[];
  /** The way to the analysis thread; null when nothing is compared. */
  pairs: MessagePort | null;
  /** What a dashboard may show of requests; null when there is none. */
  shown: { hidden: string | null } | null;
  /** The way to the recording thread; null when nothing is recorded. */
  records: MessagePort | null;
  /** Where the ledger's row is published. */
  shared: SharedArrayBuffer;
  /** Distinguishes the ids that this run gives to requests. */
  runId: string;
}

/** Each is answered by `done` once it holds. */
export type WorkerCommand =
  /** Decide by this policy and send to these targets from the next request on; `paths` are the ledger's new counters. */
  | { type: 'reload'; policy: MirrorConfig['policy']; targets: TargetConfig[]; supplies: TargetSupplies; paths: string[][] }
  /** Stop all replay at once, or go on. */
  | { type: 'halt' }
  | { type: 'resume' }
  /** What a target gets from now on, from 0 to 1. */
  | { type: 'share'; target: string; share: number };

export type ToWorker =
  | WorkerCommand
  /** Stop the capture, drain for at most this long, then end. */
  | { type: 'stop'; drainMs: number }
  /** Another worker saw this server answer for production, `address:port`. */
  | { type: 'production'; endpoint: string }
  /** Give up what is still under way. */
  | { type: 'abort' };

export type FromWorker =
  /** By source: what it listens on, as in the ready line; null where another worker has it. */
  | { type: 'ready'; addresses: (string | null)[] }
  | { type: 'warning'; text: string }
  /** Something that happened and is no trouble. */
  | { type: 'notice'; text: string }
  /** A server, `address:port`, was seen to answer for production. */
  | { type: 'production'; endpoint: string }
  /** Some of the requests that came to an outcome, for a dashboard. */
  | { type: 'requests'; entries: RequestEntry[] }
  /** This worker's sources are files, all read to the end, and every request in them has ended. */
  | { type: 'exhausted' }
  /** The oldest command that was not answered yet holds. */
  | { type: 'done' }
  /** The worker cannot start; it ends itself. */
  | { type: 'failed'; code: string; text: string };
