/**
 * The main thread's hold on a thread that takes what the workers send, each by a port of its own: its start, what it says,
 * its end. When it dies, its task is over, and the mirror goes on.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { DoubletakeError } from '../errors.ts';
import { threadProgram } from './thread-program.ts';

/** What every such thread says. */
export type SideThreadNews =
  | { type: 'ready' }
  /** It cannot do its task as asked, and ends itself. */
  | { type: 'failed'; code: string; text: string }
  | { type: 'warning'; text: string };

export interface SideThreadTask {
  /** Of its program, and in its name. */
  name: 'analysis' | 'recording';
  /** What it does, as warnings have it. */
  called: string;
  /** It is ended by force when it has not ended this long after it was told to. */
  closeMsMax: number;
}

export interface SideThreadEvents<Said> {
  warning(text: string): void;
  /** It said something that is no news of its own state. */
  said(message: Said): void;
  /** Nothing comes of it any more. */
  ended(): void;
}

export class SideThread<ToSay, Said extends { type: string }> {
  /** By worker: its end of the way to the thread. */
  readonly ports: readonly MessagePort[];
  readonly #task: SideThreadTask;
  readonly #events: SideThreadEvents<Said>;
  readonly #ends: readonly MessagePort[];
  #thread: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(task: SideThreadTask, workers: number, events: SideThreadEvents<Said>) {
    this.#task = task;
    this.#events = events;
    const channels = Array.from({ length: workers }, () => new MessageChannel());
    this.ports = channels.map(({ port1 }) => port1);
    this.#ends = channels.map(({ port2 }) => port2);
  }

  get running(): boolean {
    return this.#thread !== null;
  }

  /** Gives it `data` and, as `ports`, its ends. Resolves when it takes what is sent; rejects with a `DoubletakeError` when it cannot. */
  start(data: object): Promise<void> {
    const { name, called } = this.#task;
    const thread = new Worker(threadProgram(`${name}-thread`), {
      workerData: { ...data, ports: this.#ends },
      transferList: [...this.#ends],
      name: `doubletake-${name}`,
    });
    this.#thread = thread;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ended = new Promise((ended) => thread.once('exit', () => ended()));
    thread.on('message', (message: SideThreadNews | Said) => {
      if (!isNews(message)) return this.#events.said(message);
      switch (message.type) {
        case 'ready':
          return resolve();
        case 'failed':
          return reject(new DoubletakeError(message.code, message.text));
        case 'warning':
          return this.#events.warning(message.text);
      }
    });
    thread.on('error', (error) => {
      reject(error);
      this.#events.warning(`${called} has failed and is over: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
    thread.once('exit', () => {
      reject(new Error(`${called} ended before it was ready`));
      this.#thread = null;
      this.#events.ended();
    });
    return promise;
  }

  /** Says nothing to a thread that has ended. */
  say(message: ToSay): void {
    this.#thread?.postMessage(message);
  }

  /** Tells it to end by `message`, and resolves when it has. */
  async close(message: ToSay): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    const { called, closeMsMax } = this.#task;
    this.say(message);
    const force = setTimeout(() => {
      this.#events.warning(`${called} did not end within ${closeMsMax / 1_000} s`);
      void thread.terminate();
    }, closeMsMax);
    await this.#ended;
    clearTimeout(force);
  }
}

const news: ReadonlySet<string> = new Set<SideThreadNews['type']>(['ready', 'failed', 'warning']);

function isNews(message: { type: string }): message is SideThreadNews {
  return news.has(message.type);
}
