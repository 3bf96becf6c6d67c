/** What sources of every kind have in common: how they are bound by the main thread, and run in a worker. */
import type { Dispatcher } from './dispatcher.ts';
import type { Pipeline } from './pipeline.ts';

/** What the main thread opened for a source. */
export interface BoundSource {
  /** By worker; a worker without one does not have this source. Whoever starts a source on one closes it. */
  descriptors: readonly number[];
  /** As in the ready line: `vxlan=127.0.0.1:4789`. */
  address: string;
  /** Sentences for the user. */
  warnings: readonly string[];
  /** Tells it where requests are replayed to, whenever that changes; resolves when it has taken note. */
  followTargets?: (urls: readonly URL[]) => Promise<void>;
  /** Closes what the main thread has kept for itself. */
  close?: () => void;
}

/** What a worker starts a source with. */
export interface SourceStart {
  /** What the main thread opened for this worker; null where the worker opens the source itself. */
  descriptor: number | null;
  pipeline: Pipeline;
  dispatcher: Dispatcher;
  /** Tells the user. */
  warn: (text: string) => void;
}

/** A source that feeds a pipeline. */
export interface RunningSource {
  /** As in the ready line: `vxlan=127.0.0.1:4789`. */
  address: string;
  /** Resolves when the source came to its end; never for a network source. */
  exhausted: Promise<void>;
  /** Packets that the kernel dropped so far. */
  kernelDrops(): number;
  /** Stops taking packets; those already received are handed over first. */
  close(): Promise<void>;
}

/** Lost segments are given up in steps of this; see `FlowTable.tick`. */
const tickEveryMs = 10;

/** A network source: it has no end, and the pipeline's time is the clock's. */
export function runNetworkSource(
  address: string,
  pipeline: Pipeline,
  source: { kernelDrops(): number; close(): Promise<void> },
): RunningSource {
  const ticks = setInterval(() => pipeline.tick((performance.timeOrigin + performance.now()) * 1_000), tickEveryMs);
  return {
    address,
    exhausted: new Promise(() => {}),
    kernelDrops: () => source.kernelDrops(),
    close: () => {
      clearInterval(ticks);
      return source.close();
    },
  };
}
