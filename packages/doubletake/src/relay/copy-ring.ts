/**
 * What the relay has relayed, on its way to a worker: records in a ring of shared memory with one writer and one reader,
 * each in a thread of its own. Writing never waits: what finds no room is refused, and the writer goes on.
 *
 * Records lie in the order in which they were written, each in one piece, so that the reader works on views into the
 * ring. A reader that has nothing to do sleeps; the writer is told when it has to be woken.
 */

export const CopyKind = {
  /** A connection that carries bytes; the payload is from `encodeEndpoints`. */
  open: 1,
  data: 2,
  /** Bytes that were relayed and not copied; their number stands in place of the acknowledgement number. */
  gap: 3,
  /** One side sent FIN. */
  end: 4,
  /** Both sides are done, or (`reset` as the direction) the connection was broken off. */
  close: 5,
} as const;
export type CopyKind = (typeof CopyKind)[keyof typeof CopyKind];

/** The record's place is the rest of the ring, and the next begins at its start. */
const wrapMark = -1;

/** Words of the control block: positions in units of 8 bytes, modulo 2^32, and whether the reader sleeps. */
const Control = { written: 0, read: 1, sleeping: 2 } as const;
const controlBytes = 64;
const unitBytes = 8;

/** Words of a record's head; the time is a double in the last two. Where it comes from: source * 2 + direction. */
const Word = { kind: 0, length: 1, connection: 2, from: 3, sequence: 4, acknowledgement: 5 } as const;
const headBytes = 32;
const timeAt = 3;

/** Shared memory for a ring of `bytes`, a multiple of 8 and at most 2 GiB. */
export function createCopyRing(bytes: number): SharedArrayBuffer {
  if (bytes % unitBytes !== 0 || bytes < 1024 || bytes > 2 ** 31) throw new RangeError(`a ring cannot have ${bytes} bytes`);
  return new SharedArrayBuffer(controlBytes + bytes);
}

/** What both ends see of a ring. */
class RingView {
  readonly control: Int32Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
  readonly size: number;

  constructor(ring: SharedArrayBuffer) {
    this.size = ring.byteLength - controlBytes;
    this.control = new Int32Array(ring, 0, controlBytes / 4);
    this.words = new Int32Array(ring, controlBytes);
    this.doubles = new Float64Array(ring, controlBytes);
    this.bytes = Buffer.from(ring, controlBytes);
  }
}

export class CopyWriter {
  readonly #view: RingView;
  readonly #wake: () => void;
  /** Bytes written since the beginning, with heads and what is left over at the end of the ring. */
  #position = 0;

  /** `wake` is called when the reader sleeps and has something to read. */
  constructor(ring: SharedArrayBuffer, wake: () => void) {
    this.#view = new RingView(ring);
    this.#wake = wake;
  }

  get position(): number {
    return this.#position;
  }

  /** Calls back for each stretch of data that was written and not read: once the reader is gone, it never will be. */
  unread(each: (source: number, bytes: number) => void): void {
    const { size, words } = this.#view;
    for (let at = this.#position - this.#used(); at < this.#position; ) {
      const offset = at % size;
      const kind = words[offset / 4];
      if (kind === wrapMark) {
        at += size - offset;
        continue;
      }
      const length = words[offset / 4 + Word.length];
      if (kind === CopyKind.data) each(words[offset / 4 + Word.from] >>> 1, length);
      at += recordBytes(length);
    }
  }

  /** False, and nothing written, when there is no room. */
  write(
    kind: CopyKind,
    connection: number,
    source: number,
    direction: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    payload: Uint8Array | null,
  ): boolean {
    const { size, words, doubles, bytes, control } = this.#view;
    const length = payload === null ? 0 : payload.length;
    const needed = recordBytes(length);
    let offset = this.#position % size;
    const left = size - offset;
    const skipped = needed > left ? left : 0;
    if (needed + skipped > size - this.#used()) return false;
    if (skipped > 0) {
      words[offset / 4] = wrapMark;
      offset = 0;
    }
    const word = offset / 4;
    words[word + Word.kind] = kind;
    words[word + Word.length] = length;
    words[word + Word.connection] = connection;
    words[word + Word.from] = source * 2 + direction;
    words[word + Word.sequence] = sequence;
    words[word + Word.acknowledgement] = acknowledgement;
    doubles[offset / 8 + timeAt] = timeUs;
    if (payload !== null) bytes.set(payload, offset + headBytes);
    this.#position += skipped + needed;
    Atomics.store(control, Control.written, (this.#position / unitBytes) | 0);
    if (Atomics.load(control, Control.sleeping) === 1 && Atomics.exchange(control, Control.sleeping, 0) === 1) this.#wake();
    return true;
  }

  #used(): number {
    const read = Atomics.load(this.#view.control, Control.read);
    return ((this.#position / unitBytes - read) >>> 0) * unitBytes;
  }
}

/** The fields hold the record that `next` came to; they are valid until it is called again. */
export class CopyReader {
  kind: CopyKind = CopyKind.open;
  connection = 0;
  source = 0;
  direction: 0 | 1 = 0;
  timeUs = 0;
  sequence = 0;
  acknowledgement = 0;
  /** The payload is `bytes[start..end)`. */
  readonly bytes: Buffer;
  start = 0;
  end = 0;
  readonly #view: RingView;
  /** Bytes read since the beginning, on the writer's scale; behind the current record. */
  #position = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#view = new RingView(ring);
    this.bytes = this.#view.bytes;
  }

  get position(): number {
    return this.#position;
  }

  /** Gives the current record's place back and goes to the next; false when there is none. */
  next(): boolean {
    const { size, words, doubles } = this.#view;
    this.#release();
    if (this.#empty()) return false;
    let offset = this.#position % size;
    if (words[offset / 4] === wrapMark) {
      this.#position += size - offset;
      offset = 0;
    }
    const word = offset / 4;
    const length = words[word + Word.length];
    this.kind = words[word + Word.kind] as CopyKind;
    this.connection = words[word + Word.connection];
    this.source = words[word + Word.from] >>> 1;
    this.direction = (words[word + Word.from] & 1) as 0 | 1;
    this.sequence = words[word + Word.sequence] >>> 0;
    this.acknowledgement = words[word + Word.acknowledgement] >>> 0;
    this.timeUs = doubles[offset / 8 + timeAt];
    this.start = offset + headBytes;
    this.end = this.start + length;
    this.#position += recordBytes(length);
    return true;
  }

  /** The writer will wake this reader from now on; false when there is something to read already. */
  sleep(): boolean {
    const { control } = this.#view;
    Atomics.store(control, Control.sleeping, 1);
    if (this.#empty()) return true;
    Atomics.store(control, Control.sleeping, 0);
    return false;
  }

  #empty(): boolean {
    return Atomics.load(this.#view.control, Control.written) === ((this.#position / unitBytes) | 0);
  }

  #release(): void {
    Atomics.store(this.#view.control, Control.read, (this.#position / unitBytes) | 0);
  }
}

function recordBytes(length: number): number {
  return headBytes + Math.ceil(length / unitBytes) * unitBytes;
}
