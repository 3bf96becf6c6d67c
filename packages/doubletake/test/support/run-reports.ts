/** Reports of runs that look like real ones, for what shows or stores reports. */
import type { ClusterReport, EndpointReport, Estimate, RunReport, Verdict } from '../../src/compare/report.ts';

const policy = { maxMismatch: 0.001, maxLatencyRatio: 1.2, maxErrorIncrease: 0.001, confidence: 0.95, minPairs: 100 };

export function estimate(value: number, low: number, high: number): Estimate {
  return { value, low, high };
}

/** An endpoint without any difference. */
export function endpointReport(endpoint: string, pairs: number, verdict: Verdict, more: Partial<EndpointReport> = {}): EndpointReport {
  return {
    endpoint,
    pairs,
    mismatches: 0,
    mismatch: estimate(0, 0, 0.0009),
    latencyRatio: { p50: estimate(0.98, 0.95, 1.02), p90: estimate(1.01, 0.93, 1.1), p99: estimate(1.04, 0.85, 1.19) },
    latencyMs: { baseline: { p50: 4.2, p90: 9.81, p99: 31.4 }, candidate: { p50: 4.1, p90: 9.9, p99: 32.6 } },
    errors: { baselineOnly: 0, candidateOnly: 0, both: 1, increase: estimate(0, -0.0004, 0.0005) },
    verdict,
    reason: verdict === 'INSUFFICIENT' ? `only ${pairs} pairs, 100 are needed` : 'within the policy',
    pairsNeeded: verdict === 'INSUFFICIENT' ? 4_100 : null,
    ...more,
  };
}

export function clusterReport(more: Partial<ClusterReport> = {}): ClusterReport {
  return {
    id: 'c1',
    endpoint: 'GET /users/{id}',
    path: '$.address',
    kind: 'missing',
    transition: 'object -> nothing',
    count: 104,
    share: 0.0208,
    risk: 'high',
    cause: 'the field is gone',
    origin: 'code',
    significant: true,
    firstSeen: '2026-11-21T14:00:12.250Z',
    example: {
      id: 'dt-7f3a-000012',
      request: 'GET /users/4711?fields=all HTTP/1.1\r\nHost: shop.test\r\nAccept: application/json\r\n\r\n',
      baseline: '{\n  "id": 4711,\n  "name": "Ada",\n  "address": { "city": "Bern", "zip": "3011" }\n}',
      candidate: '{\n  "id": 4711,\n  "name": "Ada"\n}',
      from: '{"city":"Bern","zip":"3011"}',
      to: null,
      curl: 'curl -sS -H \'Accept: application/json\' \'http://candidate.test:8080/users/4711?fields=all\'',
    },
    ...more,
  };
}

/** One endpoint of each verdict, and differences of each risk. */
export function regressionReport(): RunReport {
  return {
    verdict: 'REGRESSION',
    reasons: [
      'GET /users/{id}: 2.1 % of the answers differ, 0.1 % may; most of them: $.address, the field is gone',
      'POST /orders: p99 of the latency is 1.84 times production\'s, 1.2 times may be',
    ],
    pairs: 14_212,
    mismatches: 131,
    pairsNeeded: null,
    from: '2026-11-21T14:00:03.120001Z',
    to: '2026-11-21T14:31:40.002917Z',
    policy,
    endpoints: [
      endpointReport('GET /users/{id}', 5_012, 'REGRESSION', {
        mismatches: 104,
        mismatch: estimate(0.0208, 0.0153, 0.0277),
        reason: '2.1 % of the answers differ, 0.1 % may',
      }),
      endpointReport('GET /products', 7_420, 'SAFE', { mismatches: 2, mismatch: estimate(0.00027, 0.00001, 0.00093) }),
      endpointReport('POST /orders', 1_702, 'REGRESSION', {
        mismatches: 25,
        mismatch: estimate(0.0147, 0.0081, 0.024),
        latencyRatio: { p50: estimate(1.31, 1.24, 1.4), p90: estimate(1.52, 1.38, 1.71), p99: estimate(1.84, 1.4, 2.6) },
        latencyMs: { baseline: { p50: 38.2, p90: 77, p99: 180.4 }, candidate: { p50: 50.1, p90: 117.2, p99: 332.9 } },
        errors: { baselineOnly: 1, candidateOnly: 9, both: 3, increase: estimate(0.0047, 0.0012, 0.0098) },
        reason: 'p99 of the latency is 1.84 times production\'s, 1.2 times may be',
      }),
      endpointReport('DELETE /carts/{id}/items/{id}', 78, 'INSUFFICIENT', {
        mismatch: null,
        latencyRatio: { p50: null, p90: null, p99: null },
        latencyMs: { baseline: { p50: null, p90: null, p99: null }, candidate: { p50: null, p90: null, p99: null } },
        errors: { baselineOnly: 0, candidateOnly: 0, both: 0, increase: null },
      }),
    ],
    clusters: [
      clusterReport(),
      clusterReport({
        id: 'c2',
        endpoint: 'POST /orders',
        path: 'status',
        kind: 'status',
        transition: '201 -> 500',
        count: 9,
        share: 0.0053,
        risk: 'medium',
        cause: 'the candidate fails where production does not',
        example: {
          id: 'dt-7f3a-000201',
          request: 'POST /orders HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 21\r\n\r\n{"items":[{"id":12}]}',
          baseline: '{"id":901}',
          candidate: 'Internal Server Error\n\tat Orders.create (orders.js:12)',
          from: '201',
          to: '500',
          curl: 'curl -sS -X POST --data-binary \'{"items":[{"id":12}]}\' http://candidate.test:8080/orders',
        },
      }),
      clusterReport({
        id: 'c3',
        endpoint: 'GET /products',
        path: '$.items[*].price',
        kind: 'value',
        transition: null,
        count: 2,
        share: 0.00027,
        risk: 'low',
        cause: 'numbers differ in the last digit',
        origin: 'state',
        significant: false,
        example: {
          id: 'dt-7f3a-000844',
          request: 'GET /products?page=2 HTTP/1.1\r\nHost: shop.test\r\n\r\n',
          baseline: null,
          candidate: null,
          from: '12.35',
          to: '12.34',
          curl: 'curl -sS \'http://candidate.test:8080/products?page=2\'',
        },
      }),
    ],
    rules: [
      { name: 'request ids', hidden: 14_212, pairs: 14_212 },
      { name: 'old price rule', hidden: 0, pairs: 0 },
    ],
    noise: [
      { endpoint: 'POST /orders', path: '$.id', of: 'value', reason: 'differs by itself in 40 of 40 pairs', pairs: 1_702 },
      { endpoint: 'GET /products', path: 'header:x-request-id', of: 'value', reason: 'differs by itself in 12 of 12 pairs', pairs: 7_420 },
    ],
    models: [
      {
        endpoint: 'POST /classify',
        path: '$.label',
        pairs: 500,
        baselineOnly: 0,
        candidateOnly: 3,
        label: {
          agreement: 0.962,
          kappa: 0.9345,
          confusion: [
            { baseline: 'cat', candidate: 'cat', pairs: 301 },
            { baseline: 'dog', candidate: 'dog', pairs: 180 },
            { baseline: 'cat', candidate: 'dog', pairs: 12 },
          ],
        },
        number: null,
      },
      {
        endpoint: 'POST /classify',
        path: '$.score',
        pairs: 500,
        baselineOnly: 0,
        candidateOnly: 0,
        label: null,
        number: {
          meanDifference: -0.01234,
          differences: { p1: -0.2, p10: -0.08, p50: -0.01, p90: 0.03, p99: 0.11 },
          correlation: 0.9871,
          psi: 0.132,
        },
      },
    ],
    excluded: { incomplete: 120, no_baseline: 3, too_large: 0 },
    warnings: ['the rule "old price rule" hides nothing: is its path right?'],
  };
}

export function safeReport(): RunReport {
  return {
    ...regressionReport(),
    verdict: 'SAFE',
    reasons: [],
    mismatches: 0,
    endpoints: [endpointReport('GET /users/{id}', 5_012, 'SAFE'), endpointReport('GET /products', 7_420, 'SAFE')],
    clusters: [],
    rules: [],
    noise: [],
    models: [],
    excluded: {},
    warnings: [],
  };
}

/** A run that has seen nothing yet. */
export function emptyReport(): RunReport {
  return {
    ...safeReport(),
    verdict: 'INSUFFICIENT',
    reasons: ['no pairs have been compared yet'],
    pairs: 0,
    pairsNeeded: 4_600,
    from: null,
    to: null,
    endpoints: [],
  };
}

/** The same report with `text` wherever traffic can put its words. */
export function reportWith(text: string): RunReport {
  const report = regressionReport();
  return {
    ...report,
    reasons: [text],
    endpoints: report.endpoints.map((endpoint) => ({ ...endpoint, endpoint: text, reason: text })),
    clusters: report.clusters.map((cluster) => ({
      ...cluster,
      endpoint: text,
      path: text,
      transition: text,
      cause: text,
      example: { id: text, request: text, baseline: text, candidate: text, from: text, to: text, curl: text },
    })),
    rules: [{ name: text, hidden: 1, pairs: 1 }],
    noise: [{ endpoint: text, path: text, of: text, reason: text, pairs: 1 }],
    models: [
      {
        endpoint: text,
        path: text,
        pairs: 1,
        baselineOnly: 0,
        candidateOnly: 0,
        label: { agreement: 0, kappa: null, confusion: [{ baseline: text, candidate: `${text}x`, pairs: 1 }] },
        number: null,
      },
    ],
    warnings: [text],
  };
}
