/**
 * Reads recordings: all segments of all folders that are given as one, in the order in which the requests began.
 *
 * Exchanges are recorded when they have ended, by several workers, so that the times of blocks overlap. A block is taken
 * up when the order comes to its first request, and dropped behind its last. What is unfolded at once is bounded: beyond
 * that a block is dropped and unfolded again when it is needed.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { indexOfRecord, RecordDecoder, recordEnd, startOfRecord } from './record-codec.ts';
import { hashOfLabel } from './record-block.ts';
import type { RecordedExchange } from './recorded-exchange.ts';
import { fileProblem, RecordingError } from './recording-error.ts';
import type { IndexEntry } from './segment-format.ts';
import { segmentsIn } from './segment-folder.ts';
import { SegmentReader } from './segment-reader.ts';

/** Unfolded blocks that are kept at once, bytes; one that is larger is kept alone. */
const unfoldedBytesMax = 67_108_864;

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

/** Whether a path is that of a recording: a folder with segments, or a file that begins as one. */
export function segmentPaths(path: string): string[] {
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

/** A block that is to be read. */
interface Planned {
  segment: SegmentReader;
  entry: IndexEntry;
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
    const { fromUs = 0, toUs = Infinity, connection } = this.#options;
    const unfolded = new Unfolded((text) => {
      if (!this.warnings.includes(text)) this.warnings.push(text);
    });
    const open = new CursorHeap();
    let planned = 0;
    for (;;) {
      let next = this.#plan[planned];
      while (next !== undefined && (open.first === undefined || next.entry.firstUs <= open.first.startUs)) {
        const cursor = new Cursor(next, planned);
        if (await cursor.open(unfolded)) open.push(cursor);
        next = this.#plan[++planned];
      }
      const cursor = open.first;
      if (cursor === undefined || cursor.startUs >= toUs) return;
      const decoder = unfolded.get(cursor) ?? (await unfolded.load(cursor));
      if (decoder !== null && cursor.startUs >= fromUs && (connection === undefined || decoder.label(cursor.offset) === connection)) {
        yield decoder.decode(cursor.offset);
      }
      open.advance();
      if (cursor.ended) unfolded.drop(cursor);
    }
  }
}

/** A block that is being read: its records in the order of their times, and which one is next. */
class Cursor {
  readonly planned: Planned;
  /** Decides between requests that began at the same time. */
  readonly position: number;
  #starts = new Float64Array(0);
  #offsets = new Uint32Array(0);
  #indexes = new Uint32Array(0);
  #next = 0;

  constructor(planned: Planned, position: number) {
    this.planned = planned;
    this.position = position;
  }

  /** False when there is nothing to read in it. */
  async open(unfolded: Unfolded): Promise<boolean> {
    const decoder = await unfolded.load(this);
    if (decoder === null) return false;
    const { bytes } = decoder;
    const offsets: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = recordEnd(bytes, at);
      if (end === null) {
        unfolded.damaged(this);
        break;
      }
      offsets.push(at);
      at = end;
    }
    const records = offsets.map((offset) => ({ offset, startUs: startOfRecord(bytes, offset), index: indexOfRecord(bytes, offset) }));
    records.sort((a, b) => a.startUs - b.startUs || a.index - b.index);
    this.#starts = Float64Array.from(records, ({ startUs }) => startUs);
    this.#offsets = Uint32Array.from(records, ({ offset }) => offset);
    this.#indexes = Uint32Array.from(records, ({ index }) => index);
    return records.length > 0;
  }

  get ended(): boolean {
    return this.#next >= this.#starts.length;
  }

  get startUs(): number {
    return this.#starts[this.#next] ?? Infinity;
  }

  get offset(): number {
    return this.#offsets[this.#next] ?? 0;
  }

  advance(): void {
    this.#next++;
  }

  /** Whether its next record comes before that of another block. */
  before(other: Cursor): boolean {
    const difference = this.startUs - other.startUs || (this.#indexes[this.#next] ?? 0) - (other.#indexes[other.#next] ?? 0);
    return difference < 0 || (difference === 0 && this.position < other.position);
  }
}

/** The blocks that are being read, the one with the earliest record first (a binary heap). */
class CursorHeap {
  readonly #cursors: Cursor[] = [];

  get first(): Cursor | undefined {
    return this.#cursors[0];
  }

  push(cursor: Cursor): void {
    const cursors = this.#cursors;
    let at = cursors.push(cursor) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!cursors[at].before(cursors[above])) return;
      this.#swap(at, above);
      at = above;
    }
  }

  /** The first one goes on to its next record, and leaves when it has none. */
  advance(): void {
    const cursors = this.#cursors;
    const [first] = cursors;
    if (first === undefined) return;
    first.advance();
    if (first.ended) {
      const last = cursors.pop();
      if (last === undefined || last === first) return;
      cursors[0] = last;
    }
    this.#sink();
  }

  #sink(): void {
    const cursors = this.#cursors;
    for (let at = 0; ; ) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < cursors.length && cursors[below].before(cursors[least])) least = below;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const cursors = this.#cursors;
    const kept = cursors[a];
    cursors[a] = cursors[b];
    cursors[b] = kept;
  }
}

/** The blocks that are unfolded now, the one that was unfolded longest ago first. */
class Unfolded {
  readonly #decoders = new Map<Cursor, { decoder: RecordDecoder; bytes: number }>();
  readonly #warn: (text: string) => void;
  #bytes = 0;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  get(cursor: Cursor): RecordDecoder | undefined {
    return this.#decoders.get(cursor)?.decoder;
  }

  /** Null when the block cannot be read, which is told. */
  async load(cursor: Cursor): Promise<RecordDecoder | null> {
    const { segment, entry } = cursor.planned;
    try {
      const bytes = await segment.load(entry);
      for (const [oldest, held] of this.#decoders) {
        if (this.#bytes + bytes.length <= unfoldedBytesMax) break;
        this.#decoders.delete(oldest);
        this.#bytes -= held.bytes;
      }
      const decoder = new RecordDecoder(bytes);
      this.#decoders.set(cursor, { decoder, bytes: bytes.length });
      this.#bytes += bytes.length;
      return decoder;
    } catch (error) {
      if (!(error instanceof RecordingError)) throw error;
      this.#warn(error.message);
      return null;
    }
  }

  drop(cursor: Cursor): void {
    this.#bytes -= this.#decoders.get(cursor)?.bytes ?? 0;
    this.#decoders.delete(cursor);
  }

  damaged({ planned: { segment, entry } }: Cursor): void {
    this.#warn(`${segment.path}: the block at byte ${entry.offset} holds what is no record; the rest of it is left out`);
  }
}
