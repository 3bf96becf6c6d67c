import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pcapFile, pcapngFile } from '../../test/support/capture-files.ts';
import type { CapturePacket } from '../../test/support/capture-files.ts';
import { conversation } from '../../test/support/conversation.ts';
import { CaptureFile } from './capture-file.ts';
import { CaptureFileError } from './capture-file-error.ts';

interface ReadPacket {
  frame: string;
  timeUs: number;
  originalLength: number;
  linkType: number;
  number: number;
}

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doubletake-capture-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(content: Buffer): string {
  const path = join(folder, `${++files}.pcap`);
  writeFileSync(path, content);
  return path;
}

/** Reads to the end, or to the error; packets first. */
async function readAll(
  capture: CaptureFile,
): Promise<{ packets: ReadPacket[]; warning: CaptureFileError | null; error: unknown }> {
  const packets: ReadPacket[] = [];
  try {
    for await (const batch of capture) {
      while (batch.next()) {
        packets.push({
          frame: batch.bytes.toString('latin1', batch.start, batch.end),
          timeUs: batch.timeUs,
          originalLength: batch.originalLength,
          linkType: batch.linkType,
          number: batch.packetNumber,
        });
      }
    }
  } catch (error) {
    return { packets, warning: capture.warning, error };
  }
  return { packets, warning: capture.warning, error: null };
}

function stringMatching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

const read = async (content: Buffer): ReturnType<typeof readAll> => readAll(await CaptureFile.open(fileOf(content)));

const wanted = (packets: CapturePacket[], linkType = 1): ReadPacket[] =>
  packets.map(({ frame, timeUs, originalLength }, index) => ({
    frame: frame.toString('latin1'),
    timeUs,
    originalLength: originalLength ?? frame.length,
    linkType,
    number: index + 1,
  }));

const packets: CapturePacket[] = conversation({ mss: 100, startUs: 1_767_225_600_123_457 }, [
  { client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { server: `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}` },
]);

/** Packets that do not compress well. */
const noise: CapturePacket[] = Array.from({ length: 300 }, (_, index) => ({
  frame: Buffer.from(Array.from({ length: 900 }, (_byte, at) => (at * index * 7919) >> 3)),
  timeUs: index,
}));

describe('every form of the formats gives the same packets', () => {
  const forms: [string, Buffer][] = [
    ['pcap', pcapFile(packets)],
    ['pcap, big endian', pcapFile(packets, { bigEndian: true })],
    ['pcap, nanoseconds', pcapFile(packets, { nanoseconds: true })],
    ['pcap, nanoseconds, big endian', pcapFile(packets, { nanoseconds: true, bigEndian: true })],
    ['pcap, modified', pcapFile(packets, { modified: true })],
    ['pcapng', pcapngFile(packets)],
    ['pcapng, big endian', pcapngFile(packets, { bigEndian: true })],
    ['pcapng, nanoseconds', pcapngFile(packets, { resolutionDigits: 9 })],
    ['pcapng, picoseconds', pcapngFile(packets, { resolutionDigits: 12, offsetSeconds: 1_767_225_600 })],
    ['pcapng, times from an offset', pcapngFile(packets, { offsetSeconds: 1_767_000_000, bigEndian: true })],
    ['pcapng, old packet blocks', pcapngFile(packets, { block: 'old' })],
  ];
  for (const [name, content] of forms) {
    test(`${name}, plain`, async () => {
      const shown = await read(content);
      expect(shown.packets).toEqual(wanted(packets));
      expect(shown).toMatchObject({ warning: null, error: null });
    });
    test(`${name}, gzipped`, async () => {
      expect(await read(gzipSync(content))).toEqual(await read(content));
    });
  }

  test('binary fractions of a second round down', async () => {
    const shown = await read(pcapngFile(packets, { resolutionBits: 30 }));
    const lost = shown.packets.map(({ timeUs }, index) => (packets[index]?.timeUs ?? 0) - timeUs);
    expect(lost).toHaveLength(packets.length);
    expect(lost.every((us) => us === 0 || us === 1)).toBe(true);
  });

  test('whole seconds and milliseconds of pcapng', async () => {
    const coarse = packets.map((packet) => ({ ...packet, timeUs: Math.floor(packet.timeUs / 1e6) * 1e6 }));
    expect((await read(pcapngFile(coarse, { resolutionDigits: 0 }))).packets).toEqual(wanted(coarse));
    expect((await read(pcapngFile(coarse, { resolutionDigits: 3 }))).packets).toEqual(wanted(coarse));
  });
});

test('simple packet blocks carry the time of the packet before them', async () => {
  const content = Buffer.concat([pcapngFile(packets.slice(0, 1)), pcapngFile(packets.slice(1), { block: 'simple' })]);
  const at = packets[0]?.timeUs ?? 0;
  expect((await read(content)).packets).toEqual(wanted(packets.map((packet) => ({ ...packet, timeUs: at }))));
});

test('sections of different byte order, link type and clock follow each other', async () => {
  const parts = [packets.slice(0, 3), packets.slice(3, 6)] as const;
  const content = Buffer.concat([
    pcapngFile(parts[0]),
    pcapngFile(parts[1], { bigEndian: true, linkType: 101, resolutionDigits: 9 }),
  ]);
  const shown = (await read(content)).packets.map(({ frame, linkType, timeUs }) => ({ frame, linkType, timeUs }));
  const plain = [...wanted(parts[0]), ...wanted(parts[1], 101)];
  expect(shown).toEqual(plain.map(({ frame, linkType, timeUs }) => ({ frame, linkType, timeUs })));
});

test('packets that the capture cut show their original length', async () => {
  const cut = packets.map((packet) => ({ ...packet, originalLength: packet.frame.length + 1000 }));
  expect((await read(pcapFile(cut))).packets).toEqual(wanted(cut));
  expect((await read(pcapngFile(cut))).packets).toEqual(wanted(cut));
});

test('other blocks are passed over, however large', async () => {
  const block = Buffer.alloc(12 * 1024 * 1024);
  block.writeUInt32LE(0x0bad, 0);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(block.length, block.length - 4);
  const whole = pcapngFile(packets);
  const content = Buffer.concat([whole, block, pcapngFile(packets)]);
  expect((await read(content)).packets).toHaveLength(packets.length * 2);
  expect(await read(Buffer.concat([whole, block.subarray(0, 1000)]))).toMatchObject({
    warning: { code: 'DT_CAPTURE_TRUNCATED', packetNumber: packets.length },
  });
});

test('a file of many buffers gives all its packets, also to a reader that takes one a batch', async () => {
  const many = Array.from({ length: 4000 }, (_, index) => ({
    frame: Buffer.alloc(1000 + (index % 500), index),
    timeUs: index,
  }));
  const content = pcapFile(many);
  expect(content.length).toBeGreaterThan(4 * 1024 * 1024);
  expect((await read(content)).packets).toEqual(wanted(many));
  let count = 0;
  for await (const batch of await CaptureFile.open(fileOf(content))) {
    if (batch.next() && batch.bytes[batch.start] === (count & 255)) count++;
  }
  expect(count).toBe(many.length);
});

test('a packet larger than the buffer is read', async () => {
  const large = [...packets, { frame: Buffer.alloc(3_000_000, 7), timeUs: 1 }, ...packets];
  expect((await read(pcapFile(large))).packets).toEqual(wanted(large));
});

test('standard input in pieces of any size, plain and gzipped', async () => {
  const contents = [pcapFile(packets), pcapngFile(packets), gzipSync(pcapngFile(packets, { bigEndian: true }))];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...contents), fc.integer({ min: 1, max: 500 }), async (content, size) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < content.length; at += size) pieces.push(content.subarray(at, at + size));
      const capture = await CaptureFile.open('-', Readable.from(pieces));
      expect(await readAll(capture)).toEqual({ packets: wanted(packets), warning: null, error: null });
    }),
    { numRuns: 60 },
  );
});

test('a reader that stops early closes the file', async () => {
  const stdin = Readable.from([pcapFile(packets), Buffer.alloc(10)]);
  for await (const batch of await CaptureFile.open('-', stdin)) {
    if (batch.next()) break;
  }
  expect(stdin.destroyed).toBe(true);
});

describe('a capture that was cut', () => {
  for (const [name, write] of [
    ['pcap', pcapFile],
    ['pcapng', pcapngFile],
  ] as const) {
    test(`${name}: gives what it holds, and says where it ends, wherever the cut is`, async () => {
      const content = write(packets);
      const first = name === 'pcap' ? 24 : 28 + 20;
      const full = wanted(packets);
      let last = 0;
      const ends = Array.from({ length: Math.ceil((content.length - first) / 7) }, (_, index) => first + index * 7);
      const results = await Promise.all(ends.map((end) => read(content.subarray(0, end))));
      for (const [index, end] of ends.entries()) {
        const { packets: shown, warning, error } = results[index];
        expect(error).toBeNull();
        expect(shown).toEqual(full.slice(0, shown.length));
        expect(shown.length).toBeGreaterThanOrEqual(last);
        last = shown.length;
        // A cut between two packets is no cut.
        const cutAt = warning?.offset ?? end;
        expect(warning?.packetNumber ?? shown.length).toBe(shown.length);
        expect(content.subarray(0, cutAt)).toEqual(write(packets.slice(0, shown.length)));
      }
      expect(last).toBe(packets.length - 1);
    });
  }

  test('gzipped: gives what could be unpacked', async () => {
    const packed = gzipSync(pcapFile(noise));
    const { packets: shown, warning, error } = await read(packed.subarray(0, packed.length >> 1));
    expect(error).toBeNull();
    expect(warning?.code).toBe('DT_CAPTURE_TRUNCATED');
    expect(shown.length).toBeGreaterThan(10);
    expect(shown).toEqual(wanted(noise).slice(0, shown.length));
    expect(await read(packed.subarray(0, -4))).toMatchObject({
      packets: wanted(noise),
      warning: { code: 'DT_CAPTURE_TRUNCATED' },
    });
  });
});

describe('what cannot be read', () => {
  const cases: [string, Buffer, string, RegExp][] = [
    ['an empty file', Buffer.alloc(0), 'DT_CAPTURE_EMPTY', /^\S+\.pcap: is empty$/],
    [
      'a text',
      Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n'),
      'DT_CAPTURE_NOT_RECOGNISED',
      /is no capture file: it begins with 47 45 54 20 2f 20 48 54 \("GET \/ HT"\); expected pcap or pcapng/,
    ],
    ['two bytes', Buffer.from('hi'), 'DT_CAPTURE_NOT_RECOGNISED', /it begins with 68 69/],
    ['a gzipped text', gzipSync('hello, world, this is a text'), 'DT_CAPTURE_NOT_RECOGNISED', /"hello, w"/],
    ['zstd', Buffer.from('28b52ffd00000000', 'hex'), 'DT_CAPTURE_NOT_RECOGNISED', /unpack it first \(zstd -d\)/],
    ['a part of a header', pcapFile([]).subarray(0, 20), 'DT_CAPTURE_NOT_RECOGNISED', /ends inside the file header/],
  ];
  test.each(cases)('%s', async (_name, content, code, message) => {
    const { packets: shown, error } = await read(content);
    expect(shown).toEqual([]);
    expect(error).toBeInstanceOf(CaptureFileError);
    expect(error).toMatchObject({ code, message: stringMatching(message) });
  });

  test('a missing file and a folder', async () => {
    await expect(CaptureFile.open(join(folder, 'none.pcap'))).rejects.toMatchObject({
      code: 'DT_CAPTURE_UNREADABLE',
      message: stringMatching(/there is no such file/),
    });
    await expect(CaptureFile.open(folder)).rejects.toMatchObject({
      code: 'DT_CAPTURE_UNREADABLE',
      message: stringMatching(/is a directory/),
    });
  });

  test('a header without packets is a capture of nothing', async () => {
    expect(await read(pcapFile([]))).toEqual({ packets: [], warning: null, error: null });
    expect(await read(pcapngFile([]))).toEqual({ packets: [], warning: null, error: null });
  });

  test('a lying length: the packets before it, then an error that says where', async () => {
    const whole = pcapFile(packets);
    const lying = Buffer.alloc(16, 0xff);
    const shown = await read(Buffer.concat([whole, lying, whole]));
    expect(shown.packets).toEqual(wanted(packets));
    expect(shown.error).toMatchObject({
      code: 'DT_CAPTURE_DAMAGED',
      offset: whole.length,
      packetNumber: packets.length,
      message: stringMatching(/a packet claims to have 4294967295 bytes/),
    });
  });

  test('gzip whose checksum is wrong: the packets, then an error', async () => {
    const packed = gzipSync(pcapFile(noise));
    packed.fill(0xff, packed.length - 8);
    const { packets: shown, error } = await read(packed);
    expect(error).toMatchObject({ code: 'DT_CAPTURE_DAMAGED' });
    expect(shown.length).toBeGreaterThan(noise.length / 2);
    expect(shown).toEqual(wanted(noise).slice(0, shown.length));
  });

  test('any damage to a file ends in packets, a warning or a typed error', async () => {
    const contents = [pcapFile(packets), pcapngFile(packets, { resolutionDigits: 9, offsetSeconds: 5 })];
    const change = fc.tuple(fc.nat(600), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    const changes = fc.array(change, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...contents), changes, async (content, all) => {
        const copy = Buffer.from(content);
        for (const [offset, value] of all) copy[offset] = value;
        const { error } = await readAll(await CaptureFile.open('-', Readable.from([copy])));
        expect(error === null || error instanceof CaptureFileError).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
