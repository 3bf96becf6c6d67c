/**
 * One segment file that is read: the blocks in it, from its index or, where it was never closed, by walking from header
 * to header; and each block when it is asked for. The disk and the decompression do not hold up the event loop.
 */
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';
import { BlockCipher } from './block-cipher.ts';
import { fileProblem, RecordingError } from './recording-error.ts';
import {
  authenticatedBytes,
  type BlockHeader,
  blockHeaderBytes,
  BlockKind,
  formatVersion,
  type IndexEntry,
  indexPointerBytes,
  isUnwrittenHeader,
  rawBytesMax,
  readBlockHeader,
  readIndex,
  readIndexPointer,
  readSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
} from './segment-format.ts';

const unfold = promisify(zstdDecompress);

/** What cannot be folded takes a little more than it is. */
const storedBytesMax = rawBytesMax + 1_048_576;

/** Open files are read from at a place. */
type Read = (offset: number, length: number) => Promise<Buffer>;

export class SegmentReader {
  readonly path: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Blocks of exchanges, in the order in which they were written. */
  readonly blocks: readonly IndexEntry[];
  /** What is behind the last whole block of a segment that was never closed, in words; null when all is well. */
  readonly warning: string | null;
  readonly #cipher: BlockCipher | null;

  /**
   * Throws RecordingError: DT_RECORDING_UNREADABLE, DT_RECORDING_NOT_RECOGNISED when it is something else or of another
   * version, DT_RECORDING_KEY when it is encrypted and `key` is null or another.
   */
  static async open(path: string, key: string | null): Promise<SegmentReader> {
    return reading(path, async (read, size) => {
      const start = await read(0, Math.min(size, segmentHeaderBytes));
      if (isUnwrittenHeader(start)) return new SegmentReader(path, size, [], `${path} ends before its first block`, null);
      const header = readSegmentHeader(start);
      if (header === null) throw new RecordingError('DT_RECORDING_NOT_RECOGNISED', `${path} is no segment of a recording`);
      if (typeof header === 'number') {
        throw new RecordingError('DT_RECORDING_NOT_RECOGNISED', `${path} was written by another version of doubletake (format ${header}, not ${formatVersion})`);
      }
      const cipher = cipherFor(path, header, key);
      const indexed = await readClosed(read, size, cipher);
      const { blocks, warning } = indexed === null ? await walk(read, size, path) : { blocks: indexed, warning: null };
      return new SegmentReader(path, size, blocks, warning, cipher);
    });
  }

  private constructor(
    path: string,
    bytes: number,
    blocks: readonly IndexEntry[],
    warning: string | null,
    cipher: BlockCipher | null,
  ) {
    this.path = path;
    this.bytes = bytes;
    this.blocks = blocks;
    this.warning = warning;
    this.#cipher = cipher;
  }

  /** The records of a block. Throws RecordingError: DT_RECORDING_DAMAGED when a checksum is wrong, DT_RECORDING_UNREADABLE. */
  async load({ offset, storedBytes }: IndexEntry): Promise<Buffer> {
    const stored = await reading(this.path, (read) => read(offset, blockHeaderBytes + storedBytes));
    const raw = await unpack(stored, this.#cipher);
    freeNow(stored);
    if (raw !== null) return raw;
    throw new RecordingError('DT_RECORDING_DAMAGED', `${this.path}: the block at byte ${offset} is damaged, and is left out`);
  }
}

/**
 * Gives back the memory of a block that nobody reads any more. Blocks are many and large, and weigh nothing in the
 * garbage collector's books: left to it, they pile up by the hundred.
 */
export function freeNow({ buffer }: Buffer): void {
  // What is smaller may be a part of the pool that all buffers share.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

async function reading<T>(path: string, work: (read: Read, size: number) => Promise<T>): Promise<T> {
  let file;
  try {
    file = await open(path);
    const opened = file;
    const { size } = await opened.stat();
    return await work(async (offset, length) => {
      const bytes = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await opened.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    }, size);
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError('DT_RECORDING_UNREADABLE', `cannot read ${path}: ${fileProblem(error)}`, { cause: error });
  } finally {
    await file?.close();
  }
}

function cipherFor(path: string, { encrypted, salt, keyCheck }: SegmentHeader, key: string | null): BlockCipher | null {
  if (!encrypted) return null;
  if (key === null) {
    throw new RecordingError('DT_RECORDING_KEY', `${path} is encrypted: give its key in DOUBLETAKE_RECORDING_KEY or with --key-file FILE`);
  }
  const cipher = new BlockCipher(key, salt);
  if (!cipher.check.equals(keyCheck)) throw new RecordingError('DT_RECORDING_KEY', `${path} is encrypted with another key`);
  return cipher;
}

/** The blocks that the index of a closed segment names; null when it has none that is whole. */
async function readClosed(read: Read, size: number, cipher: BlockCipher | null): Promise<IndexEntry[] | null> {
  const end = size - indexPointerBytes;
  if (end < segmentHeaderBytes) return null;
  const offset = readIndexPointer(await read(end, indexPointerBytes));
  if (offset === null || offset < segmentHeaderBytes || offset >= end) return null;
  if (end - offset > storedBytesMax) return null;
  const stored = await read(offset, end - offset);
  if (readBlockHeader(stored)?.kind !== BlockKind.index) return null;
  const raw = await unpack(stored, cipher);
  const entries = raw === null ? null : readIndex(raw);
  // What it says is not believed any further than the file goes.
  return entries?.every((entry) => entry.storedBytes <= storedBytesMax && entry.offset + blockHeaderBytes + entry.storedBytes <= offset) === true
    ? entries
    : null;
}

/** From header to header, to the first place where no whole block is. */
async function walk(read: Read, size: number, path: string): Promise<{ blocks: IndexEntry[]; warning: string }> {
  const blocks: IndexEntry[] = [];
  let offset = segmentHeaderBytes;
  for (;;) {
    const header = offset + blockHeaderBytes <= size ? readBlockHeader(await read(offset, blockHeaderBytes)) : null;
    if (header === null || header.sequence !== blocks.length || header.kind !== BlockKind.exchanges) break;
    if (header.storedBytes > storedBytesMax) break;
    const end = offset + blockHeaderBytes + header.storedBytes;
    if (end > size) break;
    blocks.push(entryOf(header, offset));
    offset = end;
  }
  const last = blocks.at(-1);
  if (last !== undefined && offset === size && !(await isWhole(read, last))) {
    blocks.pop();
    offset = last.offset;
  }
  const behind = size - offset;
  const rest = behind === 0 ? '' : `, and ${behind} bytes of one that was cut`;
  return { blocks, warning: `${path} was never closed: it holds ${blocks.length} whole blocks${rest}` };
}

function entryOf({ storedBytes, rawBytes, records, firstUs, lastUs }: BlockHeader, offset: number): IndexEntry {
  return { offset, storedBytes, rawBytes, records, firstUs, lastUs, connections: null };
}

/** After a power failure the last block may have its length and not its bytes. */
async function isWhole(read: Read, { offset, storedBytes }: IndexEntry): Promise<boolean> {
  const stored = await read(offset, blockHeaderBytes + storedBytes);
  return readBlockHeader(stored)?.checksum === crc32(stored.subarray(blockHeaderBytes));
}

/** What a block, its header first, unfolds to; null when it is damaged. */
async function unpack(block: Buffer, cipher: BlockCipher | null): Promise<Buffer | null> {
  const header = readBlockHeader(block);
  if (header === null || header.rawBytes > rawBytesMax) return null;
  const stored = block.subarray(blockHeaderBytes, blockHeaderBytes + header.storedBytes);
  if (stored.length !== header.storedBytes || crc32(stored) !== header.checksum) return null;
  try {
    const packed = cipher === null ? stored : cipher.open(stored, header.sequence, block.subarray(0, authenticatedBytes));
    if (header.rawBytes === 0) return Buffer.alloc(0);
    const raw = await unfold(packed, { maxOutputLength: header.rawBytes, chunkSize: Math.min(header.rawBytes + 64, 4_194_304) });
    return raw.length === header.rawBytes ? raw : null;
  } catch {
    return null;
  }
}
