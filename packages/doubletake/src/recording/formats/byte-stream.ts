/**
 * The bytes of a file or of standard input, plain or gzipped, pulled in blocks: what is a record in them is for the
 * formats to say. A file can be looked at before it is read.
 */
import { open, stat } from 'node:fs/promises';
import { openInput, type ByteInput } from '../../sources/capture-input.ts';
import { TrafficFileError } from './traffic-file-error.ts';

const blockBytes = 256 * 1024;

export class ByteStream {
  readonly path: string;
  /** Bytes after decompression; 0 where nobody knows. Of a gzipped file what its end says, modulo 4 GiB (RFC 1952). */
  readonly total: number;
  /** Bytes taken so far, after decompression. */
  done = 0;
  /** Set when the file was cut: all that it held was delivered. */
  warning: string | null = null;
  readonly #input: ByteInput;
  #head: Buffer = Buffer.alloc(0);

  private constructor(path: string, input: ByteInput, total: number) {
    this.path = path;
    this.#input = input;
    this.total = total;
  }

  /** Opens a path, or standard input for `-`. Throws a `TrafficFileError` when it cannot be read. */
  static async open(path: string): Promise<ByteStream> {
    try {
      return new ByteStream(path, await openInput(path, process.stdin), path === '-' ? 0 : await sizeOf(path));
    } catch (error) {
      throw TrafficFileError.unreadable(path, error);
    }
  }

  /** The first bytes, which are read again by `next`; fewer than `bytes` when the file is shorter. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#head.length < bytes) {
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      const more = await this.#read();
      if (more === null) break;
      this.#head = Buffer.concat([this.#head, more]);
    }
    return this.#head.subarray(0, bytes);
  }

  /** The next block, which the caller may keep; null at the end. */
  async next(): Promise<Buffer | null> {
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    const block = head.length > 0 ? head : await this.#read();
    this.done += block?.length ?? 0;
    return block;
  }

  /** All blocks that are left. */
  async *blocks(): AsyncGenerator<Buffer, void, undefined> {
    // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
    for (let block = await this.next(); block !== null; block = await this.next()) yield block;
  }

  close(): Promise<void> {
    return this.#input.close();
  }

  async #read(): Promise<Buffer | null> {
    const block = Buffer.allocUnsafe(blockBytes);
    try {
      const length = await this.#input.read(block);
      return length === 0 ? null : block.subarray(0, length);
    } catch (error) {
      if (!(error instanceof Error) || !('truncated' in error)) throw TrafficFileError.unreadable(this.path, error);
      this.warning = error.message;
      return null;
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  const { size } = await stat(path);
  if (size < 18) return size;
  const file = await open(path);
  try {
    const magic = Buffer.alloc(2);
    const end = Buffer.alloc(4);
    await file.read(magic, 0, 2, 0);
    await file.read(end, 0, 4, size - 4);
    return magic[0] === 0x1f && magic[1] === 0x8b ? end.readUInt32LE() : size;
  } finally {
    await file.close();
  }
}
