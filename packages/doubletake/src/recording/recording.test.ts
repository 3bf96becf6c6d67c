import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordedConnection, RecordedExchange, RecordedMessage } from './recorded-exchange.ts';
import { openRecording, type Recording, type RecordingOptions } from './recording.ts';
import { RecordingWriter } from './recording-writer.ts';
import { blockHeaderBytes, segmentHeaderBytes, signBlockHeader } from './segment-format.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doubletake-recording-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const key = 'a key of at least sixteen characters';

function connection(number: number): RecordedConnection {
  const client = { address: '10.0.0.1', port: 40_000 + number };
  const server = { address: '2001:db8::5', port: 80 };
  return { key: number.toString(16).padStart(16, '0'), label: `10.0.0.1:${client.port}>[2001:db8::5]:80`, client, server, tunnel: 7, vlan: 0 };
}

function message(text: string, body: string | null, startUs: number): RecordedMessage {
  return {
    head: Buffer.from(text, 'latin1'),
    body: body === null ? null : Buffer.from(body),
    bodyBytes: body === null ? 9_000_000_000 : Buffer.byteLength(body),
    framing: 'length',
    startUs,
    endUs: startUs + 10,
    outcome: 'complete',
  };
}

function exchange(number: number, startUs: number, index = 0): RecordedExchange {
  return {
    connection: connection(number),
    index,
    request: message(`GET /${startUs} HTTP/1.1\r\nHost: a\r\n\r\n`, '', startUs),
    response: message('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 'ok', startUs + 100),
    fidelity: 0,
    probability: 1,
  };
}

/** Writes each list as a block of its own. */
function write(directory: string, blocks: readonly (readonly RecordedExchange[])[], encrypted = false): void {
  for (const block of blocks) {
    const writer = new RecordingWriter({ directory, key: encrypted ? key : null });
    block.forEach((each) => writer.append(each));
    writer.close();
  }
}

async function all(recording: Recording): Promise<RecordedExchange[]> {
  const exchanges: RecordedExchange[] = [];
  for await (const each of recording) exchanges.push(each);
  return exchanges;
}

async function read(paths: readonly string[], options: RecordingOptions = {}): Promise<{ exchanges: RecordedExchange[]; warnings: readonly string[] }> {
  const recording = await openRecording(paths, options);
  const exchanges = await all(recording);
  return { exchanges, warnings: recording.warnings };
}

const startsOf = (exchanges: readonly RecordedExchange[]): number[] => exchanges.map(({ request }) => request.startUs);

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const timeUs = fc.integer({ min: 0, max: 1_000_000 }).map((offset) => 1_790_000_000_000_000 + offset);
const anyMessage: fc.Arbitrary<RecordedMessage> = fc
  .record({
    head: bytes,
    body: fc.option(bytes),
    bodyBytes: fc.maxSafeNat(),
    framing: fc.constantFrom('none', 'length', 'chunked', 'close'),
    startUs: timeUs,
    endUs: timeUs,
    outcome: fc.constantFrom('complete', 'gap', 'truncated', 'closed', 'timeout'),
  });
const anyExchange: fc.Arbitrary<RecordedExchange> = fc.record({
  connection: fc.nat({ max: 5 }).map(connection),
  index: fc.nat({ max: 100 }),
  request: anyMessage,
  response: fc.option(anyMessage),
  fidelity: fc.nat({ max: 127 }),
  probability: fc.double({ min: 0.001, max: 1, noNaN: true }),
});

describe('what is read back', () => {
  it('is what was written, in the order of the times, over all blocks and folders', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyExchange, { minLength: 1, maxLength: 8 }), { maxLength: 5 }), fc.boolean(), async (blocks, encrypted) => {
        const root = mkdtempSync(join(folder, 'run-'));
        const folders = blocks.map((_, index) => join(root, String(index % 2)));
        blocks.forEach((block, index) => write(folders[index] ?? '', [block], encrypted));
        const { exchanges, warnings } = await read([...new Set(folders)], { key: encrypted ? key : null });
        const byTime = (a: RecordedExchange, b: RecordedExchange): number =>
          a.request.startUs - b.request.startUs || a.index - b.index || JSON.stringify(a).localeCompare(JSON.stringify(b));
        const starts = startsOf(exchanges);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        expect(exchanges.toSorted(byTime)).toEqual(blocks.flat().toSorted(byTime));
        expect(warnings).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the order of a connection where its requests began at the same time', async () => {
    write(folder, [[exchange(1, 500, 2), exchange(1, 500, 1)], [exchange(1, 500, 0)]]);
    const { exchanges } = await read([folder]);
    expect(exchanges.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('is a part of it by time and by connection', async () => {
    write(folder, [[exchange(1, 100), exchange(2, 200)], [exchange(1, 300), exchange(3, 400)]]);
    expect(startsOf((await read([folder], { fromUs: 200, toUs: 400 })).exchanges)).toEqual([200, 300]);
    expect(startsOf((await read([folder], { connection: '10.0.0.1:40001>[2001:db8::5]:80' })).exchanges)).toEqual([100, 300]);
    const one = await openRecording([folder], { connection: '10.0.0.1:40003>[2001:db8::5]:80' });
    expect(one.exchanges).toBe(2);
  });

  it('says beforehand how much it is and when', async () => {
    write(folder, [[exchange(1, 300)], [exchange(1, 100), exchange(2, 700)]]);
    const recording = await openRecording([folder]);
    expect(recording).toMatchObject({ exchanges: 3, firstUs: 100, lastUs: 700, segments: 2 });
  });
});

describe('a segment that was cut', () => {
  it('keeps nobody from the others where it was cut before its first block, or is nothing but zeros', async () => {
    const writer = new RecordingWriter({ directory: folder });
    writer.append(exchange(1, 100));
    writer.close();
    const [name = ''] = readdirSync(folder);
    const start = readFileSync(join(folder, name)).subarray(0, segmentHeaderBytes);
    const cut = join(folder, `z-${name}`);
    const starts = [...Array.from({ length: segmentHeaderBytes }, (_, length) => start.subarray(0, length)), Buffer.alloc(segmentHeaderBytes), Buffer.alloc(10_000)];
    for (const left of starts) {
      writeFileSync(cut, left);
      const recording = await openRecording([folder]);
      expect(recording).toMatchObject({ exchanges: 1, warnings: [`${cut} ends before its first block`] });
    }
  });

  it('gives all its whole blocks at every place where it can be cut, and tells of the rest', async () => {
    const writer = new RecordingWriter({ directory: folder });
    const padding = 'x'.repeat(1_048_576);
    for (const number of [1, 2, 3]) {
      const one = exchange(number, number * 100);
      writer.append({ ...one, response: message('HTTP/1.1 200 OK\r\n\r\n', padding, 0) });
    }
    writer.close();
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const whole = readFileSync(file);
    const ends = blockEnds(whole, 3);
    const indexEnd = whole.length;
    for (let length = segmentHeaderBytes; length < indexEnd; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const recording = await openRecording([file]);
      const left = ends.filter((end) => end <= length).length;
      expect(recording.exchanges).toBe(left);
      const behind = length - (left === 0 ? segmentHeaderBytes : (ends[left - 1] ?? 0));
      const rest = behind === 0 ? '' : `, and ${behind} bytes of one that was cut`;
      expect(recording.warnings).toEqual([`${file} was never closed: it holds ${left} whole blocks${rest}`]);
    }
  });

  it('leaves out a block whose bytes are damaged, and tells of it once', async () => {
    write(folder, [[exchange(1, 100)]]);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const damaged = readFileSync(file);
    damaged[segmentHeaderBytes + blockHeaderBytes + 20] ^= 1;
    writeFileSync(file, damaged);
    const recording = await openRecording([file]);
    expect(await all(recording)).toEqual([]);
    expect(await all(recording)).toEqual([]);
    expect(recording.warnings).toEqual([`${file}: the block at byte ${segmentHeaderBytes} is damaged, and is left out`]);
  });

  it('is never more than it was, whatever bytes change', async () => {
    write(folder, [[exchange(1, 100), exchange(2, 200)]]);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(whole);
        changed[at] ^= change;
        writeFileSync(file, changed);
        try {
          const { exchanges } = await read([file]);
          expect([0, 2]).toContain(exchanges.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DT_RECORDING_NOT_RECOGNISED' });
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Where the first `count` blocks of a segment end. */
function blockEnds(segment: Buffer, count: number): number[] {
  const ends: number[] = [];
  let at = segmentHeaderBytes;
  for (let block = 0; block < count; block++) {
    at += blockHeaderBytes + segment.readUInt32LE(at + 8);
    ends.push(at);
  }
  return ends;
}

describe('an encrypted recording', () => {
  it('holds nothing that can be read without its key', async () => {
    write(folder, [[exchange(1, 100)]], true);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    expect(readFileSync(file).includes('Host')).toBe(false);
    await expect(openRecording([folder])).rejects.toMatchObject({ code: 'DT_RECORDING_KEY', message: expect.stringContaining('is encrypted') });
    await expect(openRecording([folder], { key: 'another key of sixteen characters' })).rejects.toMatchObject({ code: 'DT_RECORDING_KEY' });
    expect(startsOf((await read([folder], { key })).exchanges)).toEqual([100]);
  });

  it('never uses a key and nonce twice: the same exchange in two segments and two blocks is stored differently', () => {
    write(folder, [[exchange(1, 100)], [exchange(1, 100)]], true);
    const [first, second] = readdirSync(folder).map((name) => readFileSync(join(folder, name)).subarray(segmentHeaderBytes + blockHeaderBytes, -16));
    expect(first).not.toEqual(second);
  });

  it('does not take a block for another', async () => {
    write(folder, [[exchange(1, 100)]], true);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const changed = readFileSync(file);
    // Another sequence number, with checksums that fit.
    const header = changed.subarray(segmentHeaderBytes, segmentHeaderBytes + blockHeaderBytes);
    header.writeUInt32LE(1, 20);
    signBlockHeader(header, header.readUInt32LE(40));
    writeFileSync(file, changed);
    const { exchanges, warnings } = await read([file], { key });
    expect(exchanges).toEqual([]);
    expect(warnings).toHaveLength(1);
  });
});

describe('what is no recording', () => {
  it.each([
    ['an empty folder', (path: string) => path, 'DT_RECORDING_NOT_FOUND'],
    ['a folder that is not there', (path: string) => join(path, 'nowhere'), 'DT_RECORDING_NOT_FOUND'],
    ['another file', (path: string) => written(path, 'other.dtrec', 'something else'), 'DT_RECORDING_NOT_RECOGNISED'],
  ])('%s is told by its code', async (_name, path, code) => {
    await expect(openRecording([path(folder)])).rejects.toMatchObject({ code });
  });

  it('a segment of a later version says so', async () => {
    write(folder, [[exchange(1, 100)]]);
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const later = readFileSync(file);
    later[8] = 9;
    writeFileSync(file, later);
    await expect(openRecording([folder])).rejects.toMatchObject({ message: expect.stringContaining('format 9, not 1') });
  });
});

function written(path: string, name: string, text: string): string {
  writeFileSync(join(path, name), text);
  return join(path, name);
}
