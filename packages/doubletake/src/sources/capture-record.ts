/**
 * What the parser of capture files and the readers of its formats share: a cursor over the buffered bytes, and the
 * contract of reading one record.
 */

/** Where reading stands in the buffer, and the packet read last. */
export interface CaptureCursor {
  bytes: Buffer;
  /** The next record begins here. */
  position: number;
  /** Captured bytes end here. */
  filled: number;
  /** The packet read last. */
  start: number;
  end: number;
  originalLength: number;
  linkType: number;
  timeUs: number;
  /** Bytes to pass over before the next record. */
  skip: number;
}

/** Reads one record at `cursor.position`. */
export interface RecordReader {
  /** Returns `Read.packet` or `Read.other` and moves the position on, or how many bytes the record needs in all. */
  read(cursor: CaptureCursor): number;
  /** Why `read` returned `Read.damaged`. */
  readonly damage: string;
}

export const Read = { packet: 0, other: -1, damaged: -2 } as const;

/** A packet record larger than this is a lying length: no link has such frames. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024;
