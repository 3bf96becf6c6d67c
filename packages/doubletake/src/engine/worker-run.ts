/** What a worker does from its start to its end: opens its sources, keeps time for its pipelines, publishes, drains. */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { TargetConfig } from '../config/schema.ts';
import { type CounterLayout, publishRow } from '../ledger/counters.ts';
import { ReplayPolicy } from '../policy/policy.ts';
import { ProductionServers } from '../policy/production-servers.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { RequestEntry } from '../store/request-filter.ts';
import { isCompared, openAnswerSanitizer, pairingOptions, responseBodyBytesMax } from './comparing.ts';
import { CopyFeed } from './copy-feed.ts';
import { Dispatcher } from './dispatcher.ts';
import { shareOf } from './file-share.ts';
import { ledgerLayout, ledgerNames } from './ledger-layout.ts';
import type { Intake } from './intake.ts';
import type { TargetSupplies, WorkerCommand, WorkerStart } from './messages.ts';
import { ExchangeRecorder } from './exchange-recorder.ts';
import { PairSender } from './pair-sender.ts';
import { Pairing } from './pairing.ts';
import { RecordSender } from './record-sender.ts';
import { type FeedSafety, RequestFeed } from './request-feed.ts';
import type { RunningSource } from './running-source.ts';
import { openSanitizers } from './sanitizing.ts';
import { showing } from './showing.ts';
import { openIntake, startSource } from './sources.ts';
import { lagCounter, TargetUnit } from './target-unit.ts';
import { openTargetUnit } from './targets.ts';

const publishEveryMs = 100;

/** How long a stop waits for the comparison of what was replayed last. */
const pairsMsMax = 2_000;

/** How long it waits for what was recorded last to be written. */
const recordsMsMax = 2_000;

export interface WorkerEvents {
  warning(text: string): void;
  notice(text: string): void;
  /** A server, `address:port`, was seen to answer for production for the first time. */
  production(endpoint: string): void;
  exhausted(): void;
  /** Some of the requests that came to an outcome, for a dashboard. */
  requests(entries: RequestEntry[]): void;
}

export class WorkerRun {
  readonly #start: WorkerStart;
  readonly #events: WorkerEvents;
  readonly #layout: CounterLayout;
  readonly #row: Float64Array;
  readonly #production: ProductionServers;
  readonly #dispatcher: Dispatcher;
  readonly #pipelines: readonly Intake[];
  #timer: NodeJS.Timeout | undefined;
  /** By position in the configuration; null where another worker has the source. */
  readonly #sources: (RunningSource | null)[] = [];
  #copies: CopyFeed | null = null;
  #pairs: PairSender | null = null;
  #records: RecordSender | null = null;
  /** Null without a dashboard. */
  readonly #feed: RequestFeed | null;
  #stopping: Promise<void> | null = null;

  constructor(start: WorkerStart, events: WorkerEvents) {
    this.#start = start;
    this.#events = events;
    const { config, runId, index } = start;
    const { policy, targets } = config;
    this.#layout = ledgerLayout(ledgerNames(config));
    this.#row = this.#layout.createRow();
    this.#production = new ProductionServers(start.production);
    const sanitizers = openSanitizers(policy, targets);
    this.#feed =
      start.shown === null
        ? null
        : new RequestFeed(`${runId}-${index.toString(36)}.`, feedSafety(sanitizers, start.shown.hidden), (entries) => events.requests(entries));
    this.#dispatcher = new Dispatcher(
      new ReplayPolicy({ ...policy, workers: config.workers }),
      sanitizers,
      this.#openUnits(targets, start.supplies, policy.trustedProxies, []),
      `${runId}-${index.toString(36)}-`,
      this.#openPairing(),
      this.#openRecorder(),
      this.#feed,
    );
    const hashSeed = randomInt(2 ** 31);
    const learn = config.guards.learnProduction
      ? (endpoint: string): void => {
          if (!this.#production.learn(endpoint)) return;
          this.#dispatcher.recheck();
          events.production(endpoint);
        }
      : null;
    const parts = { dispatcher: this.#dispatcher, layout: this.#layout, row: this.#row, learn };
    const options = { hashSeed, responseBodyBytesMax: responseBodyBytesMax(config) };
    this.#pipelines = config.sources.map((source) => openIntake(source, parts, options));
  }

  /** Opens the sources; traffic flows when this resolves, with what each one listens on. */
  async start(): Promise<(string | null)[]> {
    const { config, copies, descriptors, sharedPorts, index } = this.#start;
    for (const [position, source] of config.sources.entries()) {
      const pipeline = this.#pipelines[position];
      if (pipeline === undefined) continue;
      const bound = { descriptor: descriptors[position] ?? null, sharedPort: sharedPorts[position] ?? null };
      const warn = (text: string): void => this.#events.warning(text);
      this.#sources.push(await startSource(source, shareOf(source, config, index), bound, pipeline, this.#dispatcher, warn));
    }
    if (copies !== null) this.#copies = new CopyFeed(copies, this.#pipelines);
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
  obey(command: WorkerCommand): void {
    switch (command.type) {
      case 'halt':
        this.#dispatcher.halt();
        return this.#publish();
      case 'resume':
        return this.#dispatcher.resume();
      case 'share':
        for (const unit of this.#dispatcher.units) if (unit.name === command.target) unit.share = command.share;
        return;
      case 'reload': {
        const { policy, targets, supplies, paths } = command;
        const { workers, drainMs } = this.#start.config;
        this.#layout.extend(paths);
        const sanitizers = openSanitizers(policy, targets);
        const units = this.#openUnits(targets, supplies, policy.trustedProxies, this.#dispatcher.units);
        this.#feed?.use(feedSafety(sanitizers, showing({ ...this.#start.config, policy })?.hidden ?? null));
        this.#dispatcher.replacePolicy(new ReplayPolicy({ ...policy, workers }), sanitizers);
        this.#dispatcher.replaceUnits(units, drainMs);
      }
    }
  }

  /** Null when nothing is compared. */
  #openPairing(): Pairing | null {
    const { config, pairs } = this.#start;
    const options = pairingOptions(config);
    if (options === null || pairs === null) return null;
    const sender = new PairSender(pairs, (keys) => pairing.wantNoise(keys));
    const pairing = new Pairing(options, openAnswerSanitizer(config.policy), {
      pair: (pair) => sender.send(pair),
      excluded: (reason) => sender.exclude(reason),
    });
    this.#pairs = sender;
    return pairing;
  }

  /** Null when nothing is recorded. */
  #openRecorder(): ExchangeRecorder | null {
    const { records, runId, index } = this.#start;
    if (records === null) return null;
    const sender = new RecordSender(records, this.#layout, this.#row);
    this.#records = sender;
    return new ExchangeRecorder(sender, `${runId}-${index}`);
  }

  /** Another worker saw a server of production. */
  learnProduction(endpoint: string): void {
    if (this.#production.learn(endpoint)) this.#dispatcher.recheck();
  }

  /** A target whose configuration is the same stays as it is, with its connections and its requests. */
  #openUnits(
    targets: readonly TargetConfig[],
    supplies: TargetSupplies,
    trustedProxies: readonly string[],
    present: readonly TargetUnit[],
  ): TargetUnit[] {
    return targets.map((config, position) => {
      const share = supplies.shares[position] ?? 1;
      const same = present.find((unit) => isDeepStrictEqual(unit.config, config));
      if (same !== undefined) {
        same.share = share;
        return same;
      }
      const parts = openTargetUnit(config, {
        authority: supplies.authorities[position] ?? null,
        rateLimit: supplies.rateLimits[position] ?? null,
        workers: this.#start.config.workers,
        trustedProxies,
        production: this.#production,
        sentLate: lagCounter(this.#layout, this.#row, config.name),
        keepBodyBytesMax: isCompared(this.#start.config, config.name) ? (this.#start.config.compare?.bodyBytesMax ?? 0) : 0,
      });
      const unit = new TargetUnit(parts, this.#layout, this.#row, {
        warning: (text) => this.#events.warning(text),
        notice: (text) => this.#events.notice(text),
      });
      unit.share = share;
      return unit;
    });
  }

  abort(): void {
    this.#dispatcher.abort();
  }

  async #drain(drainMs: number): Promise<void> {
    await Promise.all(this.#opened().map((source) => source.close()));
    this.#copies?.close();
    this.#pipelines.forEach((pipeline) => pipeline.flush());
    this.#publish();
    await this.#dispatcher.close(drainMs);
    await Promise.all([this.#pairs?.close(pairsMsMax), this.#records?.close(recordsMsMax)]);
    clearInterval(this.#timer);
    this.#feed?.flush();
    this.#publish();
  }

  /** Files end by themselves: when they have and their requests too, there is nothing left to wait for. */
  async #watchForEnd(): Promise<void> {
    if (this.#copies !== null) return;
    await Promise.all(this.#opened().map((source) => source.exhausted));
    this.#pipelines.forEach((pipeline) => pipeline.flush());
    this.#records?.flush();
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
    this.#dispatcher.measure();
    publishRow(this.#start.shared, this.#row, {
      publishedAtMs: performance.timeOrigin + performance.now(),
      awaiting: this.#dispatcher.pressing,
      settled: this.#dispatcher.settled,
    });
  }
}

function feedSafety(sanitizers: readonly Sanitizer[] | null, hidden: string | null): FeedSafety {
  return { sanitizer: sanitizers?.[0] ?? null, hidden: hidden !== null };
}
