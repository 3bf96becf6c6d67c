/** The main thread's hold on the analysis thread: its start, what it has come to, its end. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { CompareRule } from '../config/compare-schema.ts';
import type { RunReport } from '../compare/report.ts';
import { DoubletakeError } from '../errors.ts';
import type { LedgerReport } from '../ledger/report.ts';
import type { AnalysisStart, FromAnalysis, ToAnalysis } from './analysis-messages.ts';
import type { RunQuestions } from './run-answers.ts';

const program = new URL(import.meta.url.endsWith('.ts') ? './analysis-thread.ts' : './analysis-thread.js', import.meta.url);

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
  /** By worker: its end of the way to the analysis. */
  readonly ports: readonly MessagePort[];
  readonly #events: AnalysisEvents;
  readonly #ends: readonly MessagePort[];
  #thread: Worker | null = null;
  #waiting: ((report: RunReport | null) => void)[] = [];
  /** Questions that are not answered yet, by number. */
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #lastQuestion = 0;
  #closed: RunReport | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(workers: number, events: AnalysisEvents) {
    this.#events = events;
    const channels = Array.from({ length: workers }, () => new MessageChannel());
    this.ports = channels.map(({ port1 }) => port1);
    this.#ends = channels.map(({ port2 }) => port2);
  }

  /** Resolves when pairs can be taken; rejects with a `DoubletakeError` when the run cannot be written. */
  start(start: Omit<AnalysisStart, 'ports'>): Promise<void> {
    const thread = new Worker(program, {
      workerData: { ...start, ports: this.#ends } satisfies AnalysisStart,
      transferList: [...this.#ends],
      name: 'doubletake-analysis',
    });
    this.#thread = thread;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ended = new Promise((ended) => thread.once('exit', () => ended()));
    thread.on('message', (message: FromAnalysis) => {
      switch (message.type) {
        case 'ready':
          return resolve();
        case 'failed':
          return reject(new DoubletakeError(message.code, message.text));
        case 'warning':
          return this.#events.warning(message.text);
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
    });
    thread.on('error', (error) => {
      reject(error);
      this.#events.warning(`the comparison has failed and is over: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
    thread.once('exit', () => {
      this.#thread = null;
      for (const tell of this.#waiting.splice(0)) tell(null);
      for (const question of this.#asked.values()) question.reject(gone());
      this.#asked.clear();
    });
    return promise;
  }

  /** What the comparison has come to; null when it does not say. */
  report(): Promise<RunReport | null> {
    if (this.#thread === null) return Promise.resolve(this.#closed);
    const { promise, resolve } = Promise.withResolvers<RunReport | null>();
    this.#waiting.push(resolve);
    const timer = setTimeout(() => resolve(null), reportMsMax);
    this.#say({ type: 'report' });
    return promise.finally(() => clearTimeout(timer));
  }

  /** What a dashboard asks; rejects as `RunQuestions` do, with DT_BUSY also when the comparison is over. */
  ask<Name extends keyof RunQuestions>(name: Name, ...args: Parameters<RunQuestions[Name]>): ReturnType<RunQuestions[Name]> {
    const refused = this.#thread === null ? gone() : this.#asked.size >= questionsMax ? busy() : null;
    const answer = refused === null ? this.#ask((number) => ({ type: 'ask', number, name, args })) : Promise.reject(refused);
    return answer as ReturnType<RunQuestions[Name]>;
  }

  /** Resolves when pairs are compared by these rules, and these clusters are accepted; at once when nothing is compared any more. */
  async setRules(rules: readonly CompareRule[], accepted: readonly string[]): Promise<void> {
    if (this.#thread === null) return;
    await this.#ask((number) => ({ type: 'rules', number, rules, accepted }));
  }

  /** What is compared from now on is not made safe; `hidden` as in `AnalysisStart`. */
  becomesUnsanitized(hidden: string | null): void {
    this.#say({ type: 'unsanitized', hidden });
  }

  /** Works off what was sent, writes the run, and resolves with the last report; null when the thread died. */
  async close(ledger: LedgerReport): Promise<RunReport | null> {
    const thread = this.#thread;
    if (thread === null) return this.#closed;
    this.#say({ type: 'close', ledger });
    const force = setTimeout(() => {
      this.#events.warning(`the comparison did not end within ${closeMsMax / 1_000} s`);
      void thread.terminate();
    }, closeMsMax);
    await this.#ended;
    clearTimeout(force);
    return this.#closed;
  }

  #ask(message: (number: number) => ToAnalysis): Promise<unknown> {
    const question = Promise.withResolvers<unknown>();
    const number = ++this.#lastQuestion;
    this.#asked.set(number, question);
    this.#say(message(number));
    return question.promise;
  }

  #question(number: number): PromiseWithResolvers<unknown> | undefined {
    const question = this.#asked.get(number);
    this.#asked.delete(number);
    return question;
  }

  #say(message: ToAnalysis): void {
    this.#thread?.postMessage(message);
  }
}

function gone(): DoubletakeError {
  return new DoubletakeError('DT_BUSY', 'the comparison is over');
}

function busy(): DoubletakeError {
  return new DoubletakeError('DT_BUSY', 'too much is asked of the run at once');
}
