/** The main thread's hold on one worker: its start, its counters, its stop, and its death. */
import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import { readsStandardInput } from '../config/sources.ts';
import { DoubletakeError } from '../errors.ts';
import { type Publication, readPublication } from '../ledger/counters.ts';
import type { RequestEntry } from '../store/request-filter.ts';
import type { FromWorker, ToWorker, WorkerCommand, WorkerStart } from './messages.ts';
import { threadProgram } from './thread-program.ts';

/** What lives short is small here; a larger nursery would only cost memory. */
const youngMb = 32;

/** The same where several workers read the same files, whose memory is to stay within 300 MB in all. */
const sharedYoungMb = 24;

/**
 * Bound of the heap where nothing but files is replayed, whose readers are bounded far below it. The lower it is, the
 * sooner the garbage collector looks at what has grown old: without it, garbage grows to four times what is alive.
 */
const filesOldMb = 1_536;

export interface WorkerEvents {
  warning(text: string): void;
  notice(text: string): void;
  /** A server, `address:port`, was seen to answer for production. */
  production(endpoint: string): void;
  exhausted(): void;
  /** Some of the requests that came to an outcome, for a dashboard. */
  requests(entries: readonly RequestEntry[]): void;
  died(error: Error): void;
}

export class WorkerHandle {
  /** Resolves when the worker takes traffic, with what its sources listen on; rejects with one clear line when it cannot. */
  readonly ready: Promise<(string | null)[]>;
  readonly #worker: Worker;
  readonly #shared: SharedArrayBuffer;
  readonly #ended: Promise<void>;
  /** Those who wait for a command to hold, in the order in which they gave it. */
  readonly #commands: (() => void)[] = [];
  #alive = true;
  /** It was told to end, or has said why it does. */
  #ending = false;

  constructor(start: WorkerStart, events: WorkerEvents) {
    this.#shared = start.shared;
    const cache = getCompileCacheDir();
    // A thread has no standard input of its own; the first worker reads capture files, and so gets the process's.
    const { sources, workers } = start.config;
    const readsInput = start.index === 0 && sources.some(readsStandardInput);
    this.#worker = new Worker(threadProgram('worker'), {
      stdin: readsInput,
      workerData: start,
      transferList: [start.copies?.port, start.pairs, start.records].filter((port) => port !== undefined && port !== null),
      name: `doubletake-${start.index}`,
      resourceLimits: sources.every((source) => 'files' in source)
        ? { maxYoungGenerationSizeMb: workers > 1 ? sharedYoungMb : youngMb, maxOldGenerationSizeMb: filesOldMb }
        : { maxYoungGenerationSizeMb: youngMb },
      // A worker takes the cache of compiled code from its environment only.
      env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    if (readsInput && this.#worker.stdin !== null) process.stdin.pipe(this.#worker.stdin);
    const { promise: ready, resolve: becameReady, reject: couldNotStart } = Promise.withResolvers<(string | null)[]>();
    const { promise: ended, resolve: hasEnded } = Promise.withResolvers<void>();
    this.ready = ready;
    this.#ended = ended;
    this.#worker.on('message', (message: FromWorker) => {
      switch (message.type) {
        case 'ready':
          return becameReady(message.addresses);
        case 'failed':
          this.#ending = true;
          return couldNotStart(new DoubletakeError(message.code, message.text));
        case 'warning':
          return events.warning(message.text);
        case 'notice':
          return events.notice(message.text);
        case 'production':
          return events.production(message.endpoint);
        case 'exhausted':
          return events.exhausted();
        case 'requests':
          return events.requests(message.entries);
        case 'done':
          return this.#commands.shift()?.();
      }
    });
    const died = (error: Error): void => {
      couldNotStart(error);
      if (!this.#ending) events.died(error);
      this.#ending = true;
    };
    this.#worker.on('error', (error) => died(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => {
      this.#alive = false;
      died(new Error(`it ended by itself (${code})`));
      hasEnded();
    });
  }

  /** What the watchdog looks at. */
  reading(): Publication {
    return readPublication(this.#shared);
  }

  /** Asks the worker to drain and end; ends it by force when it has not done so `graceMs` after the drain. */
  async stop(drainMs: number, graceMs: number): Promise<void> {
    // A capture that is still being written ends here.
    const input = this.#worker.stdin;
    if (input !== null) process.stdin.unpipe(input).destroy();
    input?.end();
    if (!this.#alive) return;
    this.#ending = true;
    this.#say({ type: 'stop', drainMs });
    const force = setTimeout(() => void this.#worker.terminate(), drainMs + graceMs);
    await this.#ended;
    clearTimeout(force);
  }

  /** Resolves when the command holds in the worker, or the worker has ended. */
  async obey(command: WorkerCommand): Promise<void> {
    if (!this.#alive) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#commands.push(resolve);
    this.#say(command);
    await Promise.race([promise, this.#ended]);
  }

  /** Another worker saw a server of production. */
  learnProduction(endpoint: string): void {
    if (this.#alive) this.#say({ type: 'production', endpoint });
  }

  abort(): void {
    if (this.#alive) this.#say({ type: 'abort' });
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
