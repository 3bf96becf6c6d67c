/**
 * The frame of a segment file: its header, the header of each block, the index at the end and the pointer to it. What
 * the bytes mean is in docs/recording-format.md.
 */
import { crc32 } from 'node:zlib';
import { readWhole, writeWhole } from './record-codec.ts';

export const formatVersion = 1;

const segmentMagic = Buffer.from('DTRECORD');
const blockMagic = Buffer.from('DTBK');
const pointerMagic = Buffer.from('DTIX');

export const segmentHeaderBytes = 64;
export const blockHeaderBytes = 48;
export const indexPointerBytes = 16;
export const saltBytes = 16;

/** What a block may unfold to; a record of the largest bodies that are kept fits in. */
export const rawBytesMax = 268_435_456;

export const BlockKind = { exchanges: 1, index: 2 } as const;

const SegmentFlag = { encrypted: 1 } as const;

export interface SegmentHeader {
  encrypted: boolean;
  /** Random: makes the key of this segment its own. */
  salt: Buffer;
  createdUs: number;
  /** Tells a wrong key; zeros when it is not encrypted. */
  keyCheck: Buffer;
}

export function writeSegmentHeader({ encrypted, salt, createdUs, keyCheck }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(bytes);
  bytes.writeUInt16LE(formatVersion, 8);
  bytes.writeUInt16LE(encrypted ? SegmentFlag.encrypted : 0, 10);
  salt.copy(bytes, 16);
  writeWhole(createdUs, bytes, 32);
  keyCheck.copy(bytes, 40, 0, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** Whether a file begins as a segment does, of whatever version. */
export function isSegment(bytes: Buffer): boolean {
  return bytes.length >= segmentMagic.length && bytes.subarray(0, segmentMagic.length).equals(segmentMagic);
}

/** Whether a file ends, or holds nothing but zeros, before its header does: what ends a process just then leaves that. */
export function isUnwrittenHeader(bytes: Buffer): boolean {
  if (bytes.every((each) => each === 0)) return true;
  return bytes.length < segmentHeaderBytes && segmentMagic.subarray(0, bytes.length).equals(bytes.subarray(0, segmentMagic.length));
}

/** The header that a file begins with; its version when that is not ours, null when it is no segment. */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | number | null {
  if (bytes.length < segmentHeaderBytes || !isSegment(bytes)) return null;
  const version = bytes.readUInt16LE(8);
  if (version !== formatVersion) return version;
  if (bytes.readUInt32LE(60) !== crc32(bytes.subarray(0, 60))) return null;
  return {
    encrypted: (bytes.readUInt16LE(10) & SegmentFlag.encrypted) !== 0,
    salt: Buffer.from(bytes.subarray(16, 32)),
    createdUs: readWhole(bytes, 32),
    keyCheck: Buffer.from(bytes.subarray(40, 56)),
  };
}

export interface BlockHeader {
  kind: number;
  /** Bytes behind the header in the file. */
  storedBytes: number;
  /** Bytes that they unfold to. */
  rawBytes: number;
  records: number;
  /** Position in the segment, from 0. */
  sequence: number;
  /** When the first and the last request in it began, microseconds since the epoch. */
  firstUs: number;
  lastUs: number;
  /** CRC-32 of the bytes behind the header. */
  checksum: number;
}

/** The part of a block's header that encryption vouches for. */
export const authenticatedBytes = 40;

export function writeBlockHeader(header: BlockHeader): Buffer {
  const bytes = Buffer.alloc(blockHeaderBytes);
  blockMagic.copy(bytes);
  bytes[4] = header.kind;
  bytes.writeUInt32LE(header.storedBytes, 8);
  bytes.writeUInt32LE(header.rawBytes, 12);
  bytes.writeUInt32LE(header.records, 16);
  bytes.writeUInt32LE(header.sequence, 20);
  writeWhole(header.firstUs, bytes, 24);
  writeWhole(header.lastUs, bytes, 32);
  signBlockHeader(bytes, header.checksum);
  return bytes;
}

/** Sets the checksums of a header. */
export function signBlockHeader(bytes: Buffer, checksum: number): void {
  bytes.writeUInt32LE(checksum, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
}

/** Null when there is no sound header. */
export function readBlockHeader(bytes: Buffer): BlockHeader | null {
  if (bytes.length < blockHeaderBytes || !bytes.subarray(0, 4).equals(blockMagic)) return null;
  if (bytes.readUInt32LE(44) !== crc32(bytes.subarray(0, 44))) return null;
  return {
    kind: bytes[4] ?? 0,
    storedBytes: bytes.readUInt32LE(8),
    rawBytes: bytes.readUInt32LE(12),
    records: bytes.readUInt32LE(16),
    sequence: bytes.readUInt32LE(20),
    firstUs: readWhole(bytes, 24),
    lastUs: readWhole(bytes, 32),
    checksum: bytes.readUInt32LE(40),
  };
}

/** A block as the index has it. */
export interface IndexEntry {
  /** Of its header in the file. */
  offset: number;
  storedBytes: number;
  rawBytes: number;
  records: number;
  firstUs: number;
  lastUs: number;
  /** CRC-32 of the label of each connection in it, ascending; null when that is not known. */
  connections: Uint32Array | null;
}

const entryBytes = 40;

export function writeIndex(entries: readonly IndexEntry[]): Buffer {
  const bytes = Buffer.alloc(entries.reduce((sum, { connections }) => sum + entryBytes + 4 * (connections?.length ?? 0), 0));
  let at = 0;
  for (const { offset, storedBytes, rawBytes, records, firstUs, lastUs, connections } of entries) {
    writeWhole(offset, bytes, at);
    bytes.writeUInt32LE(storedBytes, at + 8);
    bytes.writeUInt32LE(rawBytes, at + 12);
    writeWhole(firstUs, bytes, at + 16);
    writeWhole(lastUs, bytes, at + 24);
    bytes.writeUInt32LE(records, at + 32);
    bytes.writeUInt32LE(connections?.length ?? 0, at + 36);
    at += entryBytes;
    for (const hash of connections ?? []) at = bytes.writeUInt32LE(hash, at);
  }
  return bytes;
}

/** Null when the bytes are no index. */
export function readIndex(bytes: Buffer): IndexEntry[] | null {
  const entries: IndexEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + entryBytes > bytes.length) return null;
    const count = bytes.readUInt32LE(at + 36);
    const end = at + entryBytes + 4 * count;
    if (end > bytes.length) return null;
    const from = at + entryBytes;
    entries.push({
      offset: readWhole(bytes, at),
      storedBytes: bytes.readUInt32LE(at + 8),
      rawBytes: bytes.readUInt32LE(at + 12),
      firstUs: readWhole(bytes, at + 16),
      lastUs: readWhole(bytes, at + 24),
      records: bytes.readUInt32LE(at + 32),
      connections: Uint32Array.from({ length: count }, (_, index) => bytes.readUInt32LE(from + 4 * index)),
    });
    at = end;
  }
  return entries;
}

/** The last bytes of a segment that was closed: where its index begins. */
export function writeIndexPointer(offset: number): Buffer {
  const bytes = Buffer.alloc(indexPointerBytes);
  writeWhole(offset, bytes, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  pointerMagic.copy(bytes, 12);
  return bytes;
}

/** Null when the segment does not end in a pointer. */
export function readIndexPointer(bytes: Buffer): number | null {
  if (bytes.length !== indexPointerBytes || !bytes.subarray(12).equals(pointerMagic)) return null;
  return bytes.readUInt32LE(8) === crc32(bytes.subarray(0, 8)) ? readWhole(bytes, 0) : null;
}
