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
import { sourceName } from '../config/sources.ts';
import type { RunReport } from '../compare/report.ts';
import type { ShownPair } from '../compare/shown/shown-pair.ts';
import { DoubletakeError } from '../errors.ts';
import { type CounterLayout, createSharedRow, readRow } from '../ledger/counters.ts';
import { buildReport, latencyCounts, type LedgerReport, productionLatencyCounts, total } from '../ledger/report.ts';
import { allowedMethods } from '../policy/policy.ts';
import { type ListedServer, ProductionServers } from '../policy/production-servers.ts';
import { giveMemoryBack } from '../system/allocator.ts';
import { bindSources, type BoundSources } from './bound-sources.ts';
import { isReadByAll } from './file-share.ts';
import { ledgerLayout, ledgerNames, ledgerPaths } from './ledger-layout.ts';
import type { TargetSupplies, WorkerCommand } from './messages.ts';
import { listedProduction, refuseProductionNames, resolveProduction } from './production.ts';
import { recorderOptions } from './recording.ts';
import { RecordingHandle } from './recording-handle.ts';
import { RelayHandle } from './relay-handle.ts';
import { openSanitizers } from './sanitizing.ts';
import { Shares, type ShareStanding } from './shares.ts';
import { RecentRequests } from './recent-requests.ts';
import { refusal, ReplayAgain } from './replay-again.ts';
import { showing } from './showing.ts';
import { type Comparison, startComparison } from './comparison.ts';
import { checkTarget, createRateLimit, openTargetRewriter, readAuthority } from './targets.ts';
import { Watchdog } from './watchdog.ts';
import { WorkerHandle } from './worker-handle.ts';

/** Workers publish ten times a second; one that has been silent for this long does not run. */
const silentMsMax = 5_000;

/** A stop waits this much longer than the drain before it takes a worker for dead. */
const stopGraceMs = 3_000;

/** Ramps look at their targets this often. */
const rampEveryMs = 1_000;

/** What cannot change while the mirror runs. */
const lasting = ['sources', 'compare', 'run', 'record', 'aws', 'guards', 'workers', 'drainMs', 'health', 'metrics', 'control', 'dashboard', 'ledger'] as const satisfies (keyof MirrorConfig)[];

export interface EngineEvents {
  warning(text: string): void;
  /** Something that happened and is no trouble. */
  notice(text: string): void;
  /** A ramp gave a target another share, which was told as a notice, too. */
  ramped(text: string): void;
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
  readonly #again = new ReplayAgain();
  #production: ListedServer[] = [];
  /** Servers that were seen to answer for production, told to every worker. */
  readonly #learned = new Set<string>();
  #supplies: TargetSupplies = { authorities: [], rateLimits: [], shares: [] };
  #workers: WorkerHandle[] = [];
  #bound: BoundSources | null = null;
  #rampTimer: NodeJS.Timeout | undefined;
  /** Null when nothing is compared. */
  #compared: Comparison | null = null;
  /** Null when nothing is recorded. */
  #recording: RecordingHandle | null = null;
  /** Null when no source is a proxy. */
  #relay: RelayHandle | null = null;
  #hidden: string | null;
  /** Some of the latest requests with all outcomes; empty without a dashboard. */
  readonly recentRequests = new RecentRequests();
  #state: 'new' | 'running' | 'draining' | 'stopped' = 'new';
  #halted = false;
  #failure: string | null = null;
  #aborted = false;

  constructor(config: MirrorConfig, events: EngineEvents) {
    this.#config = config;
    this.#hidden = showing(config)?.hidden ?? null;
    this.#events = events;
    this.#layout = ledgerLayout(ledgerNames(config));
    this.#shares = new Shares(config.targets, performance.now(), {
      changed: (target, share, text) => {
        events.notice(text);
        events.ramped(text);
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
      this.#compared = await startComparison(config, showing(config), (text) => this.#events.warning(text));
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

  /** Answers by latency bucket (ledger/histogram.ts) since the start: production's, and each target's. */
  latencies(): { production: number[]; targets: Record<string, number[]> } {
    const rows = this.#workers.map(({ shared }) => readRow(shared));
    const targets = this.#config.targets.map(({ name }) => [name, latencyCounts(this.#layout, rows, name)] as const);
    return { production: productionLatencyCounts(this.#layout, rows), targets: Object.fromEntries(targets) };
  }

  /** How each target's share stands, by its name. */
  shares(): Record<string, ShareStanding> {
    return this.#shares.standings();
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
    const rules = this.#compared?.rules.read();
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
    // What came before stays as it is, and hidden.
    this.#hidden ??= showing(this.#config)?.hidden ?? null;
    if (policy.sanitize === undefined) this.#compared?.becomesUnsanitized(this.#hidden);
    this.#relay?.reload();
    await this.#bound?.followTargets(targets.map(({ url }) => new URL(url)));
    await this.#command({ type: 'reload', policy, targets, supplies: this.#supplies, paths });
    if (rules !== undefined) await this.#compared?.useRules(rules);
    return lasting.filter((name) => !isDeepStrictEqual(config[name], before[name]));
  }

  /**
   * The kill switch: no byte leaves for any target once this has resolved. The capture goes on; what it brings, and what
   * was waiting or under way, ends as `blocked.kill_switch` until `resume`.
   */
  async halt(): Promise<void> {
    this.#halted = true;
    this.#again.halt();
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

  /** Why a dashboard does not show what is in requests and answers; null when it does. */
  get hidden(): string | null {
    return this.#hidden;
  }

  /**
   * Sends a compared request to the candidate again, and compares its answer with the baseline's to the first. Rejects
   * with a `DoubletakeError` that says why when it must not be sent, or nothing came of it.
   */
  async replayAgain(id: string, targetName: string): Promise<ShownPair> {
    const { policy, targets, compare } = this.#config;
    const target = targets.find(({ name }) => name === targetName);
    if (this.#compared === null || compare === undefined || target === undefined || !this.#compared.replayable.includes(targetName)) {
      throw refusal(`requests are kept as the candidate got them, and can be sent to no other target: ${targetName}`);
    }
    const request = await this.#compared.sentRequest(id);
    if (allowedMethods(policy.methods)?.has(request.method) === false) throw refusal(`${request.method} is not replayed (policy.methods)`);
    // Last, so that nothing leaves after the switch.
    if (this.#halted || this.#state !== 'running') throw refusal('all replay is stopped');
    if (this.#shares.percentageOf(targetName) === 0) throw refusal(`target ${targetName} is turned off`);
    const authority = this.#supplies.authorities[targets.indexOf(target)] ?? null;
    const answer = await this.#again.send(request, { target, authority, policy, production: this.#knownProduction(), keepBodyBytesMax: compare.bodyBytesMax });
    return this.#compared.answeredAgain(id, answer);
  }

  /** What the comparison has come to, a few seconds old while it runs; null when there is none. */
  get comparison(): RunReport | null {
    return this.#compared?.latest ?? null;
  }

  /** Null when nothing is compared. */
  get compared(): Comparison | null {
    return this.#compared;
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
    await this.#compared?.close(report);
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
    const latest = this.comparison;
    if (latest === null) return {};
    const { verdict, pairs, mismatches } = latest;
    return { comparison: { verdict, pairs, mismatches } };
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
    const production = this.#knownProduction();
    await Promise.all(
      targets.map(async (target, position) => {
        if (present.some((known) => isDeepStrictEqual(known, target))) return;
        await checkTarget(target, authorities[position] ?? null, production);
      }),
    );
    return { authorities, rateLimits: targets.map(createRateLimit), shares: targets.map(({ name }) => this.#shares.percentageOf(name) / 100) };
  }

  #knownProduction(): ProductionServers {
    const production = new ProductionServers(this.#production);
    for (const endpoint of this.#learned) production.learn(endpoint);
    return production;
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
          pairs: this.#compared?.ports[index] ?? null,
          records: this.#recording?.ports[index] ?? null,
          shown: showing(this.#config),
          shared: createSharedRow(this.#layout),
          runId,
        },
        {
          warning: (text) => this.#events.warning(text),
          notice: (text) => this.#events.notice(text),
          production: (endpoint) => this.#learnProduction(endpoint),
          requests: (entries) => {
            for (const entry of entries) this.recentRequests.push(entry);
          },
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
