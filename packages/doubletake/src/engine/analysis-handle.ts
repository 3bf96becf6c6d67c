/** The main thread's hold on the analysis thread: its start, what it has come to, its end. */
import type { MessagePort } from 'node:worker_threads';
import type { CompareRule } from '../config/compare-schema.ts';
import type { RunReport } from '../compare/report.ts';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import type { AnalysisAnswer, AnalysisStart, ToAnalysis } from './analysis-messages.ts';
import type { RunQuestions } from './run-answers.ts';
import { SideThread } from './side-thread.ts';

/** A report that takes longer is not waited for. */
const reportMsMax = 5_000;
/** The last pairs and the store, at the end. */
const closeMsMax = 30_000;

/** Asked and not answered. */
const questionsMax = 64;

export interface AnalysisEvents {
  warning(text: string): void;
}

export class AnalysisHandle {
  readonly #thread: SideThread<ToAnalysis, AnalysisAnswer>;
  #waiting: ((report: RunReport | null) => void)[] = [];
  /** Questions that are not answered yet, by number. */
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #lastQuestion = 0;
  #closed: RunReport | null = null;

  constructor(workers: number, events: AnalysisEvents) {
    this.#thread = new SideThread({ name: 'analysis', called: 'the comparison', closeMsMax }, workers, {
      warning: (text) => events.warning(text),
      said: (message) => this.#take(message),
      ended: () => {
        for (const tell of this.#waiting.splice(0)) tell(null);
        for (const question of this.#asked.values()) question.reject(gone());
        this.#asked.clear();
      },
    });
  }

  /** By worker: its end of the way to the analysis. */
  get ports(): readonly MessagePort[] {
    return this.#thread.ports;
  }

  /** Resolves when pairs can be taken; rejects with a `DoubletakeError` when the run cannot be written. */
  start(start: Omit<AnalysisStart, 'ports'>): Promise<void> {
    return this.#thread.start(start);
  }

  /** What the comparison has come to; null when it does not say. */
  report(): Promise<RunReport | null> {
    if (!this.#thread.running) return Promise.resolve(this.#closed);
    const { promise, resolve } = Promise.withResolvers<RunReport | null>();
    this.#waiting.push(resolve);
    const timer = setTimeout(() => resolve(null), reportMsMax);
    this.#thread.say({ type: 'report' });
    return promise.finally(() => clearTimeout(timer));
  }

  /** What a dashboard asks; rejects as `RunQuestions` do, with DT_BUSY also when the comparison is over. */
  ask<Name extends keyof RunQuestions>(name: Name, ...args: Parameters<RunQuestions[Name]>): ReturnType<RunQuestions[Name]> {
    const refused = !this.#thread.running ? gone() : this.#asked.size >= questionsMax ? busy() : null;
    const answer = refused === null ? this.#ask((number) => ({ type: 'ask', number, name, args })) : Promise.reject(refused);
    return answer as ReturnType<RunQuestions[Name]>;
  }

  /** Resolves when pairs are compared by these rules, and these clusters are accepted; at once when nothing is compared any more. */
  async setRules(rules: readonly CompareRule[], accepted: readonly string[]): Promise<void> {
    if (!this.#thread.running) return;
    await this.#ask((number) => ({ type: 'rules', number, rules, accepted }));
  }

  /** What is compared from now on is not made safe; `hidden` as in `AnalysisStart`. */
  becomesUnsanitized(hidden: string | null): void {
    this.#thread.say({ type: 'unsanitized', hidden });
  }

  /** Works off what was sent, writes the run, and resolves with the last report; null when the thread died. */
  async close(ledger: LedgerReport): Promise<RunReport | null> {
    await this.#thread.close({ type: 'close', ledger });
    return this.#closed;
  }

  #ask(message: (number: number) => ToAnalysis): Promise<unknown> {
    const question = Promise.withResolvers<unknown>();
    const number = ++this.#lastQuestion;
    this.#asked.set(number, question);
    this.#thread.say(message(number));
    return question.promise;
  }

  #question(number: number): PromiseWithResolvers<unknown> | undefined {
    const question = this.#asked.get(number);
    this.#asked.delete(number);
    return question;
  }

  #take(message: AnalysisAnswer): void {
    switch (message.type) {
      case 'closed':
        this.#closed = message.report;
        return;
      case 'report':
        for (const tell of this.#waiting.splice(0)) tell(message.report);
        return;
      case 'answer':
        return this.#question(message.number)?.resolve(message.answer);
      case 'refused':
        return this.#question(message.number)?.reject(new DoubletakeError(message.code, message.text));
    }
  }
}

function gone(): DoubletakeError {
  return new DoubletakeError('DT_BUSY', 'the comparison is over');
}

function busy(): DoubletakeError {
  return new DoubletakeError('DT_BUSY', 'too much is asked of the run at once');
}
