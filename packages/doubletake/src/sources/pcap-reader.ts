/**
 * Classic pcap records (draft-ietf-opsawg-pcap), in either byte order, with micro- or nanoseconds, and in the
 * 'modified' form of old Linux distributions, whose packet headers are eight bytes longer.
 */
import { RECORD_BYTES_MAX, Read } from './capture-record.ts';
import type { CaptureCursor, RecordReader } from './capture-record.ts';

const Magic = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 } as const;

const FILE_HEADER_BYTES = 24;

export class PcapReader implements RecordReader {
  damage = '';
  readonly #littleEndian: boolean;
  readonly #nanoseconds: boolean;
  readonly #headerBytes: number;
  readonly #linkType: number;
  #headerPending = true;

  /** A reader for a file that begins with `head`, or null when it is no pcap file or too little of it is there. */
  static recognise(head: Buffer): PcapReader | null {
    return head.length >= FILE_HEADER_BYTES && PcapReader.hasMagic(head) ? new PcapReader(head) : null;
  }

  static hasMagic(head: Buffer): boolean {
    return head.length >= 4 && (isMagic(head.readUInt32BE(0)) || isMagic(head.readUInt32LE(0)));
  }

  private constructor(head: Buffer) {
    this.#littleEndian = isMagic(head.readUInt32LE(0));
    const magic = this.#littleEndian ? head.readUInt32LE(0) : head.readUInt32BE(0);
    this.#nanoseconds = magic === Magic.nanoseconds;
    this.#headerBytes = magic === Magic.modified ? 24 : 16;
    // The upper half of the word says whether frames carry a check sequence, which IP lengths cut off anyway.
    this.#linkType = (this.#littleEndian ? head.readUInt32LE(20) : head.readUInt32BE(20)) & 0xffff;
  }

  read(cursor: CaptureCursor): number {
    if (this.#headerPending) {
      this.#headerPending = false;
      cursor.position += FILE_HEADER_BYTES;
    }
    const { bytes, position, filled } = cursor;
    if (filled - position < this.#headerBytes) return this.#headerBytes;
    const little = this.#littleEndian;
    const captured = little ? bytes.readUInt32LE(position + 8) : bytes.readUInt32BE(position + 8);
    const length = this.#headerBytes + captured;
    if (length > RECORD_BYTES_MAX) {
      this.damage = `a packet claims to have ${captured} bytes`;
      return Read.damaged;
    }
    if (filled - position < length) return length;
    const seconds = little ? bytes.readUInt32LE(position) : bytes.readUInt32BE(position);
    const fraction = little ? bytes.readUInt32LE(position + 4) : bytes.readUInt32BE(position + 4);
    cursor.timeUs = seconds * 1e6 + (this.#nanoseconds ? Math.floor(fraction / 1000) : fraction);
    cursor.originalLength = little ? bytes.readUInt32LE(position + 12) : bytes.readUInt32BE(position + 12);
    cursor.linkType = this.#linkType;
    cursor.start = position + this.#headerBytes;
    cursor.end = position + length;
    cursor.position = cursor.end;
    return Read.packet;
  }
}

function isMagic(value: number): boolean {
  return value === Magic.microseconds || value === Magic.nanoseconds || value === Magic.modified;
}
