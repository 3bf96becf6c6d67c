/**
 * pcapng blocks (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces with their own link type and
 * clock, enhanced, simple and old packet blocks. All other blocks are passed over without being held.
 *
 * A block: type (4), total length (4), body, total length again (4); the total is a multiple of four.
 */
import { RECORD_BYTES_MAX, Read } from './capture-record.ts';
import type { CaptureCursor, RecordReader } from './capture-record.ts';
import { timeUsOf, timeUnit } from './pcapng-time.ts';
import type { TimeUnit } from './pcapng-time.ts';

const Block = { section: 0x0a0d0d0a, device: 1, oldPacket: 2, simplePacket: 3, enhancedPacket: 6 } as const;
const Option = { end: 0, resolution: 9, offset: 14 } as const;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Interfaces in one section; a file with more is no real one. */
const DEVICES_MAX = 65_536;

interface Device {
  linkType: number;
  /** Longest packet kept, 0 for no limit. */
  snapLength: number;
  unit: TimeUnit;
  offsetUs: number;
}

export class PcapngReader implements RecordReader {
  damage = '';
  #littleEndian = true;
  #devices: Device[] = [];
  /** Simple packet blocks carry no time: they get that of the packet before. */
  #lastTimeUs = 0;

  /** A reader for a file that begins with `head`, or null when it is no pcapng file or too little of it is there. */
  static recognise(head: Buffer): PcapngReader | null {
    if (head.length < 12 || !PcapngReader.hasMagic(head)) return null;
    const known = head.readUInt32LE(8) === BYTE_ORDER_MAGIC || head.readUInt32BE(8) === BYTE_ORDER_MAGIC;
    return known ? new PcapngReader() : null;
  }

  static hasMagic(head: Buffer): boolean {
    return head.length >= 4 && head.readUInt32BE(0) === Block.section;
  }

  read(cursor: CaptureCursor): number {
    const { bytes, position, filled } = cursor;
    if (filled - position < 12) return 12;
    // The type of a section header reads the same in both orders; the order of what follows is told inside.
    if (bytes.readUInt32BE(position) === Block.section) {
      this.#littleEndian = bytes.readUInt32LE(position + 8) === BYTE_ORDER_MAGIC;
      if (!this.#littleEndian && bytes.readUInt32BE(position + 8) !== BYTE_ORDER_MAGIC) {
        return this.#damaged('a section header has no byte-order mark');
      }
    }
    const type = this.#uint32(bytes, position);
    const length = this.#uint32(bytes, position + 4);
    if (length < 12 || length % 4 !== 0) return this.#damaged(`a block claims to have ${length} bytes`);
    if (!isHeld(type)) {
      if (type === Block.section) this.#devices = [];
      cursor.skip = length;
      return Read.other;
    }
    if (length > RECORD_BYTES_MAX) return this.#damaged(`a block claims to have ${length} bytes`);
    if (filled - position < length) return length;
    const end = position + length;
    if (this.#uint32(bytes, end - 4) !== length) return this.#damaged('the two lengths of a block differ');
    cursor.position = end;
    return this.#readBlock(cursor, type, position + 8, end - 4);
  }

  #readBlock(cursor: CaptureCursor, type: number, start: number, end: number): number {
    switch (type) {
      case Block.device:
        return this.#readDevice(cursor.bytes, start, end);
      case Block.simplePacket:
        return this.#readSimplePacket(cursor, start, end);
      default:
        return this.#readPacket(cursor, type, start, end);
    }
  }

  #readDevice(bytes: Buffer, start: number, end: number): number {
    if (end - start < 8) return this.#damaged('an interface block is too short');
    if (this.#devices.length === DEVICES_MAX) return this.#damaged(`more than ${DEVICES_MAX} interfaces`);
    const device: Device = {
      linkType: this.#uint16(bytes, start),
      snapLength: this.#uint32(bytes, start + 4),
      unit: timeUnit(6),
      offsetUs: 0,
    };
    for (let at = start + 8; at + 4 <= end; ) {
      const code = this.#uint16(bytes, at);
      const length = this.#uint16(bytes, at + 2);
      const value = at + 4;
      if (code === Option.end || value + length > end) break;
      if (code === Option.resolution && length === 1) device.unit = timeUnit(bytes[value]);
      if (code === Option.offset && length === 8) {
        const seconds = this.#littleEndian ? bytes.readBigInt64LE(value) : bytes.readBigInt64BE(value);
        device.offsetUs = Number(seconds) * 1e6;
      }
      at = value + length + (-length & 3);
    }
    this.#devices.push(device);
    return Read.other;
  }

  /** Enhanced and old packet blocks differ only in the width of the interface number. */
  #readPacket(cursor: CaptureCursor, type: number, start: number, end: number): number {
    if (end - start < 20) return this.#damaged('a packet block is too short');
    const { bytes } = cursor;
    const number = type === Block.enhancedPacket ? this.#uint32(bytes, start) : this.#uint16(bytes, start);
    const captured = this.#uint32(bytes, start + 12);
    if (captured > end - start - 20) return this.#damaged(`a packet claims to have ${captured} bytes`);
    const device = this.#devices[number];
    if (device !== undefined) {
      const units = timeUsOf(device.unit, this.#uint32(bytes, start + 4), this.#uint32(bytes, start + 8));
      this.#lastTimeUs = units + device.offsetUs;
    }
    cursor.timeUs = this.#lastTimeUs;
    cursor.linkType = device?.linkType ?? -1;
    cursor.originalLength = this.#uint32(bytes, start + 16);
    cursor.start = start + 20;
    cursor.end = start + 20 + captured;
    return Read.packet;
  }

  /** Holds no captured length: it is what the interface's limit and the block leave of the original. */
  #readSimplePacket(cursor: CaptureCursor, start: number, end: number): number {
    if (end - start < 4) return this.#damaged('a packet block is too short');
    const device = this.#devices[0];
    const snapLength = device === undefined || device.snapLength === 0 ? Infinity : device.snapLength;
    cursor.originalLength = this.#uint32(cursor.bytes, start);
    cursor.timeUs = this.#lastTimeUs;
    cursor.linkType = device?.linkType ?? -1;
    cursor.start = start + 4;
    cursor.end = start + 4 + Math.min(cursor.originalLength, snapLength, end - start - 4);
    return Read.packet;
  }

  #damaged(what: string): number {
    this.damage = what;
    return Read.damaged;
  }

  #uint16(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  #uint32(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }
}

function isHeld(type: number): boolean {
  return (
    type === Block.enhancedPacket || type === Block.simplePacket || type === Block.oldPacket || type === Block.device
  );
}
