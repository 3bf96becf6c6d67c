/**
 * Reads a capture file of any size (pcap or pcapng, plain or gzipped, a path or `-` for standard input) in bounded
 * memory, at the pace of whoever reads.
 *
 *     const capture = await CaptureFile.open(path);
 *     for await (const packets of capture) {
 *       while (packets.next()) decoder.decode(packets.bytes, packets.start, packets.end, ...);
 *     }
 *     if (capture.warning) ...                                       the file was cut: all that it held was delivered
 *
 * A batch is one buffer's worth of packets as a cursor; the bytes of a packet hold until the next batch is asked for.
 * Every whole packet in front of a damaged place is delivered before the error is thrown.
 */
import type { Readable } from 'node:stream';
import { CaptureFileError } from './capture-file-error.ts';
import type { CaptureErrorCode } from './capture-file-error.ts';
import { CompressionError, openInput } from './capture-input.ts';
import type { ByteInput } from './capture-input.ts';
import { CaptureParser } from './capture-parser.ts';

/** The packets that are in memory, one at a time; every field is that of the packet that `next` stepped to. */
export type CaptureBatch = Pick<
  CaptureParser,
  'next' | 'bytes' | 'start' | 'end' | 'originalLength' | 'linkType' | 'timeUs' | 'packetNumber'
>;

export class CaptureFile implements AsyncIterable<CaptureBatch> {
  /** Set when the file ended inside a packet. */
  warning: CaptureFileError | null = null;
  readonly #path: string;
  readonly #input: ByteInput;
  readonly #parser = new CaptureParser();

  /**
   * Opens a capture file; `-` reads standard input. Throws a `CaptureFileError` when it cannot be read; that it is no
   * capture shows when the first batch is asked for.
   */
  static async open(path: string, stdin: Readable = process.stdin): Promise<CaptureFile> {
    try {
      return new CaptureFile(path, await openInput(path, stdin));
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  private constructor(path: string, input: ByteInput) {
    this.#path = path;
    this.#input = input;
  }

  /** Packets read so far. */
  get packets(): number {
    return this.#parser.packetNumber;
  }

  /** Bytes read so far, after decompression. */
  get offset(): number {
    return this.#parser.offset;
  }

  /** Batches of packets, once. The file is closed when the iteration ends, for whatever reason. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CaptureBatch, void, undefined> {
    const parser = this.#parser;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      while (await this.#fill()) {
        // Whoever was given a first batch may rely on this being a capture.
        if (parser.state === 'unrecognised') throw this.#notRecognised();
        if (!parser.recognised) continue;
        // Whoever took only a part of a batch gets the rest of it as the next one.
        do yield parser;
        while (!parser.drained);
        if (parser.state === 'damaged') throw this.#error('DT_CAPTURE_DAMAGED', `is damaged: ${parser.damage}`);
      }
      if (!parser.recognised) throw this.#notRecognised();
      if (parser.unfinishedBytes > 0) {
        this.warning ??= this.#error('DT_CAPTURE_TRUNCATED', 'ends inside a packet');
      }
    } finally {
      await this.#input.close();
    }
  }

  /** Reads more of the file into the parser; false at its end. */
  async #fill(): Promise<boolean> {
    try {
      const length = await this.#input.read(this.#parser.writable());
      this.#parser.wrote(length);
      return length > 0;
    } catch (error) {
      if (!(error instanceof CompressionError)) throw unreadable(this.#path, error);
      if (!error.truncated) throw this.#error('DT_CAPTURE_DAMAGED', `is damaged: ${error.message}`);
      this.warning = this.#error('DT_CAPTURE_TRUNCATED', error.message);
      return false;
    }
  }

  #error(code: CaptureErrorCode, what: string): CaptureFileError {
    const { offset, packetNumber } = this.#parser;
    const detail = `${what} (at byte ${offset}, behind packet ${packetNumber})`;
    return new CaptureFileError(code, this.#path, offset, packetNumber, detail);
  }

  #notRecognised(): CaptureFileError {
    const { head } = this.#parser;
    if (head.length === 0) return new CaptureFileError('DT_CAPTURE_EMPTY', this.#path, 0, 0, 'is empty');
    const detail = `is no capture file: ${describeHead(head)}; expected pcap or pcapng, plain or gzipped`;
    return new CaptureFileError('DT_CAPTURE_NOT_RECOGNISED', this.#path, 0, 0, detail);
  }
}

function unreadable(path: string, error: unknown): CaptureFileError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'no permission to read it',
    EISDIR: 'is a directory; give a capture file',
  };
  const reason = reasons[String(code)] ?? (error instanceof Error ? error.message : String(error));
  return new CaptureFileError('DT_CAPTURE_UNREADABLE', path, 0, 0, `cannot be read: ${reason}`);
}

/** Formats that people give by mistake: their first bytes, and what to do. */
const OTHER_FORMATS: readonly { magic: string; advice: string }[] = [
  { magic: '28b52ffd', advice: 'it is compressed with zstd: unpack it first (zstd -d)' },
  { magic: 'fd377a58', advice: 'it is compressed with xz: unpack it first (xz -d)' },
  { magic: '425a68', advice: 'it is compressed with bzip2: unpack it first (bzip2 -d)' },
  { magic: '504b0304', advice: 'it is a zip archive: unpack it first' },
  { magic: '736e6f6f70', advice: 'it is a snoop capture: convert it first (editcap -F pcapng IN OUT)' },
  { magic: '474d4255', advice: 'it is a Network Monitor capture: convert it first (editcap -F pcapng IN OUT)' },
];

function describeHead(head: Buffer): string {
  const hex = head.toString('hex');
  const known = OTHER_FORMATS.find(({ magic }) => hex.startsWith(magic));
  if (known) return known.advice;
  if (CaptureParser.beginsLikeCapture(head)) return 'it ends inside the file header';
  const first = head.subarray(0, 8);
  const text = first.toString('latin1').replaceAll(/[^ -~]/g, '.');
  return `it begins with ${first.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ')} (${JSON.stringify(text)})`;
}
