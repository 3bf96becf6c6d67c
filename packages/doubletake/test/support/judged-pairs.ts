/** Pairs with what an analysis would have made of them. */
import type { Answer } from '../../src/compare/pair.ts';
import type { ClusteredDifference } from '../../src/compare/difference.ts';
import type { JudgedPair } from '../../src/store/rows.ts';

export function answer(more: Partial<Answer> = {}): Answer {
  const body = Buffer.from('{"id":1}');
  return {
    status: 200,
    failure: null,
    headers: [['Content-Type', 'application/json']],
    body,
    bodyBytes: body.length,
    bodySha256: null,
    firstByteMs: 4.25,
    totalMs: 5.5,
    ...more,
  };
}

/** A pair that is equal, or differs at one place of the cluster. */
export function judgedPair(number: number, cluster: string | null = null, more: Partial<JudgedPair> = {}): JudgedPair {
  return {
    pair: {
      kind: 'candidate',
      id: `dt-${number}`,
      timeUs: 1_795_000_000_000_000 + number * 1_000,
      session: '10.0.2.5:41234>10.0.1.2:80',
      method: 'GET',
      host: 'shop.test',
      target: `/users/${number}`,
      request: Buffer.from(`GET /users/${number} HTTP/1.1\r\nHost: shop.test\r\n\r\n`),
      probability: 1,
      baseline: answer(),
      candidate: answer(),
    },
    endpoint: 'GET /users/{id}',
    mismatch: cluster !== null,
    differences: cluster === null ? [] : [difference(cluster)],
    limited: null,
    ...more,
  };
}

export function difference(cluster: string | null, more: Partial<ClusteredDifference> = {}): ClusteredDifference {
  return {
    cluster,
    kind: 'value',
    path: '$.items[*].price',
    place: '$.items[3].price',
    baseline: '12.5',
    candidate: '12.6',
    baselineType: 'number',
    candidateType: 'number',
    ...more,
  };
}
