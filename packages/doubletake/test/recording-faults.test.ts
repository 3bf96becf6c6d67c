/** What is left of a recording when its process is killed, the disk is full, or the right to write is lost. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { openRecording } from '../src/recording/recording.ts';
import { exchangesPerBlock, type FaultResult } from './support/recording-program.ts';

const root = mkdtempSync(join(tmpdir(), 'doubletake-faults-'));
chmodSync(root, 0o755);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const program = fileURLToPath(new URL('support/recording-program.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

let folders = 0;

function newFolder(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

describe('a process that is killed while it records', () => {
  const kills = 50;
  const atOnce = 2;

  test(`leaves every block that it had written, once, at ${kills} moments`, { timeout: 120_000 }, async () => {
    for (let done = 0; done < kills; done += atOnce) await Promise.all(Array.from({ length: atOnce }, killedOnce));
  });

  async function killedOnce(): Promise<void> {
    const folder = newFolder();
    const child = spawn(process.execPath, [program, 'endless', folder], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'compiled') } });
    const blocksBefore = 1 + Math.floor(Math.random() * 100);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > blocksBefore) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    const last = Number(printed.trimEnd().split('\n').at(-1));
    const recording = await openRecording([folder]);
    const numbers: number[] = [];
    for await (const { request } of recording) numbers.push(request.startUs);
    // All in a row and none twice; what was printed is there, and at most one block that was not.
    expect(numbers).toEqual(Array.from(numbers, (_, index) => index));
    const blocks = numbers.length / exchangesPerBlock;
    expect([last + 1, last + 2]).toContain(blocks);
    // Only the segment that was being written is not closed, and what was cut of it is told.
    expect(recording.warnings.length).toBeLessThanOrEqual(1);
    expect(recording.warnings.join()).toMatch(/^$|was never closed: it holds \d+ whole blocks|ends before its first block/);
  }
});

describe.skipIf(!isRoot)('a disk that is full', () => {
  test('ends no process; what fits is kept, and it goes on when there is room', () => {
    const folder = newFolder();
    const { stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=800k none "$2" && exec "$0" "$1" full "$2"', process.execPath, program, folder], { encoding: 'utf8' });
    expect(stderr).toBe('');
    check(JSON.parse(stdout) as FaultResult, 'no space is left on the disk');
  });
});

describe('the right to write that is lost', () => {
  test('is told, and used again when it is back', () => {
    const folder = newFolder();
    if (isRoot) chownSync(folder, nobody, nobody);
    const as = isRoot ? { uid: nobody, gid: nobody } : {};
    const stdout = execFileSync(process.execPath, [program, 'refused', folder], { encoding: 'utf8', ...as });
    const result = JSON.parse(stdout) as FaultResult;
    expect(result.written).toEqual([true, true, true, false, false, false, true, true, true]);
    check(result, 'no permission');
  });
});

function check({ written, warnings, notices, readBack, readWarnings }: FaultResult, reason: string): void {
  expect(warnings[0]).toContain(reason);
  expect(written.at(-1)).toBe(true);
  expect(notices[0]).toMatch(/recording goes on in .*; \d+ exchanges were not recorded/);
  expect(notices).toHaveLength(warnings.length);
  const expected = written.flatMap((is, block) => (is ? Array.from({ length: exchangesPerBlock }, (_, index) => block * exchangesPerBlock + index) : []));
  expect(readBack).toEqual(expected);
  // Whole blocks alone are left.
  for (const warning of readWarnings) expect(warning).toMatch(/was never closed: it holds \d+ whole blocks$/);
}
