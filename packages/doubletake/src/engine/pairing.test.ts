import { expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import type { ReplayResult } from '../replay/target.ts';
import type { SampledPair } from './pair-batch.ts';
import { Pairing } from './pairing.ts';

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
const replayed: ReplayResult = {
  outcome: 'replayed',
  response: { status: 200, head: answer, body: Buffer.alloc(0), bodyBytes: 0, queuedAtMs: 0, sentAtMs: 0, firstByteAtMs: 1, endAtMs: 1 },
};

test('of an endpoint for which the analysis asks more go twice, also when a target knows it by another path', () => {
  const pairs: SampledPair[] = [];
  const options = { baseline: 'old', candidate: 'new', reference: null, noiseShare: 0.01, requestBytesMax: 1_000, mapIds: false };
  const pairing = new Pairing(options, null, { pair: (pair) => pairs.push(pair), excluded: () => {} });
  /** How many of these go twice. */
  const compared = (requests: number): number => {
    let twice = 0;
    for (let index = 0; index < requests; index++) {
      const exchange = exchangeOf(`GET /users/${index} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
      const draft = pairing.begin(exchange, exchange, `id-${index}`, 1);
      const bytes = Buffer.from(`GET /v2/people/${index} HTTP/1.1\r\nHost: test\r\n\r\n`);
      draft.sent('new', { bytes: [bytes], length: bytes.length, method: 'GET', lane: null, timeUs: 0, probability: 1 }, null);
      if (draft.twice) {
        twice++;
        draft.again(replayed);
      }
      draft.ended('old', replayed);
      draft.ended('new', replayed);
    }
    return twice;
  };
  // The first of every endpoint, then one in a hundred.
  expect(compared(108)).toBe(9);
  expect(pairs.at(-1)).toMatchObject({ target: '/v2/people/107' });
  pairing.wantNoise(pairs.flatMap(({ noiseKey }) => noiseKey ?? []));
  expect(compared(1_000)).toBe(500);
});
