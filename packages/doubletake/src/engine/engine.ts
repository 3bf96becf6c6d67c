/**
 * Runs a mirror: binds the sockets, starts the workers, sums up their ledgers, watches them and stops them. This is the
 * main thread's part, and it touches no traffic.
 *
 * Lifecycle: `start` resolves when traffic can be taken; `stop` ends the capture, lets the workers drain and resolves
 * with the final ledger; `abort` during that cuts the draining short.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MirrorConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import { type CounterLayout, createSharedRow, readRow } from '../ledger/counters.ts';
import { buildReport, type LedgerReport } from '../ledger/report.ts';
import { ledgerLayout } from './ledger-layout.ts';
import { filterOutcomes } from '../policy/filter.ts';
import { checkTarget, readAuthority } from './targets.ts';
import { bindSources, type BoundSources, sourceName } from './sources.ts';
import { openSanitizer } from './sanitizing.ts';
import { Watchdog } from './watchdog.ts';
import { WorkerHandle } from './worker-handle.ts';

/** Workers publish ten times a second; one that has been silent for this long does not run. */
const silentMsMax = 5_000;

/** A stop waits this much longer than the drain before it takes a worker for dead. */
const stopGraceMs = 3_000;

/** What cannot change while the mirror runs. */
const lasting = ['sources', 'targets', 'workers', 'drainMs', 'health', 'ledger'] as const satisfies (keyof MirrorConfig)[];

export interface EngineEvents {
  warning(text: string): void;
  /** Every source was a file, and all of them were read to the end with all their requests ended. */
  exhausted(): void;
  /** A worker died; what it held is lost, and the engine should be stopped. */
  failed(error: Error): void;
}

export class Engine {
  readonly #config: MirrorConfig;
  readonly #events: EngineEvents;
  readonly #layout: CounterLayout;
  readonly #watchdog: Watchdog;
  #workers: WorkerHandle[] = [];
  #bound: BoundSources | null = null;
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #failure: string | null = null;

  constructor(config: MirrorConfig, events: EngineEvents) {
    this.#config = config;
    this.#events = events;
    this.#layout = ledgerLayout(
      config.sources.map(sourceName),
      config.targets.map(({ name }) => name),
      config.policy.filters,
    );
    const slowestMs = Math.max(
      ...config.targets.map(({ limits }) => limits.connectTimeoutMs + limits.responseTimeoutMs),
    );
    this.#watchdog = new Watchdog({ silentMsMax, stalledMsMax: 2 * slowestMs + 5_000 });
  }

  /**
   * Checks the targets, takes the ports and starts the workers. Resolves with what each source listens on, such as
   * `vxlan=127.0.0.1:4789`; rejects with a `DoubletakeError` when something cannot be had.
   */
  async start(): Promise<string[]> {
    const config = this.#config;
    openSanitizer(config.policy);
    const authorities = config.targets.map(readAuthority);
    await Promise.all(config.targets.map((target, index) => checkTarget(target, authorities[index] ?? null)));
    const bound = await bindSources(config);
    this.#bound = bound;
    bound.warnings.forEach((text) => this.#events.warning(text));
    try {
      const opened = await this.#startWorkers(bound, authorities);
      this.#state = 'running';
      return opened;
    } catch (error) {
      this.abort();
      await this.stop(0);
      throw error;
    }
  }

  /** The ledger as the workers last published it, at most a tenth of a second old. */
  report(): LedgerReport {
    return buildReport(
      this.#layout,
      this.#workers.map(({ shared }) => readRow(shared)),
    );
  }

  /** Why packets cannot flow through to an outcome now, or null while they can. */
  problem(): string | null {
    if (this.#state === 'new') return 'starting';
    if (this.#state === 'draining') return 'draining';
    if (this.#state === 'stopped') return 'stopped';
    if (this.#failure !== null) return this.#failure;
    return this.#watchdog.observe(
      this.#workers.map((worker) => worker.reading()),
      performance.timeOrigin + performance.now(),
    );
  }

  /**
   * Decides by the policy of `config` from now on; nothing that is under way is touched, and no packet is lost. Throws
   * when the policy needs a restart. Resolves with the names of the settings that are different and stay as they were.
   */
  async reload(config: MirrorConfig): Promise<string[]> {
    openSanitizer(config.policy);
    const counted = new Set(filterOutcomes(this.#config.policy.filters));
    const uncounted = filterOutcomes(config.policy.filters).filter((outcome) => !counted.has(outcome));
    if (uncounted.length > 0) {
      throw new DoubletakeError('DT_RELOAD', `${uncounted.join(', ')}: the ledger has no place for new names of filters; restart`);
    }
    await Promise.all(this.#workers.map((worker) => worker.reload(config.policy)));
    return lasting.filter((name) => !isDeepStrictEqual(config[name], this.#config[name]));
  }

  /** Ends the capture and drains for at most `drainMs`; resolves with the final ledger. */
  async stop(drainMs: number): Promise<LedgerReport> {
    if (this.#state !== 'stopped') this.#state = 'draining';
    this.#bound?.close();
    this.#bound = null;
    await Promise.all(this.#workers.map((worker) => worker.stop(drainMs, stopGraceMs)));
    this.#state = 'stopped';
    return this.report();
  }

  /** Gives up what is still under way; a pending `stop` then resolves soon. */
  abort(): void {
    for (const worker of this.#workers) worker.abort();
  }

  async #startWorkers(bound: BoundSources, authorities: readonly (string | null)[]): Promise<string[]> {
    const runId = randomBytes(4).toString('hex');
    let exhausted = 0;
    for (let index = 0; index < this.#config.workers; index++) {
      const worker = new WorkerHandle(
        {
          index,
          config: this.#config,
          descriptors: bound.descriptors.map((group) => group?.[index] ?? null),
          authorities,
          shared: createSharedRow(this.#layout),
          runId,
        },
        {
          warning: (text) => this.#events.warning(text),
          exhausted: () => {
            if (++exhausted === this.#config.workers) this.#events.exhausted();
          },
          died: (error) => {
            if (this.#state !== 'running') return;
            this.#failure = `worker ${index} died: ${error.message}`;
            this.#events.failed(error);
          },
        },
      );
      this.#workers.push(worker);
    }
    const opened = await Promise.all(this.#workers.map((worker) => worker.ready));
    return this.#config.sources.map(
      (source, position) =>
        bound.addresses[position] ??
        opened.map((addresses) => addresses[position]).find((address) => typeof address === 'string') ??
        sourceName(source),
    );
  }
}
