/** Reads several files as one, by time: what several machines recorded of one fleet. Each file is nearly in order itself. */
import { isExchange, type TrafficItem, type TrafficReader } from './traffic.ts';

/** A file, and what of it was read and not handed on. */
interface Source {
  batches: AsyncIterator<readonly TrafficItem[]>;
  batch: readonly TrafficItem[];
  at: number;
}

export class Merged implements TrafficReader {
  readonly #readers: readonly TrafficReader[];

  constructor(readers: readonly TrafficReader[]) {
    this.#readers = readers;
  }

  get done(): number {
    return this.#readers.reduce((sum, { done }) => sum + done, 0);
  }

  get total(): number {
    return this.#readers.some(({ total }) => total === 0) ? 0 : this.#readers.reduce((sum, { total }) => sum + total, 0);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    const open = new Set<Source>();
    try {
      for (const reader of this.#readers) {
        const source: Source = { batches: reader[Symbol.asyncIterator](), batch: [], at: 0 };
        open.add(source);
        // oxlint-disable-next-line no-await-in-loop -- one file is opened after the other
        if (!(await refill(source))) open.delete(source);
      }
      while (open.size > 0) {
        const out: TrafficItem[] = [];
        const source = earliest(open);
        const until = nextBeside(open, source);
        for (; source.at < source.batch.length; source.at++) {
          const item = source.batch[source.at];
          if (item === undefined || timeOf(item) > until) break;
          out.push(item);
        }
        if (out.length > 0) yield out;
        // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
        if (source.at >= source.batch.length && !(await refill(source))) open.delete(source);
      }
    } finally {
      await Promise.all([...open].map(async ({ batches }) => batches.return?.()));
    }
  }
}

/** False at the end of the file. */
async function refill(source: Source): Promise<boolean> {
  do {
    // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
    const next = await source.batches.next();
    if (next.done === true) return false;
    source.batch = next.value;
    source.at = 0;
  } while (source.batch.length === 0);
  return true;
}

/** Problems have no time, and go first. */
function timeOf(item: TrafficItem | undefined): number {
  return item !== undefined && isExchange(item) ? item.request.startUs : -Infinity;
}

function earliest(sources: Iterable<Source>): Source {
  let first: Source | null = null;
  for (const source of sources) {
    if (first === null || timeOf(source.batch[source.at]) < timeOf(first.batch[first.at])) first = source;
  }
  if (first === null) throw new Error('no file is open');
  return first;
}

function nextBeside(sources: Iterable<Source>, known: Source): number {
  let timeUs = Infinity;
  for (const source of sources) if (source !== known) timeUs = Math.min(timeUs, timeOf(source.batch[source.at]));
  return timeUs;
}
