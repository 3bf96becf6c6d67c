/** What the main thread and the recording thread say to each other; the workers' blocks come on ports of their own. */
import type { MessagePort } from 'node:worker_threads';
import type { RecorderOptions } from '../recording/recorder.ts';
import type { SideThreadNews } from './side-thread.ts';

export interface RecordingStart {
  options: RecorderOptions;
  /** The workers' ends, one for each. */
  ports: readonly MessagePort[];
}

/** The answer to a block, with its buffer, which is used again. */
export interface BlockReply {
  /** Bytes that the block takes on the disk; null when it could not be written. */
  written: number | null;
  buffer: ArrayBuffer;
}

/** Everything was sent: close the segment and end. */
export type ToRecording = 'close';

export interface RecordingNotice {
  type: 'notice';
  text: string;
}

export type FromRecording = SideThreadNews | RecordingNotice;
