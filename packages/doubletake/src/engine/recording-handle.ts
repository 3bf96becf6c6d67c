/** The main thread's hold on the recording thread: its start and its end. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { DoubletakeError } from '../errors.ts';
import type { RecorderOptions } from '../recording/recorder.ts';
import type { FromRecording, RecordingStart, ToRecording } from './recording-messages.ts';

const program = new URL(import.meta.url.endsWith('.ts') ? './recording-thread.ts' : './recording-thread.js', import.meta.url);

/** The last segment, at the end. */
const closeMsMax = 10_000;

export interface RecordingEvents {
  warning(text: string): void;
  notice(text: string): void;
}

export class RecordingHandle {
  /** By worker: its end of the way to the recording. */
  readonly ports: readonly MessagePort[];
  readonly #events: RecordingEvents;
  readonly #ends: readonly MessagePort[];
  #thread: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(workers: number, events: RecordingEvents) {
    this.#events = events;
    const channels = Array.from({ length: workers }, () => new MessageChannel());
    this.ports = channels.map(({ port1 }) => port1);
    this.#ends = channels.map(({ port2 }) => port2);
  }

  /** Resolves when blocks can be taken; rejects with a `DoubletakeError` when the folder cannot be written to. */
  start(options: RecorderOptions): Promise<void> {
    const thread = new Worker(program, {
      workerData: { options, ports: this.#ends } satisfies RecordingStart,
      transferList: [...this.#ends],
      name: 'doubletake-recording',
    });
    this.#thread = thread;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ended = new Promise((ended) => thread.once('exit', () => ended()));
    thread.on('message', (message: FromRecording) => {
      switch (message.type) {
        case 'ready':
          return resolve();
        case 'failed':
          return reject(new DoubletakeError(message.code, message.text));
        case 'warning':
          return this.#events.warning(message.text);
        case 'notice':
          return this.#events.notice(message.text);
      }
    });
    thread.on('error', (error) => {
      reject(error);
      this.#events.warning(`the recording has failed and is over: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    });
    thread.once('exit', () => {
      this.#thread = null;
    });
    return promise;
  }

  /** Writes what was sent, and closes the last segment. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    thread.postMessage('close' satisfies ToRecording);
    const force = setTimeout(() => {
      this.#events.warning(`the recording did not end within ${closeMsMax / 1_000} s`);
      void thread.terminate();
    }, closeMsMax);
    await this.#ended;
    clearTimeout(force);
  }
}
