/**
 * Counters of one worker: a row of doubles. The worker counts in its own private row (an increment of an array element,
 * nothing more) and now and then publishes the row into shared memory, from which the main thread reads it whole.
 *
 * Invariant: a reader sees a row as it was at one publication, never a mixture of two: the version is odd while the
 * row is being copied, and a reader whose version changed reads again.
 */

/** Slots beyond the first names, for names that a changed configuration brings while the rows are in use. */
const spareSlots = 8_192;

/** Names of the slots: each a path such as `['outcomes', 'blocked', 'loop']`. */
export class CounterLayout {
  /** Slots in a row, named or not yet. */
  readonly capacity: number;
  readonly #paths: (readonly string[])[] = [];
  readonly #slots = new Map<string, number>();

  constructor(paths: readonly (readonly string[])[]) {
    this.capacity = paths.length + spareSlots;
    this.extend(paths);
    if (this.#slots.size !== paths.length) throw new Error('two counters have the same name');
  }

  /** By slot. */
  get paths(): readonly (readonly string[])[] {
    return this.#paths;
  }

  /** Whether there is room for those of `paths` that have no slot yet. */
  fits(paths: readonly (readonly string[])[]): boolean {
    return this.#slots.size + paths.filter((path) => !this.#slots.has(path.join('\0'))).length <= this.capacity;
  }

  /** Gives a slot to each path that has none; the same paths in the same order give the same slots in every thread. */
  extend(paths: readonly (readonly string[])[]): void {
    for (const path of paths) {
      const name = path.join('\0');
      if (this.#slots.has(name)) continue;
      if (this.#paths.length >= this.capacity) throw new Error(`no slot is left for the counter ${path.join('.')}`);
      this.#slots.set(name, this.#paths.push(path) - 1);
    }
  }

  /** A private row of zeros for one worker. */
  createRow(): Float64Array {
    return new Float64Array(this.capacity);
  }

  /** Slot of a counter; throws when there is none of that name, which is a programming error. */
  slot(...path: string[]): number {
    const slot = this.#slots.get(path.join('\0'));
    if (slot === undefined) throw new Error(`there is no counter ${path.join('.')}`);
    return slot;
  }

  /** Slots of all counters below a place, by the rest of their names: `blocked.loop` below `outcomes`. */
  slotsUnder(...place: string[]): ReadonlyMap<string, number> {
    const slots = new Map<string, number>();
    this.#paths.forEach((path, slot) => {
      if (place.every((name, depth) => path[depth] === name)) slots.set(path.slice(place.length).join('.'), slot);
    });
    return slots;
  }
}

/** Beside its counters a worker says when it published, so that one that is stuck shows. */
export interface Publication {
  /** Milliseconds on the clock of `performance.timeOrigin + performance.now()`. */
  publishedAtMs: number;
  /** Requests handed to targets that have no outcome yet, apart from those that wait for their time. */
  awaiting: number;
  /** Requests that have come to an outcome since the start. */
  settled: number;
}

const rowStart = 8 + 3 * Float64Array.BYTES_PER_ELEMENT;

/** Shared memory for one published row: a version number, the publication, the row. */
export function createSharedRow(layout: CounterLayout): SharedArrayBuffer {
  return new SharedArrayBuffer(rowStart + layout.capacity * Float64Array.BYTES_PER_ELEMENT);
}

/** The worker's side: publishes `row` for readers in other threads. */
export function publishRow(shared: SharedArrayBuffer, row: Float64Array, publication: Publication): void {
  const version = new Int32Array(shared, 0, 1);
  Atomics.add(version, 0, 1);
  new Float64Array(shared, 8, 3).set([publication.publishedAtMs, publication.awaiting, publication.settled]);
  new Float64Array(shared, rowStart).set(row);
  Atomics.add(version, 0, 1);
}

/** The reader's side: a copy of the row last published. */
export function readRow(shared: SharedArrayBuffer): Float64Array {
  return readWhole(shared, () => new Float64Array(shared, rowStart).slice());
}

/** When and in what state the worker published last. */
export function readPublication(shared: SharedArrayBuffer): Publication {
  const [publishedAtMs = 0, awaiting = 0, settled = 0] = readWhole(shared, () => new Float64Array(shared, 8, 3).slice());
  return { publishedAtMs, awaiting, settled };
}

/** A writer that died while publishing cannot hang the reader: after many attempts it takes what is there. */
function readWhole<T>(shared: SharedArrayBuffer, read: () => T): T {
  const version = new Int32Array(shared, 0, 1);
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const before = Atomics.load(version, 0);
    const copy = read();
    if ((before & 1) === 0 && Atomics.load(version, 0) === before) return copy;
  }
  return read();
}
