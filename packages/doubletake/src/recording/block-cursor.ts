/**
 * Blocks that are being read in the order of their records' times: where each one stands, which is next, and which are
 * unfolded in memory.
 */
import { indexOfRecord, ReadConnections, RecordDecoder, recordEnd, startOfRecord } from './record-codec.ts';
import { RecordingError } from './recording-error.ts';
import type { IndexEntry } from './segment-format.ts';
import { freeNow, type SegmentReader } from './segment-reader.ts';

/** Unfolded blocks that are kept at once, bytes; one that is larger is kept alone. */
const unfoldedBytesMax = 8_388_608;

/** A block that is to be read. */
export interface Planned {
  segment: SegmentReader;
  entry: IndexEntry;
}

/** A block that is being read: its records in the order of their times, and which one is next. */
export class Cursor {
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
    sortByTime(bytes, offsets);
    const { length } = offsets;
    this.#offsets = new Uint32Array(length);
    this.#starts = new Float64Array(length);
    this.#indexes = new Uint32Array(length);
    for (const [position, offset] of offsets.entries()) {
      this.#offsets[position] = offset;
      this.#starts[position] = startOfRecord(bytes, offset);
      this.#indexes[position] = indexOfRecord(bytes, offset);
    }
    return length > 0;
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

/** Most blocks are in order: looking costs less than sorting. */
function sortByTime(bytes: Buffer, offsets: number[]): void {
  const compare = (a: number, b: number): number => startOfRecord(bytes, a) - startOfRecord(bytes, b) || indexOfRecord(bytes, a) - indexOfRecord(bytes, b);
  for (let next = 1; next < offsets.length; next++) {
    if (compare(offsets[next - 1], offsets[next]) <= 0) continue;
    offsets.sort(compare);
    return;
  }
}

/**
 * The blocks that are unfolded now. Where room is needed, the one that is needed last makes way: a block that holds a
 * request which was answered late is taken up long before the others in it are due.
 */
export class Unfolded {
  readonly #decoders = new Map<Cursor, { decoder: RecordDecoder; bytes: number }>();
  readonly #connections = new ReadConnections();
  readonly #warn: (text: string) => void;
  #bytes = 0;
  /** The block that was read last. */
  #last: { cursor: Cursor; decoder: RecordDecoder } | null = null;
  /** The block that will be read next, on its way. */
  #ahead: { entry: IndexEntry; bytes: Promise<Buffer> } | null = null;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  get(cursor: Cursor): RecordDecoder | undefined {
    if (this.#last?.cursor === cursor) return this.#last.decoder;
    const decoder = this.#decoders.get(cursor)?.decoder;
    if (decoder !== undefined) this.#last = { cursor, decoder };
    return decoder;
  }

  /** Begins to read and unfold the block that will be loaded next, so that nobody waits for it then. */
  loadAhead({ segment, entry }: Planned): void {
    const bytes = segment.load(entry);
    // Whoever loads it hears of it.
    bytes.catch(() => {});
    this.#ahead = { entry, bytes };
  }

  /** Null when the block cannot be read, which is told. */
  async load(cursor: Cursor): Promise<RecordDecoder | null> {
    const { segment, entry } = cursor.planned;
    try {
      const bytes = await this.#bytesOf(segment, entry);
      while (this.#decoders.size > 0 && this.#bytes + bytes.length > unfoldedBytesMax) this.#forget(this.#neededLast());
      const decoder = new RecordDecoder(bytes, this.#connections);
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
    this.#forget(cursor);
  }

  damaged({ planned: { segment, entry } }: Cursor): void {
    this.#warn(`${segment.path}: the block at byte ${entry.offset} holds what is no record; the rest of it is left out`);
  }

  #bytesOf(segment: SegmentReader, entry: IndexEntry): Promise<Buffer> {
    const ahead = this.#ahead;
    if (ahead?.entry !== entry) return segment.load(entry);
    this.#ahead = null;
    return ahead.bytes;
  }

  #neededLast(): Cursor {
    const [first, ...rest] = this.#decoders.keys();
    return rest.reduce((last, cursor) => (cursor.startUs > last.startUs ? cursor : last), first);
  }

  #forget(cursor: Cursor): void {
    const held = this.#decoders.get(cursor);
    if (held === undefined) return;
    if (this.#last?.cursor === cursor) this.#last = null;
    this.#decoders.delete(cursor);
    this.#bytes -= held.bytes;
    freeNow(held.decoder.bytes);
  }
}
