/** The main thread's hold on the recording thread: its start and its end. */
import type { MessagePort } from 'node:worker_threads';
import type { RecorderOptions } from '../recording/recorder.ts';
import type { RecordingNotice, RecordingStart, ToRecording } from './recording-messages.ts';
import { SideThread } from './side-thread.ts';

/** The last segment, at the end. */
const closeMsMax = 10_000;

export interface RecordingEvents {
  warning(text: string): void;
  notice(text: string): void;
}

export class RecordingHandle {
  readonly #thread: SideThread<ToRecording, RecordingNotice>;

  constructor(workers: number, events: RecordingEvents) {
    this.#thread = new SideThread({ name: 'recording', called: 'the recording', closeMsMax }, workers, {
      warning: (text) => events.warning(text),
      said: ({ text }) => events.notice(text),
      ended: () => {},
    });
  }

  /** By worker: its end of the way to the recording. */
  get ports(): readonly MessagePort[] {
    return this.#thread.ports;
  }

  /** Resolves when blocks can be taken; rejects with a `DoubletakeError` when the folder cannot be written to. */
  start(options: RecorderOptions): Promise<void> {
    return this.#thread.start({ options } satisfies Omit<RecordingStart, 'ports'>);
  }

  /** Writes what was sent, and closes the last segment. */
  close(): Promise<void> {
    return this.#thread.close('close');
  }
}
