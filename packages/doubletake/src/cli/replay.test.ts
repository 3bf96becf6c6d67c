import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { replayConfigOf as configOf } from '../../test/support/replay-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-replay-flags-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const target = ['--target', 'http://127.0.0.1:1'];

function configFile(text: string): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  return file;
}

describe('mistakes are one clear line', () => {
  test.each<[string, string[], string]>([
    ['a speed that is none', ['x', '--speed', '0'], '--speed 0: expected a number from 0.1 to 100, or max'],
    ['speed and rate', ['x', '--speed', '2', '--rate', '2'], '--rate 2: goes without --speed'],
    ['a rate that is none', ['x', '--rate', '0'], '--rate 0: expected requests a second, from 0.001 to 1000000'],
    ['no copies', ['x', '--multiply', '0'], '--multiply 0: '],
    ['no workers', ['x', '--workers', '0'], '--workers 0: '],
    ['a time without a zone', ['x', '--from', '2026-01-01T00:00:00'], 'expected a time with its zone such as'],
    ['a filter that is none', ['x', '--filter', '{paht: /a}'], 'paht'],
    ['standard input again', ['-', '--loop', '2'], 'standard input can be read but once'],
    ['a key that cannot be read', ['x', '--key-file', '/nowhere/key'], 'cannot read the key in /nowhere/key: it is not there'],
  ])('%s', async (_name, args, text) => {
    await expect(configOf(...args, ...target)).rejects.toMatchObject({ message: expect.stringContaining(text) as string });
  });

  test('without a target', async () => {
    await expect(configOf('x')).rejects.toMatchObject({ message: expect.stringContaining('no target') as string });
  });
});

describe('what flags say', () => {
  test.each<[string, string[], object]>([
    ['the timing is kept unless told otherwise', [], { targets: [{ speed: 1 }], workers: 1 }],
    ['another speed', ['--speed', '2.5'], { targets: [{ speed: 2.5 }] }],
    ['a rate instead', ['--rate', '500'], { targets: [{ rate: 500 }] }],
    ['copies', ['--multiply', '3'], { targets: [{ multiply: 3 }] }],
    ['a number of times', ['--loop', '4'], { sources: [{ files: { loop: 4 } }] }],
    ['until stopped', ['--loop'], { sources: [{ files: { loop: 0 } }] }],
    ['a window', ['--from', '10m', '--to', '2026-01-31T09:30:00Z'], { sources: [{ files: { from: { behindStartUs: 600_000_000 }, to: { atUs: 1_769_851_800_000_000 } } }] }],
    ['packets', ['--vni', '7', '--port', '80', '--merge-tunnels'], { sources: [{ files: { vni: [7], ports: [80], mergeTunnels: true } }] }],
    ['workers, and a recording', ['--workers', '3', '--record', 'again'], { workers: 3, record: { directory: 'again' } }],
    ['one that reads standard input', ['-', '--speed', 'max'], { workers: 1 }],
  ])('%s', async (_name, args, config) => {
    expect(await configOf(...(args[0] === '-' ? [] : ['x']), ...args, ...target)).toMatchObject(config);
  });

  test('without a pace nothing is held back, and a second worker is used where there is a processor for it', async () => {
    const config = await configOf('x', '--speed', 'max', ...target);
    expect(config.targets[0]).not.toHaveProperty('speed', expect.anything());
    expect(config.workers).toBe(availableParallelism() > 2 ? 2 : 1);
  });

  test('what is not like --filter is left out before the rules of the file are asked', async () => {
    const file = configFile('policy: { filters: [{ name: mine, include: { path: /b } }] }\n');
    const { policy } = await configOf('x', '--config', file, '--filter', '{path: /a}', ...target);
    expect(policy.filters.map(({ name }) => name)).toEqual(['outside --filter', 'mine']);
  });

  test.each<[string[], object]>([
    [[], { rate: 100 }],
    [['--speed', '2'], { speed: 2 }],
    [['--speed', 'max'], {}],
    [['--rate', '5'], { rate: 5 }],
  ])('a pace in the file holds unless the flags are %j', async (args, pace) => {
    const file = configFile('targets: [{ name: a, url: "http://127.0.0.1:1", rate: 100 }]\nworkers: 4\n');
    const { targets, workers } = await configOf('x', '--config', file, ...args);
    const [{ speed, rate }] = targets;
    expect(JSON.parse(JSON.stringify({ speed, rate }))).toEqual(pace);
    expect(workers).toBe(4);
  });
});
