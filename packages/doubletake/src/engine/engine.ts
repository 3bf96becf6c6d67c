/**
 * Runs a mirror: binds the sockets, starts the workers, sums up their ledgers, watches them and stops them. This is the
 * main thread's part, and it touches no traffic.
 *
 * Lifecycle: `start` resolves when traffic can be taken; `stop` ends the capture, lets the workers drain and resolves
 * with the final ledger; `abort` during that cuts the draining short.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { formatListen } from '../config/listen.ts';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import type { RunReport } from '../compare/report.ts';
import { DoubletakeError } from '../errors.ts';
import { type CounterLayout, createSharedRow, readRow } from '../ledger/counters.ts';
import { buildReport, latencyCounts, type LedgerReport, total } from '../ledger/report.ts';
import { type ListedServer, ProductionServers } from '../policy/production-servers.ts';
import { giveMemoryBack } from '../system/allocator.ts';
import { isReadByAll } from './file-share.ts';
import { ledgerLayout, ledgerNames, ledgerPaths } from './ledger-layout.ts';
import type { TargetSupplies, WorkerCommand } from './messages.ts';
import { listedProduction, refuseProductionNames, resolveProduction } from './production.ts';
import { recorderOptions } from './recording.ts';
import { RecordingHandle } from './recording-handle.ts';
import { RelayHandle } from './relay-handle.ts';
import { openSanitizers } from './sanitizing.ts';
import { Shares } from './shares.ts';
import { AnalysisHandle } from './analysis-handle.ts';
import { ownHosts } from './comparing.ts';
import { bindSources, type BoundSources, sourceName } from './sources.ts';
import { checkTarget, createRateLimit, openTargetRewriter, readAuthority } from './targets.ts';
import { Watchdog } from './watchdog.ts';
import { WorkerHandle } from './worker-handle.ts';

/** Workers publish ten times a second; one that has been silent for this long does not run. */
const silentMsMax = 5_000;

/** A stop waits this much longer than the drain before it takes a worker for dead. */
const stopGraceMs = 3_000;

/** Ramps look at their targets this often. */
const rampEveryMs = 1_000;

/** How often the comparison is asked what it has come to. */
const compareEveryMs = 3_000;

/** What cannot change while the mirror runs. */
const lasting = ['sources', 'compare', 'run', 'record', 'guards', 'workers', 'drainMs', 'health', 'control', 'ledger'] as const satisfies (keyof MirrorConfig)[];

export interface EngineEvents {
  warning(text: string): void;
  /** Something that happened and is no trouble. */
  notice(text: string): void;
  /** Every source was a file, and all of them were read to the end with all their requests ended. */
  exhausted(): void;
  /** A thread died; what it held is lost, and the engine should be stopped. */
  failed(error: Error): void;
  /** A worker died; what it held is lost, and the engine goes on without it, since clients of a proxy depend on it. */
  degraded(error: Error): void;
}

export class Engine {
  #config: MirrorConfig;
  readonly #events: EngineEvents;
  readonly #layout: CounterLayout;
  readonly #watchdog: Watchdog;
  readonly #shares: Shares;
  #production: ListedServer[] = [];
  /** Servers that were seen to answer for production, told to every worker. */
  readonly #learned = new Set<string>();
  #supplies: TargetSupplies = { authorities: [], rateLimits: [], shares: [] };
  #workers: WorkerHandle[] = [];
  #bound: BoundSources | null = null;
  #rampTimer: NodeJS.Timeout | undefined;
  /** Null when nothing is compared. */
  #analysis: AnalysisHandle | null = null;
  #comparison: RunReport | null = null;
  #comparisonTimer: NodeJS.Timeout | undefined;
  /** Null when nothing is recorded. */
  #recording: RecordingHandle | null = null;
  /** Null when no source is a proxy. */
  #relay: RelayHandle | null = null;
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #halted = false;
  #failure: string | null = null;
  #aborted = false;

  constructor(config: MirrorConfig, events: EngineEvents) {
    this.#config = config;
    this.#events = events;
    this.#layout = ledgerLayout(ledgerNames(config));
    this.#shares = new Shares(config.targets, performance.now(), {
      changed: (target, share, text) => {
        events.notice(text);
        void this.#command({ type: 'share', target, share });
      },
      told: (text) => events.warning(text),
    });
    const slowestMs = Math.max(
      0,
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
    if (config.sources.every((source) => 'files' in source)) giveMemoryBack();
    this.#production = await resolveProduction(listedProduction(config));
    this.#supplies = await this.#prepare(config, []);
    this.#relay = this.#openRelay();
    const bound = await bindSources(config);
    this.#bound = bound;
    bound.warnings.forEach((text) => this.#events.warning(text));
    try {
      // After the ports, so that one that is taken leaves no empty run.
      this.#analysis = await this.#startAnalysis();
      this.#recording = await this.#startRecording();
      const opened = await this.#startWorkers(bound);
      const proxies = await this.#relay?.start();
      proxies?.forEach((address, position) => {
        opened[position] = `proxy=${formatListen(address)}`;
      });
      this.#state = 'running';
      this.#rampTimer = setInterval(() => this.#observeTargets(), rampEveryMs);
      return opened;
    } catch (error) {
      this.abort();
      await this.stop(0);
      throw error;
    }
  }

  /** The configuration in force: as it was last reloaded. */
  get config(): MirrorConfig {
    return this.#config;
  }

  /** The ledger as the workers last published it, at most a tenth of a second old. */
  report(): LedgerReport {
    const rows = this.#workers.map(({ shared }) => readRow(shared));
    const report = buildReport(this.#layout, rows);
    Object.assign(report, this.#summary());
    report.replay = this.#halted ? 'stopped' : 'running';
    for (const [name, target] of Object.entries(report.targets)) target.percentage = this.#shares.percentageOf(name);
    this.#relay?.addCounts(report);
    return report;
  }

  /** Why packets cannot flow through to an outcome now, or null while they can. */
  problem(): string | null {
    if (this.#state === 'new') return 'starting';
    if (this.#state === 'draining') return 'draining';
    if (this.#state === 'stopped') return 'stopped';
    if (this.#failure !== null) return this.#failure;
    const nowMs = performance.timeOrigin + performance.now();
    return (
      this.#relay?.problem(nowMs) ??
      this.#watchdog.observe(
        this.#workers.map((worker) => worker.reading()),
        nowMs,
      )
    );
  }

  /**
   * Decides by the policy and sends to the targets of `config` from now on; nothing that is under way is touched, and no
   * packet is lost. Rejects, with everything as it was, when something in it cannot be had. Resolves with the names of
   * the settings that are different and stay as they were.
   */
  async reload(config: MirrorConfig): Promise<string[]> {
    const before = this.#config;
    const supplies = await this.#prepare(config, before.targets);
    const divided = before.workers > 1 && before.sources.some((source) => isReadByAll(source, before.targets));
    if (divided && !before.sources.every((source) => isReadByAll(source, config.targets))) {
      throw new DoubletakeError('DT_RELOAD', 'several workers read the files, and keep no common pace; restart');
    }
    const names = ledgerNames(config);
    const paths = ledgerPaths({ ...names, sources: before.sources.map(sourceName), records: before.record !== undefined });
    if (!this.#layout.fits(paths)) {
      throw new DoubletakeError('DT_RELOAD', 'the ledger has no place left for new names of filters and targets; restart');
    }
    this.#layout.extend(paths);
    const { policy, targets } = config;
    this.#supplies = { ...supplies, shares: this.#shares.replaceTargets(targets, performance.now()) };
    this.#config = { ...before, policy, targets };
    if (before.policy.sanitize !== undefined) this.#warnUnlessSanitized(policy);
    this.#relay?.reload();
    await this.#bound?.followTargets(targets.map(({ url }) => new URL(url)));
    await this.#command({ type: 'reload', policy, targets, supplies: this.#supplies, paths });
    return lasting.filter((name) => !isDeepStrictEqual(config[name], before[name]));
  }

  /**
   * The kill switch: no byte leaves for any target once this has resolved. The capture goes on; what it brings, and what
   * was waiting or under way, ends as `blocked.kill_switch` until `resume`.
   */
  async halt(): Promise<void> {
    this.#halted = true;
    await this.#command({ type: 'halt' });
  }

  async resume(): Promise<void> {
    this.#halted = false;
    await this.#command({ type: 'resume' });
  }

  /**
   * Gives a target this percentage of what the policy lets through until it is told otherwise; null gives it back to its
   * ramp, or to the percentage in the configuration. Throws a `DoubletakeError` for a target that there is not.
   */
  async setPercentage(target: string, percentage: number | null): Promise<void> {
    const share = this.#shares.setByHand(target, percentage, performance.now());
    await this.#command({ type: 'share', target, share });
  }

  /** What the comparison has come to, a few seconds old while it runs; null when there is none. */
  get comparison(): RunReport | null {
    return this.#comparison;
  }

  /**
   * Ends the capture and drains for at most `drainMs`; resolves with the final ledger. Before that, clients of a proxy have
   * as long for what they have under way.
   */
  async stop(drainMs: number): Promise<LedgerReport> {
    if (this.#state !== 'stopped') this.#state = 'draining';
    this.#bound?.close();
    this.#bound = null;
    clearInterval(this.#rampTimer);
    await this.#relay?.stop(drainMs, stopGraceMs);
    const leftMs = this.#aborted ? 0 : drainMs;
    await Promise.all(this.#workers.map((worker) => worker.stop(leftMs, stopGraceMs)));
    this.#state = 'stopped';
    await this.#recording?.close();
    const report = this.report();
    clearInterval(this.#comparisonTimer);
    this.#comparison = (await this.#analysis?.close(report)) ?? this.#comparison;
    return { ...report, ...this.#summary() };
  }

  /** Gives up what is still under way; a pending `stop` then resolves soon. */
  abort(): void {
    this.#aborted = true;
    this.#relay?.abort();
    for (const worker of this.#workers) worker.abort();
  }

  #openRelay(): RelayHandle | null {
    if (!this.#config.sources.some((source) => 'proxy' in source)) return null;
    return new RelayHandle(this.#config, {
      warning: (text) => this.#events.warning(text),
      died: (error) => {
        if (this.#state !== 'running') return;
        this.#failure = `the proxy died: ${error.message}`;
        this.#events.failed(error);
      },
    });
  }

  #summary(): Pick<LedgerReport, 'comparison'> {
    if (this.#comparison === null) return {};
    const { verdict, pairs, mismatches } = this.#comparison;
    return { comparison: { verdict, pairs, mismatches } };
  }

  async #startAnalysis(): Promise<AnalysisHandle | null> {
    const { compare, run, workers } = this.#config;
    if (compare === undefined) return null;
    const analysis = new AnalysisHandle(workers, { warning: (text) => this.#events.warning(text) });
    await analysis.start({ compare, ownHosts: ownHosts(this.#config), run: run ?? null });
    this.#comparisonTimer = setInterval(() => {
      void analysis.report().then((report) => {
        this.#comparison = report ?? this.#comparison;
      });
    }, compareEveryMs);
    return analysis;
  }

  async #startRecording(): Promise<RecordingHandle | null> {
    const { record, workers, policy } = this.#config;
    if (record === undefined) return null;
    const recording = new RecordingHandle(workers, {
      warning: (text) => this.#events.warning(text),
      notice: (text) => this.#events.notice(text),
    });
    await recording.start(recorderOptions(record));
    this.#warnUnlessSanitized(policy);
    return recording;
  }

  #warnUnlessSanitized({ sanitize }: MirrorConfig['policy']): void {
    const { record } = this.#config;
    if (record === undefined || sanitize !== undefined) return;
    this.#events.warning(`what is recorded to ${record.directory} is as it came, with all personal data and credentials: nothing is sanitized (policy.sanitize)`);
  }

  async #command(command: WorkerCommand): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.obey(command)));
  }

  /** Tries everything in a configuration that can go wrong, so that nothing does in the workers. */
  async #prepare(config: MirrorConfig, present: readonly TargetConfig[]): Promise<TargetSupplies> {
    const { policy, targets } = config;
    openSanitizers(policy, targets);
    targets.forEach((target) => openTargetRewriter(target, 0, policy.trustedProxies));
    refuseProductionNames(listedProduction(this.#config), targets);
    const authorities = targets.map(readAuthority);
    const production = new ProductionServers(this.#production);
    for (const endpoint of this.#learned) production.learn(endpoint);
    await Promise.all(
      targets.map(async (target, position) => {
        if (present.some((known) => isDeepStrictEqual(known, target))) return;
        await checkTarget(target, authorities[position] ?? null, production);
      }),
    );
    return { authorities, rateLimits: targets.map(createRateLimit), shares: targets.map(({ name }) => this.#shares.percentageOf(name) / 100) };
  }

  #observeTargets(): void {
    const rows = this.#workers.map(({ shared }) => readRow(shared));
    const { targets } = buildReport(this.#layout, rows);
    this.#shares.observe((name) => {
      const target = targets[name];
      const limits = this.#config.targets.find((config) => config.name === name)?.limits;
      const failed = total(target?.outcomes['failed'] ?? 0);
      return {
        requests: failed + total(target?.outcomes['replayed'] ?? 0),
        errors: failed + total(target?.responses['5xx'] ?? 0),
        latencies: latencyCounts(this.#layout, rows, name),
        queueShare: (target?.queued ?? 0) / (limits?.queueRequests ?? 1),
      };
    }, performance.now());
  }

  /** Tells every worker of a server that one of them saw. */
  #learnProduction(endpoint: string): void {
    if (this.#learned.has(endpoint)) return;
    this.#learned.add(endpoint);
    for (const worker of this.#workers) worker.learnProduction(endpoint);
  }

  async #startWorkers(bound: BoundSources): Promise<string[]> {
    const runId = randomBytes(4).toString('hex');
    let exhausted = 0;
    for (let index = 0; index < this.#config.workers; index++) {
      const worker = new WorkerHandle(
        {
          index,
          config: this.#config,
          copies: this.#relay?.supplies[index] ?? null,
          descriptors: bound.descriptors.map((group) => group?.[index] ?? null),
          sharedPorts: bound.sharedPorts,
          supplies: this.#supplies,
          production: this.#production,
          pairs: this.#analysis?.ports[index] ?? null,
          records: this.#recording?.ports[index] ?? null,
          shared: createSharedRow(this.#layout),
          runId,
        },
        {
          warning: (text) => this.#events.warning(text),
          notice: (text) => this.#events.notice(text),
          production: (endpoint) => this.#learnProduction(endpoint),
          exhausted: () => {
            if (++exhausted === this.#config.workers) this.#events.exhausted();
          },
          died: (error) => {
            if (this.#state !== 'running') return;
            this.#failure = `worker ${index} died: ${error.message}`;
            if (this.#relay === null) this.#events.failed(error);
            else this.#events.degraded(error);
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
