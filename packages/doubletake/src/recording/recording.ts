/**
 * Reads recordings: all segments of all folders that are given as one, in the order in which the requests began.
 *
 * Exchanges are recorded when they have ended, by several workers, so that the times of blocks overlap. A block is taken
 * up when the order comes to its first request, and dropped behind its last. What is unfolded at once is bounded: beyond
 * that a block is dropped and unfolded again when it is needed.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Cursor, type Planned, Unfolded } from './block-cursor.ts';
import { Heap } from './heap.ts';
import { hashOfLabel } from './record-codec.ts';
import type { RecordedExchange } from './recorded-exchange.ts';
import { fileProblem, RecordingError } from './recording-error.ts';
import { isSegment, segmentHeaderBytes } from './segment-format.ts';
import { segmentsIn } from './segment-folder.ts';
import { SegmentReader } from './segment-reader.ts';

/** Exchanges that are handed over at once. */
const batchMax = 256;

export interface RecordingOptions {
  /** Text from which the key of an encrypted recording is made; null where there is none. */
  key?: string | null;
  /** Only requests that began from here on, and before there; microseconds since the epoch. */
  fromUs?: number;
  toUs?: number;
  /** Longer response bodies are left out: `body` is null, `bodyBytes` says their length. All are there unless given. */
  responseBodyBytesMax?: number;
  /** Only the exchanges of the connections with this label, `client:port>server:port`. */
  connection?: string;
}

/** An open recording: what is known of it before it is read, and its exchanges, each time anew. */
export interface Recording extends AsyncIterable<RecordedExchange> {
  /** The same exchanges, many at a time: to wait for each costs as much as to read it. */
  batches(): AsyncIterable<readonly RecordedExchange[]>;
  /** Exchanges in the blocks that will be read; filtered by time and connection they may be fewer. */
  readonly exchanges: number;
  /** When the first and the last request began, microseconds since the epoch; 0 when there is none. */
  readonly firstUs: number;
  readonly lastUs: number;
  /** Bytes on the disk. */
  readonly bytes: number;
  readonly segments: number;
  /** What could not be read, a line each: cut segments when it was opened, damaged blocks as they are met. */
  readonly warnings: readonly string[];
}

/**
 * Opens recordings: folders with segments, or segment files. Buffers of what it yields stay as they are.
 * Throws RecordingError: DT_RECORDING_NOT_FOUND, DT_RECORDING_NOT_RECOGNISED (no segment of ours, or of another version),
 * DT_RECORDING_KEY (encrypted, and the key is missing or wrong), DT_RECORDING_UNREADABLE.
 */
export async function openRecording(paths: readonly string[], options: RecordingOptions = {}): Promise<Recording> {
  const segments: SegmentReader[] = [];
  for (const path of new Set(paths.flatMap(segmentPaths))) segments.push(await SegmentReader.open(path, options.key ?? null));
  return new OpenRecording(segments, options);
}

/** Whether a path is that of a recording, so far as can be seen: a folder, or a file that begins as a segment. */
export function isRecording(path: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
    const descriptor = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(segmentHeaderBytes);
      return isSegment(bytes.subarray(0, readSync(descriptor, bytes)));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

function segmentPaths(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = segmentsIn(path);
    if (names.length > 0) return names.map((name) => join(path, name));
    const rest = readdirSync(path).length === 0 ? 'it is empty' : 'it holds other files';
    throw new RecordingError('DT_RECORDING_NOT_FOUND', `there is no recording in ${path}: ${rest}`);
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    const gone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new RecordingError(gone ? 'DT_RECORDING_NOT_FOUND' : 'DT_RECORDING_UNREADABLE', `cannot read ${path}: ${fileProblem(error)}`, { cause: error });
  }
}

class OpenRecording implements Recording {
  readonly exchanges: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly bytes: number;
  readonly segments: number;
  readonly warnings: string[];
  readonly #options: RecordingOptions;
  /** In the order of their first requests. */
  readonly #plan: readonly Planned[];

  constructor(segments: readonly SegmentReader[], options: RecordingOptions) {
    const { fromUs = 0, toUs = Infinity, connection } = options;
    const hash = connection === undefined ? null : hashOfLabel(connection);
    this.#options = options;
    this.#plan = segments
      .flatMap((segment) => segment.blocks.map((entry) => ({ segment, entry })))
      .filter(
        ({ entry: { firstUs, lastUs, records, connections } }) =>
          records > 0 && lastUs >= fromUs && firstUs < toUs && (hash === null || connections === null || connections.includes(hash)),
      )
      .toSorted((a, b) => a.entry.firstUs - b.entry.firstUs);
    const entries = this.#plan.map(({ entry }) => entry);
    this.exchanges = entries.reduce((sum, { records }) => sum + records, 0);
    this.firstUs = entries[0]?.firstUs ?? 0;
    this.lastUs = entries.reduce((last, { lastUs }) => Math.max(last, lastUs), 0);
    this.bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.segments = segments.length;
    this.warnings = segments.flatMap(({ warning }) => warning ?? []);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordedExchange, void, void> {
    for await (const batch of this.batches()) yield* batch;
  }

  async *batches(): AsyncGenerator<RecordedExchange[], void, void> {
    const { fromUs = 0, toUs = Infinity, connection, responseBodyBytesMax } = this.#options;
    const unfolded = new Unfolded((text) => {
      if (!this.warnings.includes(text)) this.warnings.push(text);
    });
    const open = new Heap<Cursor>((a, b) => a.before(b));
    let planned = 0;
    let batch: RecordedExchange[] = [];
    for (;;) {
      let next = this.#plan[planned];
      while (next !== undefined && (open.first === undefined || next.entry.firstUs <= open.first.startUs)) {
        const cursor = new Cursor(next, planned);
        if (await cursor.open(unfolded)) open.push(cursor);
        next = this.#plan[++planned];
        if (next !== undefined) unfolded.loadAhead(next);
      }
      const cursor = open.first;
      if (cursor === undefined || cursor.startUs >= toUs) break;
      const decoder = unfolded.get(cursor) ?? (await unfolded.load(cursor));
      if (decoder !== null && cursor.startUs >= fromUs && (connection === undefined || decoder.label(cursor.offset) === connection)) {
        batch.push(decoder.decode(cursor.offset, responseBodyBytesMax));
      }
      cursor.advance();
      if (cursor.ended) {
        open.take();
        unfolded.drop(cursor);
      } else open.resettleFirst();
      if (batch.length < batchMax) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
}
