/**
 * Where a capture's bytes come from: a file or standard input, plain or gzipped (told by the first two bytes). Bytes
 * are pulled, so a slow reader slows the file and nothing piles up.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Gunzip } from 'node:zlib';

/** Something to read from once. */
export interface ByteInput {
  /** Fills the beginning of `target` with at least one byte and returns how many; 0 at the end. */
  read(target: Buffer): Promise<number>;
  close(): Promise<void>;
}

/** The compressed data ended or broke; everything before it was delivered. */
export class CompressionError extends Error {
  readonly truncated: boolean;

  constructor(truncated: boolean, cause: Error) {
    super(truncated ? 'the gzipped data end too early' : `the gzipped data are broken (${cause.message})`, { cause });
    this.name = 'CompressionError';
    this.truncated = truncated;
  }
}

/** Opens a file, or `stdin` when the path is `-`, and undoes gzip. Fails as the file system does. */
export async function openInput(path: string, stdin: Readable): Promise<ByteInput> {
  const plain = path === '-' ? new StreamInput(stdin) : new FileInput(await open(path, 'r'));
  try {
    const input = new PrefixedInput(plain);
    const head = await input.peek(2);
    return head[0] === 0x1f && head[1] === 0x8b ? new GunzipInput(input) : input;
  } catch (error) {
    await plain.close();
    throw error;
  }
}

class FileInput implements ByteInput {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async read(target: Buffer): Promise<number> {
    return (await this.#file.read(target, 0, target.length, null)).bytesRead;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

class StreamInput implements ByteInput {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async read(target: Buffer): Promise<number> {
    while (this.#rest.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      const next = await this.#chunks.next();
      if (next.done === true) return 0;
      this.#rest = next.value;
    }
    const length = this.#rest.copy(target);
    this.#rest = this.#rest.subarray(length);
    return length;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Lets the first bytes be looked at before they are read. */
class PrefixedInput implements ByteInput {
  readonly #input: ByteInput;
  #prefix: Buffer = Buffer.alloc(0);

  constructor(input: ByteInput) {
    this.#input = input;
  }

  async peek(bytes: number): Promise<Buffer> {
    const head = Buffer.alloc(bytes);
    let length = 0;
    while (length < bytes) {
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      const read = await this.#input.read(head.subarray(length));
      if (read === 0) break;
      length += read;
    }
    this.#prefix = head.subarray(0, length);
    return this.#prefix;
  }

  async read(target: Buffer): Promise<number> {
    if (this.#prefix.length === 0) return this.#input.read(target);
    const length = this.#prefix.copy(target);
    this.#prefix = this.#prefix.subarray(length);
    return length;
  }

  async close(): Promise<void> {
    await this.#input.close();
  }
}

/** Compressed bytes given to zlib at once: what they unpack to (a thousandfold at worst) is held. */
const GUNZIP_FEED_BYTES = 16 * 1024;

/** In front of broken data zlib withholds its last output, up to 64 KiB, since it cannot vouch for it. */
class GunzipInput implements ByteInput {
  readonly #input: ByteInput;
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: 64 * 1024 });
  readonly #feed = Buffer.allocUnsafeSlow(GUNZIP_FEED_BYTES);
  #unpacked: Buffer[] = [];
  #ended = false;
  #failure: Error | null = null;
  /** Resolves the step that is under way, when there is one. */
  #settle: () => void = () => undefined;

  constructor(input: ByteInput) {
    this.#input = input;
    this.#gunzip.on('data', (chunk: Buffer) => this.#unpacked.push(chunk));
    this.#gunzip.on('error', (error) => {
      this.#failure = error;
      this.#settle();
    });
    this.#gunzip.on('end', () => {
      this.#ended = true;
      this.#settle();
    });
  }

  async read(target: Buffer): Promise<number> {
    for (;;) {
      const first = this.#unpacked[0];
      if (first !== undefined) {
        const length = first.copy(target);
        if (length < first.length) this.#unpacked[0] = first.subarray(length);
        else this.#unpacked.shift();
        return length;
      }
      // Data come before the error that follows them, so a broken file still gives all that it holds.
      if (this.#failure !== null) {
        const truncated = 'code' in this.#failure && this.#failure.code === 'Z_BUF_ERROR';
        throw new CompressionError(truncated, this.#failure);
      }
      if (this.#ended) return 0;
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      await this.#step();
    }
  }

  /** Feeds one piece of compressed bytes, or the end, and waits until zlib is through with it. */
  async #step(): Promise<void> {
    const length = await this.#input.read(this.#feed);
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      if (length === 0) this.#gunzip.end();
      else this.#gunzip.write(this.#feed.subarray(0, length), () => resolve());
    });
  }

  async close(): Promise<void> {
    this.#gunzip.destroy();
    await this.#input.close();
  }
}
