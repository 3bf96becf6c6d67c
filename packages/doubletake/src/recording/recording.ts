/** Reads recordings: all segments of all folders that are given as one, in the order in which the requests began. */
import type { RecordedExchange } from './recorded-exchange.ts';

export interface RecordingOptions {
  /** Text from which the key of an encrypted recording is made; null where there is none. */
  key?: string | null;
  /** Only requests that began from here on, and before there; microseconds since the epoch. */
  fromUs?: number;
  toUs?: number;
  /** Only the exchanges of the connections with this label, `client:port>server:port`. */
  connection?: string;
}

/** An open recording: what is known of it before it is read, and its exchanges, each time anew. */
export interface Recording extends AsyncIterable<RecordedExchange> {
  /** Exchanges in the blocks that will be read; filtered by time and connection they may be fewer. */
  readonly exchanges: number;
  /** When the first and the last request began, microseconds since the epoch; 0 when there is none. */
  readonly firstUs: number;
  readonly lastUs: number;
  /** Bytes on the disk. */
  readonly bytes: number;
  /** What could not be read, a line each: cut segments when it was opened, damaged blocks as they are met. */
  readonly warnings: readonly string[];
}

/**
 * Opens recordings: folders with segments, or segment files. Buffers of what it yields stay as they are.
 * Throws RecordingError: DT_RECORDING_NOT_FOUND, DT_RECORDING_NOT_RECOGNISED (no segment of ours, or of another version),
 * DT_RECORDING_KEY (encrypted, and the key is missing or wrong), DT_RECORDING_UNREADABLE.
 */
export function openRecording(_paths: readonly string[], _options: RecordingOptions = {}): Promise<Recording> {
  throw new Error('not built yet');
}
