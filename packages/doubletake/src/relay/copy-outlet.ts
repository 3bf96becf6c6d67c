/**
 * Where copies go: for each worker a ring, and what connections still have to tell it. A worker that is gone, or that has
 * been told nothing for too many connections, gets no more of them; where no worker is left, everything is a gap.
 */
import type { CopiedConnection, GapCounts } from './copied-connection.ts';
import type { CopyKind, CopyWriter } from './copy-ring.ts';

/** Connections that wait for room to tell of their gaps and ends; beyond it the worker gets no new connection. */
const owedMax = 10_000;

/** Asking for it at every record would cost more than the record. */
const timeOriginMs = performance.timeOrigin;

/** How long they wait before it is tried again. */
const retryMs = 5;

export class CopyOutlet {
  /** Null when the worker is gone. */
  #writer: CopyWriter | null;
  readonly #owed = new Set<CopiedConnection>();
  #retry: NodeJS.Timeout | undefined;

  /** Null for an outlet that takes nothing. */
  constructor(writer: CopyWriter | null) {
    this.#writer = writer;
  }

  get alive(): boolean {
    return this.#writer !== null;
  }

  get open(): boolean {
    return this.#writer !== null && this.#owed.size < owedMax;
  }

  /** Whether everything was told. */
  get settled(): boolean {
    return this.#owed.size === 0;
  }

  /** Position of the ring; see `CopyReader.position`. */
  get position(): number {
    return this.#writer?.position ?? 0;
  }

  /** A record, with the time of now; false when there is no room. */
  write(
    kind: CopyKind,
    connection: number,
    source: number,
    direction: number,
    sequence: number,
    acknowledgement: number,
    payload: Uint8Array | null,
  ): boolean {
    if (this.#writer === null) return false;
    const timeUs = (timeOriginMs + performance.now()) * 1_000;
    return this.#writer.write(kind, connection, source, direction, timeUs, sequence, acknowledgement, payload);
  }

  /** The connection has something to tell and there was no room. */
  owe(connection: CopiedConnection): void {
    if (this.#writer === null) return;
    this.#owed.add(connection);
    this.#retry ??= setTimeout(() => this.settle(), retryMs);
  }

  /** Tells what is owed, as far as there is room. */
  settle(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (const connection of this.#owed) {
      if (!connection.settle()) break;
      this.#owed.delete(connection);
    }
    if (this.#owed.size > 0) this.#retry = setTimeout(() => this.settle(), retryMs);
  }

  /** The worker is gone: what it has not read is lost. */
  abandon(countsOf: (source: number) => GapCounts): void {
    this.#writer?.unread((source, bytes) => {
      const counts = countsOf(source);
      counts.gaps++;
      counts.gapBytes += bytes;
    });
    this.#writer = null;
    clearTimeout(this.#retry);
    this.#owed.clear();
  }
}

/** All outlets; hands each new connection to one of them, in turn. */
export class CopyOutlets {
  readonly all: readonly CopyOutlet[];
  readonly #none = new CopyOutlet(null);
  #next = 0;

  constructor(outlets: readonly CopyOutlet[]) {
    this.all = outlets;
  }

  choose(): CopyOutlet {
    for (let tried = 0; tried < this.all.length; tried++) {
      const outlet = this.all[this.#next++ % this.all.length];
      if (outlet.open) return outlet;
    }
    return this.#none;
  }
}
