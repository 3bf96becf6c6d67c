import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RecordBlock, RecordBlockBuilder } from './record-block.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';
import { openRecording } from './recording.ts';

let folder: string;
let told: string[];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'doubletake-recorder-')), 'recording');
  told = [];
});

afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const startMs = Date.parse('2026-01-01T00:00:00Z');

function recorder(more: Partial<RecorderOptions> = {}): Recorder {
  const options = { directory: folder, key: null, rotateBytes: 1e9, rotateMs: 3_600_000, retain: { ageMs: null, bytes: null }, ...more };
  const made = new Recorder(options, { warning: (text) => told.push(`warning: ${text}`), notice: (text) => told.push(`notice: ${text}`) });
  made.open();
  return made;
}

function block(startUs: number): RecordBlock {
  const builder = new RecordBlockBuilder();
  const client = { address: '10.0.0.1', port: 4_000 };
  builder.add({
    connection: { key: 'one', label: 'a>b', client, server: client, tunnel: 0, vlan: 0 },
    index: 0,
    request: { head: Buffer.from('GET / HTTP/1.1\r\n\r\n'), body: Buffer.alloc(0), bodyBytes: 0, framing: 'none', startUs, endUs: startUs, outcome: 'complete' },
    response: null,
    fidelity: 0,
    probability: 1,
  });
  return builder.take();
}

async function starts(): Promise<number[]> {
  const found: number[] = [];
  for await (const { request } of await openRecording([folder])) found.push(request.startUs);
  return found;
}

describe('segments', () => {
  it('are begun anew when one is large enough, and when one is old enough, and are for their owner alone', async () => {
    const bySize = recorder({ rotateBytes: 1 });
    for (const second of [0, 1]) bySize.write(block(second), startMs + second * 1_000);
    bySize.close();
    expect(readdirSync(folder)).toEqual([
      expect.stringMatching(/^20260101T000000Z-[0-9a-f]{8}-000001\.dtrec$/),
      expect.stringMatching(/^20260101T000001Z-[0-9a-f]{8}-000002\.dtrec$/),
    ]);
    expect(statSync(join(folder, readdirSync(folder)[0] ?? '')).mode & 0o777).toBe(0o600);
    const byAge = recorder({ rotateMs: 10_000 });
    byAge.write(block(2), startMs);
    byAge.write(block(3), startMs + 9_999);
    byAge.tick(startMs + 10_000);
    byAge.write(block(4), startMs + 10_001);
    byAge.close();
    expect(readdirSync(folder)).toHaveLength(4);
    expect(await starts()).toEqual([0, 1, 2, 3, 4]);
  });

  it('are not made while there is nothing to record', () => {
    recorder().close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are removed, the oldest first, when all take more than they may', async () => {
    const one = recorder({ rotateBytes: 1 });
    one.write(block(0), startMs);
    one.close();
    const { size } = statSync(join(folder, readdirSync(folder)[0] ?? ''));
    const bounded = recorder({ rotateBytes: 1, retain: { ageMs: null, bytes: 3.5 * size } });
    for (let number = 1; number <= 8; number++) bounded.write(block(number), startMs + number * 1_000);
    bounded.close();
    expect(await starts()).toEqual([5, 6, 7, 8]);
  });

  it('are removed at their age, other files never', async () => {
    const aged = recorder({ rotateBytes: 1, retain: { ageMs: 60_000, bytes: null } });
    aged.write(block(0), startMs);
    aged.tick(startMs);
    const first = join(folder, readdirSync(folder)[0] ?? '');
    writeFileSync(join(folder, 'notes.txt'), '');
    for (const file of [first, join(folder, 'notes.txt')]) utimesSync(file, startMs / 1_000, startMs / 1_000);
    aged.tick(startMs + 60_000);
    aged.write(block(1), startMs + 60_000);
    expect(existsSync(first)).toBe(true);
    aged.tick(startMs + 60_001);
    expect(existsSync(first)).toBe(false);
    expect(existsSync(join(folder, 'notes.txt'))).toBe(true);
    aged.close();
    expect(await starts()).toEqual([1]);
  });
});

describe('a folder that is removed', () => {
  it('is noticed at the next block, tried again after a second, and made anew', async () => {
    const removed = recorder();
    expect(removed.write(block(0), startMs)).toBeGreaterThan(0);
    rmSync(folder, { recursive: true });
    expect(removed.write(block(1), startMs)).toBeNull();
    expect(removed.write(block(2), startMs + 999)).toBeNull();
    expect(removed.write(block(3), startMs + 1_000)).toBeGreaterThan(0);
    removed.close();
    expect(await starts()).toEqual([3]);
    expect(told).toEqual([
      `warning: cannot record to ${folder}: the file was removed [DT_RECORDING_WRITE]; it is tried again every second`,
      `notice: recording goes on in ${folder}; 2 exchanges were not recorded`,
    ]);
  });
});

it('a folder that cannot be made is told at once', () => {
  writeFileSync(folder, 'in the way');
  expect(() => recorder()).toThrow(expect.objectContaining({ code: 'DT_RECORDING_WRITE' }));
});
