/**
 * Writers of pcap and pcapng files for tests. Packets are `{ frame, timeUs }`, as `conversation` makes them; a packet
 * with `originalLength` above its frame's length stands for one that the capture cut.
 *
 *     writeFileSync(path, pcapFile(conversation({}, turns)));
 *     writeFileSync(path, pcapngFile(packets, { bigEndian: true, resolutionDigits: 9 }));
 */

export interface CapturePacket {
  frame: Buffer;
  timeUs: number;
  originalLength?: number;
}

export interface PcapOptions {
  /** Ethernet by default. */
  linkType?: number;
  nanoseconds?: boolean;
  bigEndian?: boolean;
  /** The 'modified' format of Alexey Kuznetzov's libpcap: eight more bytes in every packet header. */
  modified?: boolean;
}

/** A classic pcap file. */
export function pcapFile(packets: CapturePacket[], options: PcapOptions = {}): Buffer {
  const { put16, put32 } = writers(options.bigEndian ?? false);
  const magic = options.modified ? 0xa1b2cd34 : options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const header = Buffer.alloc(24);
  put32(header, magic, 0);
  put16(header, 2, 4);
  put16(header, 4, 6);
  put32(header, 262144, 16);
  put32(header, options.linkType ?? 1, 20);
  const records = packets.map(({ frame, timeUs, originalLength }) => {
    const record = Buffer.alloc(options.modified ? 24 : 16);
    put32(record, Math.floor(timeUs / 1e6), 0);
    put32(record, (timeUs % 1e6) * (options.nanoseconds ? 1000 : 1), 4);
    put32(record, frame.length, 8);
    put32(record, originalLength ?? frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}

export interface PcapngOptions {
  linkType?: number;
  bigEndian?: boolean;
  /** `if_tsresol` as a power of ten; microseconds without the option when left out. */
  resolutionDigits?: number;
  /** `if_tsresol` as a power of two. */
  resolutionBits?: number;
  /** `if_tsoffset` in seconds; the packets' own times are written without it. */
  offsetSeconds?: number;
  /** Which block holds packets. Simple blocks carry no time. */
  block?: 'enhanced' | 'simple' | 'old';
}

/** One section of a pcapng file with one interface; sections may be concatenated. */
export function pcapngFile(packets: CapturePacket[], options: PcapngOptions = {}): Buffer {
  const { put16, put32 } = writers(options.bigEndian ?? false);
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
    const ends = Buffer.alloc(12);
    put32(ends, type, 0);
    put32(ends, padded.length + 12, 4);
    put32(ends, padded.length + 12, 8);
    return Buffer.concat([ends.subarray(0, 8), padded, ends.subarray(8)]);
  };
  const option = (code: number, value: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    put16(head, code, 0);
    put16(head, value.length, 2);
    return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)]);
  };
  const stamp = (timeUs: number): Buffer => {
    const units = timeUnits(timeUs - (options.offsetSeconds ?? 0) * 1e6, options);
    const bytes = Buffer.alloc(8);
    put32(bytes, Number(units >> 32n), 0);
    put32(bytes, Number(units & 0xffff_ffffn), 4);
    return bytes;
  };

  const section = Buffer.alloc(16, 0xff);
  put32(section, 0x1a2b3c4d, 0);
  put16(section, 1, 4);
  put16(section, 0, 6);
  const device = Buffer.alloc(8);
  put16(device, options.linkType ?? 1, 0);
  const deviceOptions: Buffer[] = [];
  if (options.resolutionDigits !== undefined) deviceOptions.push(option(9, Buffer.from([options.resolutionDigits])));
  if (options.resolutionBits !== undefined) deviceOptions.push(option(9, Buffer.from([0x80 | options.resolutionBits])));
  if (options.offsetSeconds !== undefined) {
    const seconds = Buffer.alloc(8);
    const value = BigInt(options.offsetSeconds);
    if (options.bigEndian) seconds.writeBigInt64BE(value);
    else seconds.writeBigInt64LE(value);
    deviceOptions.push(option(14, seconds));
  }
  if (deviceOptions.length > 0) deviceOptions.push(option(0, Buffer.alloc(0)));

  const records = packets.map(({ frame, timeUs, originalLength = frame.length }) => {
    const lengths = Buffer.alloc(8);
    put32(lengths, frame.length, 0);
    put32(lengths, originalLength, 4);
    switch (options.block ?? 'enhanced') {
      case 'enhanced':
        return block(6, Buffer.concat([Buffer.alloc(4), stamp(timeUs), lengths, frame]));
      case 'old':
        return block(2, Buffer.concat([Buffer.alloc(4), stamp(timeUs), lengths, frame]));
      case 'simple':
        return block(3, Buffer.concat([lengths.subarray(4), frame]));
      default:
        throw new Error(`no such block: ${String(options.block)}`);
    }
  });
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, Buffer.concat([device, ...deviceOptions])), ...records]);
}

function timeUnits(timeUs: number, options: PcapngOptions): bigint {
  const micros = BigInt(timeUs);
  if (options.resolutionBits !== undefined) return (micros << BigInt(options.resolutionBits)) / 1_000_000n;
  return (micros * 10n ** BigInt(options.resolutionDigits ?? 6)) / 1_000_000n;
}

function writers(bigEndian: boolean): {
  put16: (buffer: Buffer, value: number, offset: number) => void;
  put32: (buffer: Buffer, value: number, offset: number) => void;
} {
  return bigEndian
    ? { put16: (b, v, o) => b.writeUInt16BE(v, o), put32: (b, v, o) => b.writeUInt32BE(v >>> 0, o) }
    : { put16: (b, v, o) => b.writeUInt16LE(v, o), put32: (b, v, o) => b.writeUInt32LE(v >>> 0, o) };
}
