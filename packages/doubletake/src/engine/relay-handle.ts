/** The main thread's hold on the relay's thread: its start, its counts and its stop. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MirrorConfig } from '../config/schema.ts';
import { sourceName } from '../config/sources.ts';
import { DoubletakeError } from '../errors.ts';
import type { HostPort } from '../host-port.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { createCopyRing } from '../relay/copy-ring.ts';
import { relayOptions } from './relay-options.ts';
import { type CopySupply, type FromRelay, relayCountNames, type RelayStart, type ToRelay } from './relay-messages.ts';
import { threadProgram } from './thread-program.ts';

/** Relayed bytes that wait for one worker; what goes beyond is not copied. */
const ringBytes = 32 * 1024 * 1024;

/** A thread that has said nothing for this long does not run. */
const silentMsMax = 5_000;

export interface RelayEvents {
  warning(text: string): void;
  /** Clients are not served any more. */
  died(error: Error): void;
}

export class RelayHandle {
  /** By worker: its end of the relay, to be given to it at its birth. */
  readonly supplies: readonly CopySupply[];
  readonly #relays: RelayStart['relays'];
  readonly #names: readonly string[];
  readonly #counts: SharedArrayBuffer;
  readonly #ends: readonly CopySupply[];
  readonly #events: RelayEvents;
  #thread: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();

  /** Throws a `DoubletakeError` when a file that the configuration names cannot be read. */
  constructor({ sources, workers }: MirrorConfig, events: RelayEvents) {
    this.#relays = sources.flatMap((config, source) =>
      'proxy' in config ? [{ source, options: relayOptions(config.proxy) }] : [],
    );
    this.#names = this.#relays.map(({ source }) => sourceName(sources[source]));
    this.#events = events;
    this.#counts = new SharedArrayBuffer((1 + this.#relays.length * relayCountNames.length) * Float64Array.BYTES_PER_ELEMENT);
    const pairs = Array.from({ length: workers }, () => {
      const ring = createCopyRing(ringBytes);
      const { port1, port2 } = new MessageChannel();
      return { relay: { ring, port: port1 }, worker: { ring, port: port2 } };
    });
    this.#ends = pairs.map(({ relay }) => relay);
    this.supplies = pairs.map(({ worker }) => worker);
  }

  /** Resolves when clients are served, with the address of each proxy by its position in the configuration. */
  async start(): Promise<Map<number, HostPort>> {
    const start: RelayStart = { relays: this.#relays, workers: [...this.#ends], counts: this.#counts };
    const thread = new Worker(threadProgram('relay-thread'), {
      workerData: start,
      transferList: this.#ends.map(({ port }) => port),
      name: 'doubletake-relay',
      // A relay holds no more than what is on its way; a larger nursery would only cost memory.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    });
    this.#thread = thread;
    const { promise: ended, resolve: hasEnded } = Promise.withResolvers<void>();
    const { promise, resolve, reject } = Promise.withResolvers<Map<number, HostPort>>();
    this.#ended = ended;
    thread.on('message', (message: FromRelay) => {
      switch (message.type) {
        case 'ready':
          return resolve(new Map(message.addresses.map((address, index) => [this.#relays[index].source, address])));
        case 'failed':
          return reject(new DoubletakeError(message.code, message.text));
        case 'warning':
          return this.#events.warning(message.text);
      }
    });
    thread.on('error', (error) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      reject(reason);
      this.#events.died(reason);
    });
    thread.on('exit', () => {
      reject(new Error('the proxy ended before it was ready'));
      this.#thread = null;
      hasEnded();
    });
    return promise;
  }

  /** Why clients are not served now, or null while they are. */
  problem(nowMs: number): string | null {
    const silentMs = nowMs - new Float64Array(this.#counts)[0];
    return silentMs > silentMsMax ? `the proxy has not run for ${Math.round(silentMs / 1_000)} s` : null;
  }

  /** Adds what the relays count to the report. */
  addCounts(report: LedgerReport): void {
    const row = new Float64Array(this.#counts);
    this.#names.forEach((name, index) => {
      const at = 1 + index * relayCountNames.length;
      const [connections, refused, unreachable, gaps, gapBytes] = row.subarray(at, at + relayCountNames.length);
      const source = report.sources[name];
      if (source === undefined) return;
      source.proxy = { connections, refused, unreachable };
      for (const counted of [source, report]) {
        counted.gaps.count += gaps;
        counted.gaps.bytes += gapBytes;
      }
    });
  }

  /** Lets connections finish for at most `drainMs`; ends the thread by force when it has not ended `graceMs` later. */
  async stop(drainMs: number, graceMs: number): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    this.#say({ type: 'stop', drainMs });
    const force = setTimeout(() => void thread.terminate(), drainMs + graceMs);
    await this.#ended;
    clearTimeout(force);
  }

  abort(): void {
    this.#say({ type: 'abort' });
  }

  /** Looks at the certificates again. */
  reload(): void {
    this.#say({ type: 'reload' });
  }

  #say(message: ToRelay): void {
    this.#thread?.postMessage(message);
  }
}
