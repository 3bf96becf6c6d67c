/**
 * pcap and pcapng bytes to packets: a pure pull parser over one reused buffer.
 *
 * The caller writes file bytes, in pieces of any size, into `writable()` and reports them with `wrote`; `next()` then
 * steps through the packets that are whole, each standing in the public fields as a view that holds until the next
 * `writable()`. When `next()` returns false, `state` says why: more bytes are needed, or the file cannot be read on.
 *
 * The formats differ only in how one record is read; `PcapReader` and `PcapngReader` do that and nothing else. A record
 * needs to fit the buffer, which grows for it up to a bound; what lies in records that are passed over is never held.
 */
import { Read } from './capture-record.ts';
import type { CaptureCursor, RecordReader } from './capture-record.ts';
import { PcapReader } from './pcap-reader.ts';
import { PcapngReader } from './pcapng-reader.ts';

const BUFFER_BYTES = 1024 * 1024;
/** Longest of the headers that tell the formats apart. */
const HEADER_BYTES = 24;

export class CaptureParser {
  readonly #cursor: CaptureCursor = {
    bytes: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    position: 0,
    filled: 0,
    start: 0,
    end: 0,
    originalLength: 0,
    linkType: 0,
    timeUs: 0,
    skip: 0,
  };
  #reader: RecordReader | null = null;
  /** File offset of the first byte of the buffer. */
  #base = 0;
  /** Bytes that the record at the position needs in all. */
  #needed = HEADER_BYTES;
  /** Why `next` returned false. */
  state: 'hungry' | 'unrecognised' | 'damaged' = 'hungry';
  /** All that was written has been stepped through. */
  drained = true;
  /** Number of the packet that `next` stepped to, from 1. */
  packetNumber = 0;

  get bytes(): Buffer {
    return this.#cursor.bytes;
  }
  get start(): number {
    return this.#cursor.start;
  }
  get end(): number {
    return this.#cursor.end;
  }
  /** Bytes of the packet on the wire. */
  get originalLength(): number {
    return this.#cursor.originalLength;
  }
  /** Link type of the tcpdump.org registry; -1 when the file does not name one for this packet. */
  get linkType(): number {
    return this.#cursor.linkType;
  }
  /** Microseconds since the epoch. */
  get timeUs(): number {
    return this.#cursor.timeUs;
  }
  /** File offset of the record that stands next. */
  get offset(): number {
    return this.#base + this.#cursor.position;
  }
  /** Bytes of an unfinished record at the end of what was written; not 0 at the end of a file means that it was cut. */
  get unfinishedBytes(): number {
    return this.#cursor.filled - this.#cursor.position + this.#cursor.skip;
  }
  /** The file's format is known. */
  get recognised(): boolean {
    return this.#reader !== null;
  }
  /** What was wrong, when `state` is `damaged`. */
  get damage(): string {
    return this.#reader?.damage ?? '';
  }
  /** The first bytes of the file, for saying what it is when it was not recognised. */
  get head(): Buffer {
    return this.#cursor.bytes.subarray(0, Math.min(this.#cursor.filled, HEADER_BYTES));
  }

  /** Space for the next bytes of the file, at least one. Packets read before are gone. */
  writable(): Buffer {
    const cursor = this.#cursor;
    if (cursor.position > 0) {
      cursor.bytes.copyWithin(0, cursor.position, cursor.filled);
      this.#base += cursor.position;
      cursor.filled -= cursor.position;
      cursor.position = 0;
    }
    if (this.#needed > cursor.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(this.#needed);
      cursor.bytes.copy(larger, 0, 0, cursor.filled);
      cursor.bytes = larger;
    }
    return cursor.bytes.subarray(cursor.filled);
  }

  /** `length` bytes were written to the beginning of `writable()`. */
  wrote(length: number): void {
    this.#cursor.filled += length;
    this.drained = false;
    this.#reader ??= this.#recognise();
  }

  /** Steps to the next packet; false when there is none in what was written so far. */
  next(): boolean {
    const stepped = this.#step();
    this.drained = !stepped;
    return stepped;
  }

  #step(): boolean {
    const cursor = this.#cursor;
    const reader = this.#reader;
    if (reader === null || this.state === 'damaged') return false;
    for (;;) {
      if (cursor.skip > 0) {
        const skipped = Math.min(cursor.skip, cursor.filled - cursor.position);
        cursor.position += skipped;
        cursor.skip -= skipped;
        if (cursor.skip > 0) return false;
      }
      const result = reader.read(cursor);
      if (result === Read.packet) {
        this.packetNumber++;
        return true;
      }
      if (result === Read.damaged) {
        this.state = 'damaged';
        return false;
      }
      if (result > 0) {
        this.#needed = result;
        return false;
      }
    }
  }

  #recognise(): RecordReader | null {
    const { bytes, position, filled } = this.#cursor;
    const head = bytes.subarray(position, filled);
    const reader = PcapngReader.recognise(head) ?? PcapReader.recognise(head);
    const mayBecomeCapture = head.length < 4 || (head.length < HEADER_BYTES && CaptureParser.beginsLikeCapture(head));
    if (reader === null && !mayBecomeCapture) this.state = 'unrecognised';
    return reader;
  }

  /** Whether the first bytes of a file are those of a capture, as far as they go. */
  static beginsLikeCapture(head: Buffer): boolean {
    return PcapReader.hasMagic(head) || PcapngReader.hasMagic(head);
  }
}
