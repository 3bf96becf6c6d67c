/** Writes exchanges to a folder of segments, for programs that have them one by one. */
import type { RecordedExchange } from './recorded-exchange.ts';

export interface RecordingWriterOptions {
  /** Folder of the segments; made when it is not there. */
  directory: string;
  /** Text from which the key is made; null writes unencrypted. */
  key?: string | null;
}

export class RecordingWriter {
  constructor(_options: RecordingWriterOptions) {
    throw new Error('not built yet');
  }

  /** Throws RecordingError DT_RECORDING_WRITE when what is full cannot be written. */
  append(_exchange: RecordedExchange): void {}

  /** Writes what is left and closes the segment. Throws RecordingError DT_RECORDING_WRITE. */
  close(): void {}
}
