/** What a worker does from its start to its end: opens its sources, keeps time for its pipelines, publishes, drains. */
import { randomInt } from 'node:crypto';
import type { MirrorConfig } from '../config/schema.ts';
import { publishRow } from '../ledger/counters.ts';
import { ledgerLayout } from './ledger-layout.ts';
import { ReplayPolicy } from '../policy/policy.ts';
import { Dispatcher } from './dispatcher.ts';
import type { WorkerStart } from './messages.ts';
import { Pipeline } from './pipeline.ts';
import type { RunningSource } from './running-source.ts';
import { packetChoice, sourceName, startSource } from './sources.ts';
import { openSanitizer } from './sanitizing.ts';
import { openTargetLine } from './targets.ts';

const publishEveryMs = 100;

export interface WorkerEvents {
  warning(text: string): void;
  exhausted(): void;
}

export class WorkerRun {
  readonly #start: WorkerStart;
  readonly #events: WorkerEvents;
  readonly #row: Float64Array;
  readonly #dispatcher: Dispatcher;
  readonly #pipelines: readonly Pipeline[];
  #timer: NodeJS.Timeout | undefined;
  /** By position in the configuration; null where another worker has the source. */
  readonly #sources: (RunningSource | null)[] = [];
  #stopping: Promise<void> | null = null;

  constructor(start: WorkerStart, events: WorkerEvents) {
    this.#start = start;
    this.#events = events;
    const { config, runId, index } = start;
    const names = config.sources.map(sourceName);
    const layout = ledgerLayout(
      names,
      config.targets.map(({ name }) => name),
      config.policy.filters,
    );
    this.#row = new Float64Array(layout.size);
    this.#dispatcher = new Dispatcher(
      new ReplayPolicy(config.policy),
      openSanitizer(config.policy),
      config.targets.map((target, position) => openTargetLine(target, start.authorities[position] ?? null)),
      layout,
      this.#row,
      `${runId}-${index.toString(36)}-`,
    );
    const hashSeed = randomInt(2 ** 31);
    this.#pipelines = config.sources.map(
      (source) =>
        new Pipeline(sourceName(source), { hashSeed, ...packetChoice(source) }, this.#dispatcher, layout, this.#row),
    );
  }

  /** Opens the sources; traffic flows when this resolves, with what each one listens on. */
  async start(): Promise<(string | null)[]> {
    const { config, descriptors, index } = this.#start;
    for (const [position, source] of config.sources.entries()) {
      const pipeline = this.#pipelines[position];
      if (pipeline === undefined) continue;
      const descriptor = descriptors[position] ?? null;
      const warn = (text: string): void => this.#events.warning(text);
      this.#sources.push(await startSource(source, index, { descriptor, pipeline, dispatcher: this.#dispatcher, warn }));
    }
    this.#timer = setInterval(() => this.#publish(), publishEveryMs);
    this.#publish();
    void this.#watchForEnd();
    return this.#sources.map((source) => source?.address ?? null);
  }

  /** Ends the capture, drains, publishes for the last time. */
  stop(drainMs: number): Promise<void> {
    this.#stopping ??= this.#drain(drainMs);
    return this.#stopping;
  }

  /** Packets come between two turns of the event loop, so that each request is decided on by one policy. */
  reload(policy: MirrorConfig['policy']): void {
    this.#dispatcher.replacePolicy(new ReplayPolicy(policy), openSanitizer(policy));
  }

  abort(): void {
    this.#dispatcher.abort();
  }

  async #drain(drainMs: number): Promise<void> {
    await Promise.all(this.#opened().map((source) => source.close()));
    this.#pipelines.forEach((pipeline) => pipeline.flush());
    this.#publish();
    await this.#dispatcher.close(drainMs);
    clearInterval(this.#timer);
    this.#publish();
  }

  /** Files end by themselves: when they have and their requests too, there is nothing left to wait for. */
  async #watchForEnd(): Promise<void> {
    await Promise.all(this.#opened().map((source) => source.exhausted));
    this.#pipelines.forEach((pipeline) => pipeline.flush());
    await this.#dispatcher.waitForIdle();
    this.#publish();
    this.#events.exhausted();
  }

  #opened(): RunningSource[] {
    return this.#sources.filter((source) => source !== null);
  }

  #publish(): void {
    for (const [position, source] of this.#sources.entries()) {
      this.#pipelines[position]?.measure(source?.kernelDrops() ?? 0);
    }
    this.#dispatcher.measure(this.#pipelines.reduce((sum, pipeline) => sum + pipeline.receiving, 0));
    publishRow(this.#start.shared, this.#row, {
      publishedAtMs: performance.timeOrigin + performance.now(),
      awaiting: this.#pipelines.reduce((sum, pipeline) => sum + pipeline.awaiting, 0),
      settled: this.#dispatcher.settled,
    });
  }
}
