/**
 * The main thread's end of a comparison: what it has come to, what may be asked of it, and the rules by which it
 * compares, which can be changed while it runs.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Answer } from '../compare/pair.ts';
import type { RunReport } from '../compare/report.ts';
import type { ShownPair } from '../compare/shown/shown-pair.ts';
import type { RulesChange } from '../config/rules-edit.ts';
import type { RulesFile } from '../config/rules-file.ts';
import type { MirrorConfig } from '../config/schema.ts';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { AnalysisHandle } from './analysis-handle.ts';
import { ownHosts, pairingOptions } from './comparing.ts';
import { RulesBook } from './rules-book.ts';
import { runFolder } from './run-folder.ts';
import type { RunQuestions, StoredRequest } from './run-answers.ts';

/** How often it is asked what it has come to. */
const askEveryMs = 3_000;
/** The same where somebody may be looking: as often as costs a twentieth of the analysis thread at most. */
const lookEveryMsMin = 500;
const lookShare = 1 / 20;

/**
 * Starts the analysis thread; null when nothing is compared. `shown` is what a dashboard may see, null without one.
 * Rejects with a `DoubletakeError` when the run cannot be written, or the rules file has mistakes.
 */
export async function startComparison(
  config: MirrorConfig,
  shown: { hidden: string | null } | null,
  warning: (text: string) => void,
): Promise<Comparison | null> {
  const { compare, run, workers, policy } = config;
  if (compare === undefined) return null;
  const rules = new RulesBook(compare);
  const analysis = new AnalysisHandle(workers, { warning });
  await analysis.start({
    compare: { ...compare, rules: [...rules.rules] },
    accepted: rules.acceptedIds,
    ownHosts: ownHosts(config),
    run: run === undefined ? null : runFolder(run, new Date()),
    sanitized: policy.sanitize !== undefined,
    shown,
  });
  return new Comparison(analysis, rules, pairingOptions(config)?.candidate ?? null, shown === null ? askEveryMs : lookEveryMsMin);
}

export class Comparison {
  readonly rules: RulesBook;
  readonly questions: RunQuestions;
  /** Targets to which compared requests can be sent again: they are kept in the form that the candidate got. */
  readonly replayable: readonly string[];
  readonly #analysis: AnalysisHandle;
  readonly #everyMsMin: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #latest: RunReport | null = null;

  /** It is asked every `everyMsMin`, or less often where that would cost too much. */
  constructor(analysis: AnalysisHandle, rules: RulesBook, candidate: string | null, everyMsMin: number) {
    this.#analysis = analysis;
    this.#everyMsMin = everyMsMin;
    this.rules = rules;
    this.replayable = candidate === null ? [] : [candidate];
    this.questions = {
      cluster: (...args) => analysis.ask('cluster', ...args),
      requests: (...args) => analysis.ask('requests', ...args),
      request: (...args) => analysis.ask('request', ...args),
      sentRequest: (...args) => analysis.ask('sentRequest', ...args),
      answeredAgain: (...args) => analysis.ask('answeredAgain', ...args),
      preview: (...args) => analysis.ask('preview', ...args),
    };
    this.#askLater(everyMsMin);
  }

  /** By worker: its end of the way to the analysis. */
  get ports(): readonly MessagePort[] {
    return this.#analysis.ports;
  }

  /** What it has come to, a few seconds old; null before the first time. */
  get latest(): RunReport | null {
    return this.#latest;
  }

  /**
   * Changes the rules file, and compares by what it says from then on. Rejects with a `DoubletakeError`, and everything
   * as it was, when that cannot be.
   */
  async changeRules(change: RulesChange): Promise<void> {
    await this.rules.change(change);
    await this.#applyRules();
  }

  /** Accepts a difference that was found: it counts no more. Rejects as `changeRules`. */
  async accept(cluster: string, note: string): Promise<void> {
    const found = this.#latest?.clusters.find(({ id }) => id === cluster);
    if (found === undefined) throw new DoubletakeError('DT_NOT_FOUND', `there is no difference ${cluster}`);
    const { endpoint, path, cause } = found;
    await this.changeRules({ type: 'accept', accepted: { cluster, text: `${endpoint} ${path}: ${cause}`, note } });
  }

  /** What was read of the rules file holds from now on. */
  async useRules(ofFile: RulesFile): Promise<void> {
    this.rules.use(ofFile);
    await this.#applyRules();
  }

  /** The request of a pair as it went out. Rejects with DT_NOT_FOUND when it is not kept. */
  async sentRequest(id: string): Promise<StoredRequest> {
    return whereKept(await this.questions.sentRequest(id));
  }

  /** A pair with another answer of the candidate, compared by the rules in force. Rejects with DT_NOT_FOUND when it is not kept. */
  async answeredAgain(id: string, answer: Answer): Promise<ShownPair> {
    return whereKept(await this.questions.answeredAgain(id, answer));
  }

  /** What is compared from now on is not made safe; `hidden` says why it is not shown. */
  becomesUnsanitized(hidden: string | null): void {
    this.#analysis.becomesUnsanitized(hidden);
  }

  /** Works off what was sent, and writes the run. */
  async close(ledger: LedgerReport): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#latest = (await this.#analysis.close(ledger)) ?? this.#latest;
  }

  #askLater(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      const startMs = performance.now();
      void this.#ask().then(() => this.#askLater(Math.max(this.#everyMsMin, (performance.now() - startMs) / lookShare)));
    }, ms);
  }

  async #ask(): Promise<void> {
    this.#latest = (await this.#analysis.report()) ?? this.#latest;
  }

  async #applyRules(): Promise<void> {
    await this.#analysis.setRules(this.rules.rules, this.rules.acceptedIds);
    await this.#ask();
  }
}

function whereKept<T>(kept: T | null): T {
  if (kept === null) throw new DoubletakeError('DT_NOT_FOUND', 'the request is no longer kept, so that it cannot be sent again');
  return kept;
}
