/**
 * Writes blocks to a folder of segments: begins a new one when one is large or old, removes those beyond the bounds, and
 * goes on when the disk is full or the folder is gone: what cannot be written is given back as failed, and after a while
 * it is tried again, in a new segment.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { RecordBlock } from './record-block.ts';
import { fileProblem, RecordingError } from './recording-error.ts';
import { retain, type RetentionRule, segmentName } from './segment-folder.ts';
import { SegmentWriter } from './segment-writer.ts';

/** After a failure this long nothing is tried. */
const retryMs = 1_000;

export interface RecorderOptions {
  /** Folder of the segments; made when it is not there. */
  directory: string;
  /** Text from which the key is made; null writes unencrypted. */
  key: string | null;
  /** A segment that has come to this length or age is closed. */
  rotateBytes: number;
  rotateMs: number;
  retain: RetentionRule;
}

export interface RecorderEvents {
  /** Recording fails: once, until it works again. */
  warning(text: string): void;
  /** It works again. */
  notice(text: string): void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #events: RecorderEvents;
  readonly #folder: string;
  readonly #run = randomBytes(4).toString('hex');
  #number = 0;
  #segment: SegmentWriter | null = null;
  /** While recording fails: when it is tried again, and what was lost. */
  #failing: { retryAtMs: number; exchanges: number } | null = null;
  /** The error that the last failure came from. */
  #cause: unknown = null;

  constructor(options: RecorderOptions, events: RecorderEvents) {
    this.#options = options;
    this.#events = events;
    this.#folder = resolve(options.directory);
  }

  /** Makes the folder. Throws RecordingError DT_RECORDING_WRITE when it cannot be written to. */
  open(): void {
    try {
      this.#makeFolder();
      accessSync(this.#folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw this.#writeError(error);
    }
  }

  /** Bytes that the block takes on the disk; null when it could not be written. `nowMs`: milliseconds since the epoch. */
  write(block: RecordBlock, nowMs: number): number | null {
    if (this.#failing !== null && nowMs < this.#failing.retryAtMs) {
      this.#failing.exchanges += block.records;
      return null;
    }
    try {
      this.#rotate(nowMs);
      this.#segment ??= this.#begin(nowMs);
      const bytes = this.#segment.write(block);
      if (this.#failing !== null) {
        this.#events.notice(`recording goes on in ${this.#folder}; ${this.#failing.exchanges} exchanges were not recorded`);
        this.#failing = null;
      }
      return bytes;
    } catch (error) {
      this.#fail(error, block.records, nowMs);
      return null;
    }
  }

  /** What is due by time alone: closing a segment that is old, removing those beyond the bounds. */
  tick(nowMs: number): void {
    try {
      this.#rotate(nowMs);
      this.#retain(nowMs);
    } catch (error) {
      // A failure to remove is told when writing fails for it: the folder is gone, or no longer ours.
      if (this.#failing === null && this.#segment !== null) this.#fail(error, 0, nowMs);
    }
  }

  /** Closes the segment. Throws RecordingError DT_RECORDING_WRITE; its blocks are on the disk all the same. */
  close(): void {
    const segment = this.#segment;
    this.#segment = null;
    try {
      segment?.close();
    } catch (error) {
      segment?.abandon();
      throw this.#writeError(error);
    }
  }

  /** What the last block that could not be written failed for. */
  error(): RecordingError {
    return this.#writeError(this.#cause);
  }

  #rotate(nowMs: number): void {
    const segment = this.#segment;
    if (segment === null) return;
    const { rotateBytes, rotateMs } = this.#options;
    if (segment.bytes < rotateBytes && nowMs - segment.createdUs / 1_000 < rotateMs) return;
    segment.close();
    this.#segment = null;
  }

  #begin(nowMs: number): SegmentWriter {
    this.#makeFolder();
    this.#retain(nowMs);
    const path = join(this.#folder, segmentName(nowMs, this.#run, ++this.#number));
    return new SegmentWriter(path, { key: this.#options.key, createdUs: nowMs * 1_000 });
  }

  #retain(nowMs: number): void {
    retain(this.#folder, this.#options.retain, this.#segment === null ? null : basename(this.#segment.path), nowMs);
  }

  #makeFolder(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  #fail(error: unknown, exchanges: number, nowMs: number): void {
    this.#cause = error;
    const segment = this.#segment;
    this.#segment = null;
    segment?.abandon();
    if (this.#failing === null) {
      const { code, message } = this.#writeError(error);
      this.#events.warning(`${message} [${code}]; it is tried again every second`);
    }
    this.#failing = { retryAtMs: nowMs + retryMs, exchanges: exchanges + (this.#failing?.exchanges ?? 0) };
  }

  #writeError(error: unknown): RecordingError {
    return new RecordingError('DT_RECORDING_WRITE', `cannot record to ${this.#folder}: ${fileProblem(error)}`, { cause: error });
  }
}
