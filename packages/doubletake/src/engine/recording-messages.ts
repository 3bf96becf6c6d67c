/** What the main thread and the recording thread say to each other; the workers' blocks come on ports of their own. */
import type { MessagePort } from 'node:worker_threads';
import type { RecorderOptions } from '../recording/recorder.ts';

export interface RecordingStart {
  options: RecorderOptions;
  /** The workers' ends, one for each. */
  ports: readonly MessagePort[];
}

/** The answer to a block: the bytes that it takes on the disk, or null when it could not be written. */
export type BlockReply = number | null;

/** Everything was sent: close the segment and end. */
export type ToRecording = 'close';

export type FromRecording =
  | { type: 'ready' }
  /** Nothing can be recorded; the thread ends itself. */
  | { type: 'failed'; code: string; text: string }
  | { type: 'warning'; text: string }
  | { type: 'notice'; text: string };
