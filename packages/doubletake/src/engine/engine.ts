/**
 * Runs a mirror: binds the sockets, starts the workers, sums up their ledgers, watches them and stops them. This is the
 * main thread's part, and it touches no traffic.
 *
 * Lifecycle: `start` resolves when traffic can be taken; `stop` ends the capture, lets the workers drain and resolves
 * with the final ledger; `abort` during that cuts the draining short.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { sourceName } from '../config/sources.ts';
import type { RunReport } from '../compare/report.ts';
import type { ShownPair } from '../compare/shown/shown-pair.ts';
import { DoubletakeError } from '../errors.ts';
import { hostPortText } from '../host-port.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { allowedMethods } from '../policy/policy.ts';
import { type ListedServer, ProductionServers } from '../policy/production-servers.ts';
import { giveMemoryBack } from '../system/allocator.ts';
import { bindSources, type BoundSources } from './bound-sources.ts';
import { isReadByAll } from './file-share.ts';
import { type LatencyCounts, LiveLedger } from './live-ledger.ts';
import type { TargetSupplies, WorkerStart } from './messages.ts';
import { listedProduction, resolveProduction } from './production.ts';
import { recorderOptions } from './recording.ts';
import { RecordingHandle } from './recording-handle.ts';
import { RelayHandle } from './relay-handle.ts';
import { Shares, type ShareStanding } from './shares.ts';
import { RecentRequests } from './recent-requests.ts';
import { refusal, ReplayAgain } from './replay-again.ts';
import { showing } from './showing.ts';
import { type Comparison, startComparison } from './comparison.ts';
import { prepareTargets } from './target-supplies.ts';
import { Watchdog } from './watchdog.ts';
import { Workers } from './workers.ts';

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
  readonly #ledger: LiveLedger;
  readonly #workers: Workers;
  readonly #watchdog: Watchdog;
  readonly #shares: Shares;
  readonly #again = new ReplayAgain();
  /** As listed, names resolved. */
  #listed: ListedServer[] = [];
  /** Those, and servers that were seen to answer for production. */
  #production = new ProductionServers([]);
  #supplies: TargetSupplies = { authorities: [], rateLimits: [], shares: [] };
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
    this.#ledger = new LiveLedger(config);
    this.#workers = this.#createWorkers();
    this.#shares = new Shares(config.targets, performance.now(), {
      changed: (target, share, text) => {
        events.notice(text);
        events.ramped(text);
        void this.#workers.obey({ type: 'share', target, share });
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
    this.#listed = await resolveProduction(listedProduction(config));
    this.#production = new ProductionServers(this.#listed);
    this.#supplies = { ...(await this.#prepare(config, [])), shares: this.#shares.all() };
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
        opened[position] = `proxy=${hostPortText(address)}`;
      });
      this.#state = 'running';
      this.#rampTimer = setInterval(() => this.#shares.observe((target) => this.#ledger.targetReading(target), performance.now()), rampEveryMs);
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
    const report = this.#ledger.report();
    Object.assign(report, this.#summary());
    report.replay = this.#halted ? 'stopped' : 'running';
    for (const [name, target] of Object.entries(report.targets)) target.percentage = this.#shares.percentageOf(name);
    this.#relay?.addCounts(report);
    return report;
  }

  latencies(): LatencyCounts {
    return this.#ledger.latencies(this.#config.targets);
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
    return this.#relay?.problem(nowMs) ?? this.#watchdog.observe(this.#workers.readings(), nowMs);
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
    const { policy, targets } = config;
    const next = { ...before, policy, targets };
    const paths = this.#ledger.extend(next);
    this.#supplies = { ...supplies, shares: this.#shares.replaceTargets(targets, performance.now()) };
    this.#config = next;
    if (before.policy.sanitize !== undefined) this.#warnUnlessSanitized(policy);
    // What came before stays as it is, and hidden.
    this.#hidden ??= showing(this.#config)?.hidden ?? null;
    if (policy.sanitize === undefined) this.#compared?.becomesUnsanitized(this.#hidden);
    this.#relay?.reload();
    await this.#bound?.followTargets(targets.map(({ url }) => new URL(url)));
    await this.#workers.obey({ type: 'reload', policy, targets, supplies: this.#supplies, paths });
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
    await this.#workers.obey({ type: 'halt' });
  }

  async resume(): Promise<void> {
    this.#halted = false;
    await this.#workers.obey({ type: 'resume' });
  }

  /**
   * Gives a target this percentage of what the policy lets through until it is told otherwise; null gives it back to its
   * ramp, or to the percentage in the configuration. Throws a `DoubletakeError` for a target that there is not.
   */
  async setPercentage(target: string, percentage: number | null): Promise<void> {
    const share = this.#shares.setByHand(target, percentage, performance.now());
    await this.#workers.obey({ type: 'share', target, share });
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
    const answer = await this.#again.send(request, { target, authority, policy, production: this.#production, keepBodyBytesMax: compare.bodyBytesMax });
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
    await this.#workers.stop(leftMs, stopGraceMs);
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
    this.#workers.abort();
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

  #prepare(config: MirrorConfig, present: readonly TargetConfig[]): Promise<Omit<TargetSupplies, 'shares'>> {
    return prepareTargets(config, { present, guards: listedProduction(this.#config), production: this.#production });
  }

  #createWorkers(): Workers {
    return new Workers({
      warning: (text) => this.#events.warning(text),
      notice: (text) => this.#events.notice(text),
      exhausted: () => this.#events.exhausted(),
      production: (endpoint) => {
        if (this.#production.learn(endpoint)) this.#workers.learnProduction(endpoint);
      },
      requests: (entries) => {
        for (const entry of entries) this.recentRequests.push(entry);
      },
      died: (index, error) => {
        if (this.#state !== 'running') return;
        this.#failure = `worker ${index} died: ${error.message}`;
        if (this.#relay === null) this.#events.failed(error);
        else this.#events.degraded(error);
      },
    });
  }

  /** Resolves with what each source listens on. */
  async #startWorkers(bound: BoundSources): Promise<string[]> {
    const runId = randomBytes(4).toString('hex');
    const starts = Array.from({ length: this.#config.workers }, (_, index): WorkerStart => ({
      index,
      config: this.#config,
      copies: this.#relay?.supplies[index] ?? null,
      descriptors: bound.descriptors.map((group) => group?.[index] ?? null),
      sharedPorts: bound.sharedPorts,
      supplies: this.#supplies,
      production: this.#listed,
      pairs: this.#compared?.ports[index] ?? null,
      records: this.#recording?.ports[index] ?? null,
      shown: showing(this.#config),
      shared: this.#ledger.addRow(),
      runId,
    }));
    const opened = await this.#workers.start(starts);
    return this.#config.sources.map(
      (source, position) =>
        bound.addresses[position] ??
        opened.map((addresses) => addresses[position]).find((address) => typeof address === 'string') ??
        sourceName(source),
    );
  }
}
