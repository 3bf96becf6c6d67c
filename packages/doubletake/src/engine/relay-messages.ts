/** What the relay's thread, the main thread and the workers say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { HostPort } from '../host-port.ts';
import type { RelayOptions } from '../relay/options.ts';

/** A worker's end of the relay. */
export interface CopySupply {
  ring: SharedArrayBuffer;
  port: MessagePort;
}

/** Everything the relay's thread is born with. */
export interface RelayStart {
  /** With their positions in the configuration. */
  relays: { source: number; options: RelayOptions }[];
  /** The relay's end of each worker. */
  workers: CopySupply[];
  /** Doubles: when the thread published last (on the clock of `Publication`), then `relayCountNames` for each relay. */
  counts: SharedArrayBuffer;
}

export const relayCountNames = ['connections', 'refused', 'unreachable', 'gaps', 'gapBytes'] as const;

export type ToRelay =
  /** Take no more connections, let those under way finish for at most this long, then end. */
  | { type: 'stop'; drainMs: number }
  /** Break off what is left. */
  | { type: 'abort' }
  /** Look at the certificates again. */
  | { type: 'reload' };

export type FromRelay =
  /** What each relay listens on. */
  | { type: 'ready'; addresses: HostPort[] }
  | { type: 'failed'; code: string; text: string }
  | { type: 'warning'; text: string };

export type ToCopyFeed =
  /** There is something in the ring. */
  | 'wake'
  /** Which connections have nothing under way? */
  | 'idle?';

/** Connections as their parsers know them, having read the ring up to `position`. */
export interface FromCopyFeed {
  position: number;
  idle: number[];
  busy: number[];
}
