/** Writes exchanges to a folder of segments, for programs that have them one by one. */
import type { RecordedExchange } from './recorded-exchange.ts';
import { RecordBlockBuilder } from './record-block.ts';
import { Recorder } from './recorder.ts';

/** A block is written when it has come to this length. */
const blockBytesMax = 1_048_576;

export interface RecordingWriterOptions {
  /** Folder of the segments; made when it is not there. */
  directory: string;
  /** Text from which the key is made; null writes unencrypted. */
  key?: string | null;
  /** A segment that has come to this length is closed; 256 MiB unless given. */
  rotateBytes?: number;
}

export class RecordingWriter {
  readonly #recorder: Recorder;
  readonly #block = new RecordBlockBuilder();

  /** Throws RecordingError DT_RECORDING_WRITE when the folder cannot be written to. */
  constructor({ directory, key = null, rotateBytes = 268_435_456 }: RecordingWriterOptions) {
    this.#recorder = new Recorder(
      { directory, key, rotateBytes, rotateMs: Infinity, retain: { ageMs: null, bytes: null } },
      { warning: () => {}, notice: () => {} },
    );
    this.#recorder.open();
  }

  /** Throws RecordingError DT_RECORDING_WRITE when what is full cannot be written. */
  append(exchange: RecordedExchange): void {
    this.#block.add(exchange);
    if (this.#block.byteLength >= blockBytesMax) this.#flush();
  }

  /** Writes what is left and closes the segment. Throws RecordingError DT_RECORDING_WRITE. */
  close(): void {
    if (this.#block.records > 0) this.#flush();
    this.#recorder.close();
  }

  #flush(): void {
    if (this.#recorder.write(this.#block.take(), Date.now()) === null) throw this.#recorder.error();
  }
}
