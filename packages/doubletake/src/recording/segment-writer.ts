/**
 * One segment file that is being written: blocks one behind the other, each written by itself and never touched again,
 * so that whatever ends the process leaves whole blocks and at most one that is cut; at the end the index.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants, crc32, zstdCompressSync } from 'node:zlib';
import { BlockCipher, tagBytes } from './block-cipher.ts';
import type { RecordBlock } from './record-block.ts';
import {
  authenticatedBytes,
  type BlockHeader,
  BlockKind,
  type IndexEntry,
  saltBytes,
  signBlockHeader,
  writeBlockHeader,
  writeIndex,
  writeIndexPointer,
  writeSegmentHeader,
} from './segment-format.ts';

/** Traffic is so repetitive that higher levels cost much and gain little (docs/performance.md). */
const compression = { chunkSize: 262_144, params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export interface SegmentOptions {
  /** Text from which the key is made; null writes unencrypted. */
  key: string | null;
  /** Microseconds since the epoch. */
  createdUs: number;
}

/** Every method throws what the file system throws; then `abandon` is all that is left to do. */
export class SegmentWriter {
  readonly path: string;
  readonly createdUs: number;
  /** Bytes written so far, all of them whole blocks. */
  bytes = 0;
  readonly #descriptor: number;
  readonly #cipher: BlockCipher | null;
  readonly #entries: IndexEntry[] = [];
  #sequence = 0;

  /** Makes the file, which must not be there. */
  constructor(path: string, { key, createdUs }: SegmentOptions) {
    this.path = path;
    this.createdUs = createdUs;
    const salt = randomBytes(saltBytes);
    this.#cipher = key === null ? null : new BlockCipher(key, salt);
    this.#descriptor = openSync(path, 'wx', 0o600);
    try {
      const keyCheck = this.#cipher?.check ?? Buffer.alloc(16);
      this.#append([writeSegmentHeader({ encrypted: key !== null, salt, createdUs, keyCheck })]);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Writes a block and returns how many bytes it takes. Throws also when the file was removed meanwhile. */
  write({ bytes, records, firstUs, lastUs, connections }: RecordBlock): number {
    const offset = this.bytes;
    const header = this.#block(BlockKind.exchanges, bytes, { records, firstUs, lastUs });
    this.#entries.push({ offset, ...header, records, firstUs, lastUs, connections });
    if (fstatSync(this.#descriptor).nlink === 0) throw new Error('the file was removed');
    return this.bytes - offset;
  }

  /** Writes the index; all is on the disk when this returns. */
  close(): void {
    const offset = this.bytes;
    this.#block(BlockKind.index, writeIndex(this.#entries), { records: this.#entries.length, firstUs: 0, lastUs: 0 });
    this.#append([writeIndexPointer(offset)]);
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
  }

  /** Leaves the whole blocks, without an index; nothing where there is none. */
  abandon(): void {
    try {
      if (this.#sequence === 0) rmSync(this.path, { force: true });
      else ftruncateSync(this.#descriptor, this.bytes);
    } catch {
      // A reader finds the end of the whole blocks all the same.
    }
    try {
      closeSync(this.#descriptor);
    } catch {
      // It was closed, or what was written last could not be.
    }
  }

  #block(kind: number, raw: Uint8Array, { records, firstUs, lastUs }: Pick<BlockHeader, 'records' | 'firstUs' | 'lastUs'>): { storedBytes: number; rawBytes: number } {
    const packed = zstdCompressSync(raw, compression);
    const storedBytes = packed.length + (this.#cipher === null ? 0 : tagBytes);
    const sequence = this.#sequence++;
    const header = writeBlockHeader({ kind, storedBytes, rawBytes: raw.length, records, sequence, firstUs, lastUs, checksum: 0 });
    const stored = this.#cipher === null ? packed : this.#cipher.seal(packed, sequence, header.subarray(0, authenticatedBytes));
    signBlockHeader(header, crc32(stored));
    this.#append([header, stored]);
    return { storedBytes, rawBytes: raw.length };
  }

  #append(pieces: readonly Buffer[]): void {
    const all = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    for (let start = 0; start < all.length; ) start += writeSync(this.#descriptor, all, start, all.length - start, this.bytes + start);
    this.bytes += all.length;
  }
}
