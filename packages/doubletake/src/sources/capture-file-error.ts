/**
 * What can be wrong with a capture file. An error says which file, where in it, what was found and what to do.
 *
 * `DT_CAPTURE_TRUNCATED` is never thrown: a capture that was cut while it was written is a normal thing, so its whole
 * packets are delivered and the error object stands in `CaptureFile.warning`.
 */
import { DoubletakeError } from '../errors.ts';

export type CaptureErrorCode =
  /** The file cannot be opened or read. */
  | 'DT_CAPTURE_UNREADABLE'
  | 'DT_CAPTURE_EMPTY'
  /** Neither pcap nor pcapng, plain or gzipped. */
  | 'DT_CAPTURE_NOT_RECOGNISED'
  /** A length in it cannot be true, or its compression is broken. */
  | 'DT_CAPTURE_DAMAGED'
  /** It ends inside a packet. */
  | 'DT_CAPTURE_TRUNCATED';

export class CaptureFileError extends DoubletakeError<CaptureErrorCode> {
  /** Path as given; `-` for standard input. */
  readonly file: string;
  /** Where in the file, in bytes after decompression. */
  readonly offset: number;
  /** Packets that stand whole before it. */
  readonly packetNumber: number;

  constructor(code: CaptureErrorCode, file: string, offset: number, packetNumber: number, detail: string) {
    super(code, `${file === '-' ? 'standard input' : file}: ${detail}`);
    this.name = 'CaptureFileError';
    this.file = file;
    this.offset = offset;
    this.packetNumber = packetNumber;
  }
}
