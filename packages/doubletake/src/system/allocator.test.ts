import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadLibc } from './libc.ts';

const glibc = process.platform === 'linux' && readFileSync('/proc/self/maps', 'latin1').includes('/libc.so.6');

describe.skipIf(!glibc || !('libc' in loadLibc()))('blocks that were freed', () => {
  const program = `
    const { giveMemoryBack } = await import(${JSON.stringify(new URL('./allocator.ts', import.meta.url).href)});
    if (process.argv.includes('give')) giveMemoryBack();
    // A large block that comes and goes makes glibc keep those that are smaller.
    new ArrayBuffer(2 * 1024 * 1024).transfer(0);
    // As in a replay: what lives long lies between blocks that come and go.
    const kept = [];
    let blocks = [];
    for (let index = 0; index < 200; index++) {
      blocks.push(new ArrayBuffer(512 * 1024));
      kept.push(new ArrayBuffer(4096));
      new Uint8Array(blocks[index]).fill(1);
    }
    const before = process.memoryUsage.rss();
    for (const block of blocks) block.transfer(0);
    console.log((before - process.memoryUsage.rss()) / 1048576);
  `;

  const givenBackMb = (...args: string[]): number => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, '--', ...args], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return Number(stdout);
  };

  test('are the system\'s again, though others lie between them', () => {
    expect(givenBackMb('give')).toBeGreaterThan(80);
    // Else there would be no need for it.
    expect(givenBackMb()).toBeLessThan(80);
  });
});
