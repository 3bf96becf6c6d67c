import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mirrorSchema } from '../config/schema.ts';
import { isReadByAll, partOf, shareOf, takesConnection } from './file-share.ts';

const workers = fc.integer({ min: 1, max: 16 });
const sharesOf = (of: number) => Array.from({ length: of }, (_, index) => ({ index, of }));

test('every connection belongs to exactly one share', () => {
  fc.assert(fc.property(workers, fc.string(), (of, key) => sharesOf(of).filter((share) => takesConnection(share, key)).length === 1));
});

test.each([2, 3, 4])('connections whose keys differ in little are spread evenly over %d', (of) => {
  const keys = Array.from({ length: 4_000 }, (_, number) => `capture.pcap#${number}`);
  for (const share of sharesOf(of)) {
    const taken = keys.filter((key) => takesConnection(share, key)).length;
    expect(taken).toBeGreaterThan((0.8 * keys.length) / of);
    expect(taken).toBeLessThan((1.2 * keys.length) / of);
  }
});

test('the parts of a count add up to it', () => {
  fc.assert(fc.property(workers, fc.nat(), (of, count) => sharesOf(of).reduce((sum, share) => sum + partOf(count, share), 0) === count));
});

test.each<[string, object, object, boolean]>([
  ['files without a pace', { files: { paths: ['a', 'b'] } }, {}, true],
  ['standard input', { files: { paths: ['a', '-'] } }, {}, false],
  ['files at a speed', { files: { paths: ['a'] } }, { speed: 1 }, false],
  ['files at a rate', { files: { paths: ['a'] } }, { rate: 100 }, false],
  ['a capture file', { pcap: { file: 'a' } }, {}, false],
])('%s', (_name, source, pace, all) => {
  const config = mirrorSchema.parse({ sources: [source], targets: [{ name: 'a', url: 'http://127.0.0.1:1', ...pace }], workers: 2 });
  const [only] = config.sources;
  if (only === undefined) throw new Error('no source');
  expect(isReadByAll(only, config.targets)).toBe(all);
  expect([0, 1].map((index) => shareOf(only, config, index))).toEqual(all ? sharesOf(2) : [{ index: 0, of: 1 }, null]);
});
