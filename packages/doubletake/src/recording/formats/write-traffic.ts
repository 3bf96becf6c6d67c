/** Writes exchanges to a file of another format, or to a recording. */
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { RecordedExchange } from '../recorded-exchange.ts';
import { RecordingWriter } from '../recording-writer.ts';
import { CurlEncoder } from './curl-writer.ts';
import { GorEncoder } from './gor-writer.ts';
import { HarEncoder } from './har-writer.ts';
import { TrafficFileError } from './traffic-file-error.ts';
import { notWhole, type TrafficEncoder } from './traffic-encoder.ts';

/** What can be written. */
export const writtenFormats = ['recording', 'gor', 'har', 'curl'] as const;
export type WrittenFormat = (typeof writtenFormats)[number];

/** The format that a name asks for: by its ending, and a recording where it has none. Null for another ending. */
export function formatOfName(path: string): WrittenFormat | null {
  const name = path.replace(/\/+$/, '').replace(/^.*\//, '').toLowerCase().replace(/\.gz$/, '');
  const dot = name.lastIndexOf('.');
  if (path.endsWith('/') || dot <= 0) return 'recording';
  return ({ gor: 'gor', har: 'har', sh: 'curl' } as const)[name.slice(dot + 1)] ?? null;
}

export interface TrafficWriter {
  /** Null when it was taken, else why it cannot be in this format. Throws when the file cannot be written. */
  write(exchange: RecordedExchange): Promise<string | null>;
  close(): Promise<void>;
}

/** `-` is standard output. A name that ends in `.gz` is written gzipped. */
export function openWriter(path: string, format: WrittenFormat, key: string | null): TrafficWriter {
  if (format === 'recording') return new RecordingTarget(path, key);
  const encoder = format === 'gor' ? new GorEncoder() : format === 'har' ? new HarEncoder() : new CurlEncoder();
  return new FileTarget(path, encoder);
}

class RecordingTarget implements TrafficWriter {
  readonly #writer: RecordingWriter;

  constructor(directory: string, key: string | null) {
    this.#writer = new RecordingWriter({ directory, key });
  }

  // oxlint-disable-next-line require-await -- the others wait
  async write(exchange: RecordedExchange): Promise<string | null> {
    const problem = notWhole(exchange);
    if (problem === null) this.#writer.append(exchange);
    return problem;
  }

  // oxlint-disable-next-line require-await -- as above
  async close(): Promise<void> {
    this.#writer.close();
  }
}

class FileTarget implements TrafficWriter {
  readonly #path: string;
  readonly #encoder: TrafficEncoder;
  readonly #out: Writable;
  readonly #ended: Promise<void>;
  #failure: Error | null = null;
  #begun = false;

  constructor(path: string, encoder: TrafficEncoder) {
    this.#path = path;
    this.#encoder = encoder;
    const file = path === '-' ? process.stdout : createWriteStream(path);
    this.#out = path.endsWith('.gz') ? createGzip() : file;
    if (this.#out !== file) this.#out.pipe(file).on('error', (error) => this.#out.destroy(error));
    this.#out.on('error', (error) => {
      this.#failure = error;
    });
    this.#ended = path === '-' ? Promise.resolve() : finished(file, { readable: false });
    // It is told by the next write, or the close.
    this.#ended.catch(() => {});
  }

  async write(exchange: RecordedExchange): Promise<string | null> {
    const pieces = this.#encoder.encode(exchange);
    if (typeof pieces === 'string') return pieces;
    await this.#begin();
    // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
    for (const piece of pieces) await this.#put(piece);
    return null;
  }

  async close(): Promise<void> {
    await this.#begin();
    await this.#put(this.#encoder.end());
    if (this.#path === '-') return;
    this.#out.end();
    try {
      await this.#ended;
    } catch (error) {
      throw this.#problem(error);
    }
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#put(this.#encoder.begin());
  }

  async #put(bytes: Buffer): Promise<void> {
    if (this.#failure !== null) throw this.#problem(this.#failure);
    if (bytes.length === 0 || this.#out.write(bytes)) return;
    await this.#drained();
    if (this.#failure !== null) throw this.#problem(this.#failure);
  }

  /** Resolves when more can be written, or nothing any more. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#out.off('drain', done).off('close', done);
        resolve();
      };
      this.#out.on('drain', done).on('close', done);
    });
  }

  #problem(error: unknown): TrafficFileError {
    const text = error instanceof Error ? error.message : String(error);
    return new TrafficFileError('DT_TRAFFIC_WRITE', this.#path, `cannot be written: ${text}`, { cause: error });
  }
}
