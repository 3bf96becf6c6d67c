import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { ensureBuilt, pageFolder } from './support/built-page.ts';

const bytesMax = 150_000;

beforeAll(ensureBuilt);

function built(): { name: string; bytes: Buffer }[] {
  return readdirSync(pageFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => ({ name, bytes: readFileSync(join(parentPath, name)) }));
}

describe('the built page', () => {
  test('weighs at most 150 KB as it is sent', () => {
    const files = built().filter(({ name }) => !/\.(?:br|gz)$/.test(name));
    const sent = files.reduce((sum, { bytes }) => sum + gzipSync(bytes).length, 0);
    expect(files.length).toBeGreaterThan(2);
    expect(sent).toBeLessThan(bytesMax);
  });

  test('has every file packed beside it', () => {
    const names = built().map(({ name }) => name);
    const plain = names.filter((name) => !/\.(?:br|gz)$/.test(name));
    expect(names.toSorted()).toEqual(plain.flatMap((name) => [name, `${name}.br`, `${name}.gz`]).toSorted());
  });

  test('brings its scripts and styles from its own address, and none of them inline', () => {
    const html = readFileSync(join(pageFolder, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)|javascript:|\son\w+=/);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) expect(address).toMatch(/^\/[^/]/);
  });
});
