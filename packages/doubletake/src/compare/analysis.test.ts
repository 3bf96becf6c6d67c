import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSchema } from '../config/compare-schema.ts';
import { Analysis } from './analysis.ts';
import type { Answer, Pair } from './pair.ts';
import type { ClusterReport, RunReport } from './report.ts';

const startUs = Date.UTC(2026, 10, 21, 10) * 1_000;

/** Numbers that look random and are the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Parts {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: unknown;
  failure?: Answer['failure'];
  ms?: number;
}

function answerOf({ status = 200, headers = {}, body = {}, failure = null, ms = 10 }: Parts): Answer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const all = { 'Content-Type': 'application/json', ...headers };
  return {
    status: failure === null ? status : 0,
    failure,
    headers: Object.entries(all).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each])),
    body: bytes,
    bodyBytes: bytes.length,
    bodySha256: null,
    firstByteMs: ms,
    totalMs: ms,
  };
}

interface Asked {
  index: number;
  target: string;
  method?: string;
  kind?: Pair['kind'];
  body?: string;
  session?: string;
}

function pairOf({ index, target, method = 'GET', kind = 'candidate', body = '', session = 's' }: Asked, baseline: Parts, candidate: Parts): Pair {
  return {
    kind,
    id: `id-${index}`,
    timeUs: startUs + index * 100_000,
    session,
    method,
    host: 'shop.example',
    target,
    request: Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n\r\n${body}`),
    probability: 1,
    baseline: answerOf(baseline),
    candidate: answerOf(candidate),
  };
}

function analysisOf(compare: Record<string, unknown> = {}): Analysis {
  return new Analysis(compareSchema.parse(compare));
}

const hex = (random: () => number, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
const uuid = (random: () => number): string =>
  [8, 4, 4, 4, 12].map((digits) => hex(random, digits)).join('-');
const iso = (index: number, shiftMs = 0): string => new Date(startUs / 1_000 + index * 100 + shiftMs).toISOString();

type Order = ReturnType<typeof order>;

/** What an order is to both versions, by its number. */
function order(index: number) {
  return {
    id: index,
    reference: `R-${1_000 + index * 7}`,
    total: Number((10 + index * 1.37).toFixed(2)),
    currency: 'EUR',
    paid: index % 3 !== 0,
    note: index % 4 === 0 ? null : 'bitte läuten',
    customer: { name: `Customer ${index}`, email: `c${index}@example.test` },
    createdAt: new Date(startUs / 1_000 - 86_400_000 * (index + 1)).toISOString(),
    items: [
      { sku: `A${index}`, quantity: 1 + (index % 3) },
      { sku: `B${index}`, quantity: 2 },
    ],
    tags: ['new', `t${index % 5}`, 'web'],
  };
}

const headers = {
  'Cache-Control': 'private, max-age=60',
  'X-Version': '1',
  'Set-Cookie': 'sid=abc; Path=/; HttpOnly; Secure',
};

/** An answer that is changed. */
interface Original {
  status: number;
  headers: Record<string, string | string[]>;
  body: Order;
}

type Change = (index: number, parts: Original) => Parts;

const changed = (change: (body: Order) => object): Change => (_, parts) => ({ ...parts, body: { ...parts.body, ...change(parts.body) } });

const regressions: [name: string, path: string, kind: string, cause: RegExp, change: Change][] = [
  ['a number as a text', '$.total', 'type', /same value as another type/, changed(({ total }) => ({ total: String(total) }))],
  ['a field gone', '$.currency', 'missing', /the field is gone/, changed(() => ({ currency: undefined }))],
  ['rounding', '$.total', 'value', /rounded/, changed(({ total }) => ({ total: Math.round(total * 10) / 10 }))],
  ['another order', '$.items', 'order', /another order/, changed(({ items }) => ({ items: items.toReversed() }))],
  ['an encoding', '$.note', 'value', /wrong character encoding/, changed(({ note }) => ({ note: note === null ? null : Buffer.from(note).toString('latin1') }))],
  ['a header gone', 'header:x-version', 'missing', /the header x-version is gone/, (_, parts) => ({ ...parts, headers: { ...parts.headers, 'X-Version': [] } })],
  ['a cookie attribute gone', 'cookie:sid;httponly', 'missing', /attribute httponly of the cookie sid is gone/, (_, parts) => ({ ...parts, headers: { ...parts.headers, 'Set-Cookie': 'sid=abc; Path=/; Secure' } })],
  ['a cookie gone', 'cookie:sid', 'missing', /cookie sid is gone/, (_, parts) => ({ ...parts, headers: { ...parts.headers, 'Set-Cookie': [] } })],
  ['a status', 'status', 'status', /the candidate fails/, (index, parts) => (index % 2 === 0 ? { status: 500 } : parts)],
  ['a status of the same class', 'status', 'status', /another status/, (_, parts) => ({ ...parts, status: 202 })],
  ['a page that is too short', '$.items', 'length', /less in it/, changed(({ items }) => ({ items: items.slice(0, -1) }))],
  ['a time zone', '$.createdAt', 'value', /off by 1 h: another time zone/, changed(({ createdAt }) => ({ createdAt: new Date(Date.parse(createdAt) + 3_600_000).toISOString() }))],
  ['a null', '$.customer.name', 'type', /is null/, changed(({ customer }) => ({ customer: { ...customer, name: null } }))],
  ['a leak', '$.customer.passwordHash', 'extra', /should not leave/, changed(({ customer }) => ({ customer: { ...customer, passwordHash: 'x' } }))],
  ['a cache header', 'header:cache-control', 'value', /the header cache-control has another value/, (_, parts) => ({ ...parts, headers: { ...parts.headers, 'Cache-Control': 'public, max-age=60' } })],
  ['a boolean', '$.paid', 'value', /is (true|false)/, changed(({ paid }) => ({ paid: !paid }))],
  ['a text cut off', '$.customer.email', 'value', /cut off/, changed(({ customer }) => ({ customer: { ...customer, email: customer.email.slice(0, 10) } }))],
  ['another unit', '$.total', 'value', /100 times/, changed(({ total }) => ({ total: Math.round(total * 100) }))],
  ['a timeout', 'status', 'failure', /does not answer in time/, (index, parts) => (index % 2 === 0 ? { failure: 'timeout' } : parts)],
  ['a body that is no JSON', 'body', 'malformed', /candidate's body is not what it says/, (_, parts) => ({ ...parts, body: JSON.stringify(parts.body).slice(0, -1) })],
];

function partsOf(index: number): Original {
  return { status: 200, headers, body: order(index) };
}

const codeOf = ({ clusters }: RunReport): ClusterReport[] => clusters.filter(({ origin }) => origin === 'code');

describe('a regression is found, in one cluster with its cause', () => {
  test.each(regressions)('%s', (_, path, kind, cause, change) => {
    const analysis = analysisOf();
    let mismatches = 0;
    for (let index = 0; index < 300; index++) {
      const target = `/orders/${index}`;
      const outcome = analysis.push(pairOf({ index, target }, partsOf(index), change(index, partsOf(index))));
      if (outcome.mismatch) mismatches++;
      // The same version again, now and then.
      if (index % 10 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, partsOf(index), partsOf(index)));
    }
    const report = analysis.report();
    const clusters = codeOf(report);
    expect(clusters.map((cluster) => [cluster.path, cluster.kind])).toEqual(clusters.map(() => [path, kind]));
    // A boolean changes both ways; what is rounded may be rounded to less.
    expect(clusters.length).toBeGreaterThan(0);
    expect(clusters.length).toBeLessThanOrEqual(2);
    for (const cluster of clusters) expect(cluster.cause).toMatch(cause);
    expect(clusters[0]).toMatchObject({ endpoint: 'GET /orders/{id}', significant: true, firstSeen: expect.stringMatching(/^2026-11-21T10:/) });
    expect(report.mismatches).toBe(mismatches);
    expect(mismatches).toBeGreaterThan(20);
    expect(report.verdict).toBe('REGRESSION');
  });
});

type Noise = (random: () => number, index: number) => Parts;

/** Made twice for each pair, and again for noise pairs: so the two differ as two answers of one version do. */
const noises: [name: string, make: Noise, method?: string][] = [
  ['a request id', (random) => ({ body: { requestId: uuid(random) } })],
  ['a time', (_random, index) => ({ body: { at: iso(index, Math.floor(_random() * 50)) } })],
  ['a time in seconds', (random, index) => ({ body: { at: Math.floor(startUs / 1e6 + index / 10 + random() * 2) } })],
  ['when it ends', (random, index) => ({ body: { expires: iso(index, 3_600_000 + Math.floor(random() * 50)) } })],
  ['a token', (random) => ({ body: { token: `tok_${hex(random, 30)}` } })],
  ['a JWT', (random) => ({ body: { jwt: `eyJhbGciOiJIUzI1NiJ9.${hex(random, 40)}.${hex(random, 40)}` } })],
  ['a trace header', (random) => ({ headers: { 'X-Trace': `00-${hex(random, 32)}-${hex(random, 16)}-01` } })],
  ['a request id header', (random) => ({ headers: { 'X-Request-Id': hex(random, 32) } })],
  ['a session cookie', (random) => ({ headers: { 'Set-Cookie': `sid=${hex(random, 32)}; Path=/; HttpOnly` } })],
  ['a CSRF token in HTML', (random) => ({ headers: { 'Content-Type': 'text/html' }, body: `<form><input name="t" value="${hex(random, 40)}"></form>` })],
  ['the last digits of a double', (random) => ({ body: { share: random() < 0.5 ? 0.1 + 0.2 : 0.3 } })],
  ['whitespace and the order of members', (random) => ({ body: random() < 0.5 ? '{"a":1,"b":2}' : '{ "b": 2, "a": 1 }' })],
  ['compression', (random) => (random() < 0.5 ? { body: '{"a":1}' } : { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync('{"a":1}') })],
  ['the order of headers', (random) => ({ headers: random() < 0.5 ? { A: '1', B: '2' } : { B: '2', A: '1' } })],
  ['dates in headers', (_random, index) => ({ headers: { Date: new Date(startUs / 1e3 + index * 100 + Math.floor(_random() * 5) * 1e3).toUTCString(), Age: String(Math.floor(_random() * 9)) } })],
  ['the order of a set', (random) => ({ body: { tags: random() < 0.5 ? ['a', 'b', 'c'] : ['c', 'a', 'b'] } })],
  ['how long it took', (random) => ({ body: { tookMs: Math.floor(random() * 40) } })],
  ['a counter', (random, index) => ({ body: { visitors: 1_000 + index + Math.floor(random() * 5) } })],
  ['a field that is there by chance', (random) => ({ body: random() < 0.5 ? { a: 1 } : { a: 1, hint: 'try again' } })],
  ['the id of what was made', (random, index) => ({ status: 201, headers: { Location: `/orders/${1_000 + index + Math.floor(random() * 1e6)}` }, body: { id: 1_000 + index + Math.floor(random() * 1e6) } }), 'POST'],
];

describe('noise is no mismatch', () => {
  test.each(noises)('%s', (_, make, method = 'GET') => {
    const analysis = analysisOf();
    const random = generator(7);
    for (let index = 0; index < 400; index++) {
      const target = `/things/${index}`;
      if (index % 10 === 0) analysis.push(pairOf({ index, target, method, kind: 'noise' }, make(random, index), make(random, index)));
      analysis.push(pairOf({ index, target, method }, make(random, index), make(random, index)));
    }
    const report = analysis.report();
    expect(codeOf(report)).toEqual([]);
    expect(report.mismatches).toBe(0);
    expect(report.verdict).not.toBe('REGRESSION');
  });

  // What differs in ways that nothing in the answer explains is only known from two answers of one version.
  test.each(noises.slice(0, 15).filter(([name]) => name !== 'compression'))('%s, where nothing is answered twice', (_, make, method = 'GET') => {
    const analysis = analysisOf();
    const random = generator(7);
    for (let index = 0; index < 100; index++) {
      analysis.push(pairOf({ index, target: `/things/${index}`, method }, make(random, index), make(random, index)));
    }
    const report = analysis.report();
    expect(codeOf(report)).toEqual([]);
    expect(report.mismatches).toBe(0);
    expect(report.warnings).toEqual(['no request was answered twice by one version: what is noise is told by its looks alone']);
  });

  describe('although it differs more often between the versions than by itself', () => {
    /** A report in which nothing differs when the candidate answers twice. */
    const reportOf = (before: (index: number) => Parts, after: (index: number) => Parts): RunReport => {
      const analysis = analysisOf();
      for (let index = 0; index < 400; index++) {
        const target = `/things/${index}`;
        if (index % 5 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, after(index), after(index)));
        analysis.push(pairOf({ index, target }, before(index), after(index)));
      }
      return analysis.report();
    };
    /** What is answered so many seconds after the request, by a clock that is so far ahead. */
    const answered = (index: number, afterSeconds: number, aheadSeconds = 0, wrongBySeconds = 0): Parts => {
      const ms = startUs / 1e3 + 1e3 * (index + afterSeconds + aheadSeconds);
      const at = Math.floor(ms / 1e3) + wrongBySeconds;
      return { headers: { Date: new Date(ms).toUTCString() }, body: { at, ends: new Date(at * 1e3 + 3.6e6).toISOString() } };
    };

    test('the time of the answer, by each one\'s own clock', () => {
      const report = reportOf((index) => answered(index, 0), (index) => answered(index, index % 9, 400));
      expect(report).toMatchObject({ mismatches: 0, clusters: [] });
      expect(report.verdict).not.toBe('REGRESSION');
    });

    test('but not one that is wrong', () => {
      const report = reportOf((index) => answered(index, 0), (index) => answered(index, index % 9, 400, 30));
      expect(codeOf(report)).toMatchObject([{ path: '$.at', count: 400 }, { path: '$.ends', count: 400 }]);
      expect(report.verdict).toBe('REGRESSION');
    });

    test('the last digits of a double', () => {
      const report = reportOf(() => ({ body: { share: 0.3 } }), () => ({ body: { share: 0.1 + 0.2 } }));
      expect(report).toMatchObject({ mismatches: 0, clusters: [] });
      expect(report.verdict).not.toBe('REGRESSION');
    });
  });

  test('a sample at random, also when one happens to be the beginning of the other', () => {
    const analysis = analysisOf();
    const random = generator(4);
    const make = (): Parts => {
      const ids = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, rank: random() })).toSorted((a, b) => a.rank - b.rank);
      return { body: { products: ids.slice(0, 3 + Math.floor(random() * 3)).map(({ id }) => ({ id, name: `product ${id}` })) } };
    };
    for (let index = 0; index < 400; index++) {
      const target = `/things/${index}`;
      if (index % 20 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, make(), make()));
    }
    expect(codeOf(analysis.report())).toEqual([]);
  });

  test.each(['base64', 'base64url', 'hex'] as const)('tokens in %s, of which a few look like something else', (coding) => {
    const analysis = analysisOf();
    const random = generator(8);
    const make = (): Parts => ({ body: { token: Buffer.from(hex(random, coding === 'hex' ? 8 : 32), 'hex').toString(coding) } });
    for (let index = 0; index < 2_000; index++) {
      const target = `/things/${index}`;
      if (index % 40 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, make(), make()));
    }
    expect(codeOf(analysis.report())).toEqual([]);
  });

  test('times on the hour, of things chosen at random', () => {
    const analysis = analysisOf();
    const random = generator(3);
    const make = (): Parts => ({ body: { at: new Date(startUs / 1e3 - 3.6e6 * Math.floor(random() * 12)).toISOString() } });
    for (let index = 0; index < 400; index++) {
      const target = `/things/${index}`;
      if (index % 40 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, make(), make()));
    }
    expect(codeOf(analysis.report())).toEqual([]);
  });

  test('times of any kind, of which a few happen to be whole hours apart', () => {
    const analysis = analysisOf();
    const random = generator(6);
    const make = (): Parts => ({ body: { at: new Date(startUs / 1e3 - Math.floor(3.6e7 * random())).toISOString() } });
    for (let index = 0; index < 2_000; index++) {
      const target = `/things/${index}`;
      if (index % 40 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, make(), make()));
    }
    expect(codeOf(analysis.report())).toEqual([]);
  });
});

describe('what is noisy still keeps', () => {
  const departures: [name: string, kind: string, cause: RegExp, change: (index: number, random: () => number) => unknown][] = [
    ['its format', 'value', /another format/, (index) => `request number ${index}`],
    ['a value', 'value', /is empty/, () => ''],
    ['its length', 'value', /another format|far shorter or longer/, (_index, random) => hex(random, 120)],
    ['its type', 'type', /another type/, (index) => index],
    ['its presence', 'missing', /gone/, () => undefined],
    ['that it is not null', 'type', /is null/, () => null],
  ];
  test.each(departures)('%s', (_, kind, cause, change) => {
    const analysis = analysisOf();
    const random = generator(1);
    for (let index = 0; index < 300; index++) {
      const target = `/things/${index}`;
      const make = (): Parts => ({ body: { id: hex(random, 32) } });
      if (index % 10 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, make(), index % 2 === 0 && index > 80 ? { body: { id: change(index, random) } } : make()));
    }
    const report = analysis.report();
    expect(codeOf(report)).toMatchObject([{ path: '$.id', kind, count: 109 }]);
    expect(codeOf(report)[0]?.cause).toMatch(cause);
    expect(report.mismatches).toBe(109);
    expect(report.noise).toMatchObject([{ endpoint: 'GET /things/{id}', path: '$.id', of: 'value' }]);
  });

  test('its time zone', () => {
    const analysis = analysisOf();
    for (let index = 0; index < 200; index++) {
      const target = `/things/${index}`;
      if (index % 10 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, { body: { at: iso(index) } }, { body: { at: iso(index, 40) } }));
      analysis.push(pairOf({ index, target }, { body: { at: iso(index) } }, { body: { at: iso(index, 7_200_040) } }));
    }
    expect(codeOf(analysis.report())).toMatchObject([{ path: '$.at', transition: '+2 h', cause: 'the field is off by 2 h: another time zone', count: 200 }]);
  });

  test('how often it differs', () => {
    const verdicts = ([[0.05, '1%'], [0.1, '1%'], [0.1, '10%'], [0.4, '10%']] as const).map(([rate, maxMismatch]) => {
      const analysis = analysisOf({ policy: { maxMismatch } });
      const random = generator(5);
      const make = (often: number): Parts => ({ body: { hint: random() < often ? 'sale' : 'none' } });
      for (let index = 0; index < 2_000; index++) {
        const target = `/things/${index}`;
        if (index % 4 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(0.05), make(0.05)));
        analysis.push(pairOf({ index, target }, make(0.05), make(rate)));
        // Looked at on the way, as it is while mirror runs.
        if (index % 500 === 0) analysis.report();
      }
      const report = analysis.report();
      return [report.verdict === 'REGRESSION', codeOf(report).map(({ path }) => path)];
    });
    const found = ['$.hint', '$.hint'];
    expect(verdicts).toEqual([[false, []], [true, found], [false, []], [true, found]]);
  });
});

describe('a candidate that differs from itself is no noise', () => {
  const flaws: [name: string, path: string, kind: string, flaw: Parts][] = [
    ['it fails now and then', 'status', 'status', { status: 500 }],
    ['it loses a field now and then', '$.name', 'missing', { body: { price: 10, sale: false } }],
    ['it says something else now and then', '$.sale', 'value', { body: { name: 'x', price: 10, sale: true } }],
  ];
  const whole: Parts = { body: { name: 'x', price: 10, sale: false } };

  test.each(flaws)('%s', (_, path, kind, flaw) => {
    const analysis = analysisOf();
    const random = generator(6);
    const make = (): Parts => (random() < 0.1 ? flaw : whole);
    for (let index = 0; index < 1_500; index++) {
      const target = `/things/${index}`;
      if (index % 4 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, whole, make()));
    }
    expect(analysis.report()).toMatchObject({ verdict: 'REGRESSION', clusters: [{ path, kind, significant: true }], noise: [] });
  });

  test('a value is wrong now and then, and the baseline\'s own answers are steady', () => {
    const analysis = analysisOf();
    const random = generator(6);
    const make = (): Parts => (random() < 0.1 ? { body: { name: 'x', price: 3, sale: false } } : whole);
    for (let index = 0; index < 1_500; index++) {
      const target = `/things/${index % 10}`;
      if (index % 4 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, make(), make()));
      analysis.push(pairOf({ index, target }, whole, make()));
    }
    expect(analysis.report()).toMatchObject({ verdict: 'REGRESSION', clusters: [{ path: '$.price', kind: 'value' }], noise: [] });
  });

  test('its values have a new format', () => {
    const analysis = analysisOf();
    const random = generator(8);
    for (let index = 0; index < 200; index++) {
      const target = `/things/${index}`;
      const number = (): Parts => ({ body: { id: String(Math.floor(random() * 1e6)) } });
      if (index % 10 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, number(), number()));
      analysis.push(pairOf({ index, target }, { body: { id: uuid(random) } }, number()));
    }
    expect(analysis.report()).toMatchObject({ mismatches: 200, clusters: [{ transition: 'UUID -> integer as text', count: 200 }] });
  });

  test('but two instances of the old version may have names of their own', () => {
    const analysis = analysisOf({ reference: 'old' });
    const instance = (name: string): Parts => ({ body: { instance: name } });
    for (let index = 0; index < 200; index++) {
      const target = `/things/${index % 10}`;
      analysis.push(pairOf({ index, target, kind: 'noise' }, instance('alpha'), instance('beta')));
      analysis.push(pairOf({ index, target }, instance('alpha'), instance('gamma')));
    }
    expect(analysis.report()).toMatchObject({ mismatches: 0, clusters: [] });
  });
});

describe('Analysis', () => {
  test('learns what is noise from the baseline\'s own answers to the same request', () => {
    const analysis = analysisOf();
    const random = generator(2);
    const make = (): Parts => ({ body: { visitors: Math.floor(random() * 1_000), name: 'x' } });
    for (let index = 0; index < 200; index++) analysis.push(pairOf({ index, target: `/page/${Math.floor(index / 2) % 20}` }, make(), make()));
    const report = analysis.report();
    expect(report.mismatches).toBe(0);
    expect(report.noise).toMatchObject([{ path: '$.visitors', of: 'value', reason: expect.stringMatching(/^differs by itself in \d+ of \d+ pairs$/) }]);
    expect(report.warnings).toEqual([]);
  });

  test('does not, where something was changed in between', () => {
    const analysis = analysisOf({ noiseShare: 0 });
    for (let index = 0; index < 200; index++) {
      analysis.push(pairOf({ index, target: '/cart/7' }, { body: { count: index } }, { body: { count: index + 3 } }));
      analysis.push(pairOf({ index, target: '/cart/7/items', method: 'POST' }, {}, {}));
    }
    expect(analysis.report()).toMatchObject({ verdict: 'REGRESSION', mismatches: 200, noise: [] });
  });

  test('sees that a field is steady, whatever it looks like', () => {
    const analysis = analysisOf();
    const random = generator(3);
    for (let index = 0; index < 100; index++) {
      const id = uuid(random);
      const target = `/things/${index}`;
      if (index % 5 === 0) analysis.push(pairOf({ index, target, kind: 'noise' }, { body: { owner: id } }, { body: { owner: id } }));
      analysis.push(pairOf({ index, target }, { body: { owner: id } }, { body: { owner: uuid(random) } }));
    }
    expect(analysis.report()).toMatchObject({ mismatches: 100, noise: [] });
  });

  test('takes no value for noise that the request names', () => {
    const analysis = analysisOf();
    const random = generator(3);
    for (let index = 0; index < 100; index++) {
      const id = uuid(random);
      analysis.push(pairOf({ index, target: `/things/${id}` }, { body: { id } }, { body: { id: uuid(random) } }));
    }
    expect(analysis.report().mismatches).toBe(100);
  });

  test('counts anew what was thought before noise was known', () => {
    const analysis = analysisOf();
    const random = generator(4);
    const make = (): Parts => ({ body: { tookMs: Math.floor(random() * 1e6) } });
    const outcomes = Array.from({ length: 50 }, (_, index) => analysis.push(pairOf({ index, target: '/x' , session: String(index), body: String(index) }, make(), make())).mismatch);
    expect(outcomes).toEqual(Array(50).fill(true));
    expect(analysis.report().mismatches).toBe(50);
    for (let index = 0; index < 5; index++) analysis.push(pairOf({ index, target: '/x', kind: 'noise' }, make(), make()));
    expect(analysis.report()).toMatchObject({ mismatches: 0, clusters: [] });
  });

  test('marks what lies in other data, with the evidence', () => {
    const report = (candidate: (index: number) => Parts): RunReport => {
      const analysis = analysisOf();
      for (let index = 0; index < 300; index++) analysis.push(pairOf({ index, target: `/users/${index % 50}` }, {}, candidate(index)));
      return analysis.report();
    };
    const other = report((index) => (index % 50 < 5 ? { status: 404 } : {}));
    expect(other.clusters).toMatchObject([
      { kind: 'status', transition: '200 -> 404', origin: 'state', risk: 'low', count: 30, cause: 'other data: the candidate lacks 5 things, each time that it is asked for, and has 45 others' },
    ]);
    expect(other).toMatchObject({ mismatches: 0, excluded: { state: 30 } });
    expect(other.warnings).toContain('30 pairs differ because the two environments hold different data; they do not count');
    // Now found and now not; and nothing found at all.
    expect(report((index) => (index % 7 === 0 ? { status: 404 } : {}))).toMatchObject({ mismatches: 43, clusters: [{ origin: 'code', cause: 'the candidate does not find it' }] });
    expect(report(() => ({ status: 404 }))).toMatchObject({ mismatches: 300, clusters: [{ origin: 'code' }] });
  });

  test('adds up endpoints that turn out to be one', () => {
    const analysis = analysisOf();
    const titles = Array.from({ length: 30 }, (_, index) => `/blog/how-to-${'abcdef'[index % 6]}-the-${'uvwxyz'[Math.floor(index / 6)]}`);
    const outcomes = [...titles, ...titles].map((target, index) => analysis.push(pairOf({ index, target }, { body: { a: 1 } }, { body: { a: '1' } })));
    const report = analysis.report();
    expect(report.endpoints).toMatchObject([{ endpoint: 'GET /blog/{slug}', pairs: 60, mismatches: 60 }]);
    expect(report.clusters).toMatchObject([{ endpoint: 'GET /blog/{slug}', count: 60, share: 1, firstSeen: '2026-11-21T10:00:00.000Z' }]);
    expect(new Set(outcomes.map(({ endpoint }) => analysis.currentEndpoint(endpoint)))).toEqual(new Set(['GET /blog/{slug}']));
    expect(outcomes.at(-1)?.differences).toMatchObject([{ path: '$.a', cluster: report.clusters[0]?.id }]);
  });

  test('tells of each difference which cluster it is in', () => {
    const analysis = analysisOf();
    const list = (type: (id: number) => unknown): Parts => ({ body: { ids: [1, 2, 3].map(type), total: type(4) } });
    const { differences } = analysis.push(pairOf({ index: 0, target: '/lists' }, list(Number), list(String)));
    const clusters = new Map(analysis.report().clusters.map(({ path, id }) => [path, id]));
    expect(differences.map(({ place }) => place)).toEqual(['$.ids[0]', '$.ids[1]', '$.ids[2]', '$.total']);
    expect(differences.map(({ cluster }) => cluster)).toEqual(['$.ids[*]', '$.ids[*]', '$.ids[*]', '$.total'].map((path) => clusters.get(path)));
  });

  test('judges latency and errors, and says what it was not told', () => {
    const analysis = analysisOf();
    for (let index = 0; index < 3_000; index++) {
      analysis.push(pairOf({ index, target: '/slow' }, { ms: 10 + (index % 7) }, { ms: 20 + (index % 7) }));
      analysis.push(pairOf({ index, target: '/same' }, { ms: 10 + (index % 7) }, { ms: 10 + ((index + 3) % 7) }));
    }
    analysis.exclude('incomplete');
    analysis.exclude('sampled_down', 5);
    const report = analysis.report();
    expect(report.endpoints.map(({ endpoint, verdict }) => [endpoint, verdict])).toEqual([['GET /slow', 'REGRESSION'], ['GET /same', expect.stringMatching(/SAFE|INSUFFICIENT/)]]);
    expect(report.endpoints[0]?.latencyRatio.p50?.value).toBeGreaterThan(1.5);
    expect(report).toMatchObject({ verdict: 'REGRESSION', pairs: 6_000, mismatches: 0, excluded: { incomplete: 1, sampled_down: 5 } });
  });

  test('compares what models answer', () => {
    const analysis = analysisOf({
      models: [
        { endpoint: 'POST /predict', path: '$.result.label', as: 'label' },
        { path: '$.scores[0]', as: 'number' },
      ],
      rules: [{ name: 'model', path: ['$.result', '$.scores'], ignore: true }],
    });
    for (let index = 0; index < 100; index++) {
      const parts = (label: string, score: number): Parts => ({ body: { result: { label }, scores: [score] } });
      analysis.push(pairOf({ index, target: '/predict', method: 'POST' }, parts('cat', index), parts(index < 10 ? 'dog' : 'cat', index + 1)));
    }
    analysis.push(pairOf({ index: 0, target: '/predict', method: 'POST' }, { body: { result: { label: 'cat' } } }, { body: 'no json' }));
    expect(analysis.report().models).toMatchObject([
      { endpoint: 'POST /predict', path: '$.result.label', pairs: 100, baselineOnly: 1, candidateOnly: 0, label: { agreement: 0.9 }, number: null },
      { path: '$.scores[0]', pairs: 100, label: null, number: { meanDifference: 1, correlation: 1 } },
    ]);
  });

  test.each<[number: string, other: string, label: boolean, difference: number | null]>([
    ['0.12345678901234567', '0.62345678901234567', false, 0.5],
    ['9007199254740993', '9007199254740995', false, 4],
    ['12345678901234567890', '1.2345678901234567890e19', true, 0],
    ['1.0', '10e-1', true, 0],
    ['-0', '0', true, 0],
    ['1e300', '1.5E+300', false, 5e299],
    ['1e999', '2', false, null],
  ])('reads numbers of models in any form: %s and %s', (number, other, same, difference) => {
    const analysis = analysisOf({ models: [{ path: '$.score', as: 'label' }, { path: '$.score', as: 'number' }] });
    analysis.push(pairOf({ index: 0, target: '/predict' }, { body: `{"score":${number}}` }, { body: `{"score":${other}}` }));
    const [label, score] = analysis.report().models ?? [];
    expect(label).toMatchObject({ pairs: 1, label: { agreement: same ? 1 : 0 } });
    expect([score?.pairs, score?.candidateOnly]).toEqual(difference === null ? [0, 1] : [1, 0]);
    if (difference !== null) expect(score?.number?.meanDifference).toBeCloseTo(difference, 10);
  });

  test('has a report of nothing', () => {
    expect(analysisOf().report()).toMatchObject({ verdict: 'INSUFFICIENT', pairs: 0, endpoints: [], clusters: [], from: null, to: null, warnings: [] });
  });

  test('is bounded, whatever comes', () => {
    const analysis = analysisOf();
    const random = generator(9);
    const wide = (): Parts => ({ body: Object.fromEntries(Array.from({ length: 100 }, () => [`k${hex(random, 3)}x`, Math.floor(random() * 9)])) });
    for (let index = 0; index < 150; index++) analysis.push(pairOf({ index, target: '/wide', body: String(index) }, wide(), wide()));
    const report = analysis.report();
    expect(report.pairs).toBe(150);
    expect(report.clusters.length).toBeLessThanOrEqual(1_000);
    expect(report.mismatches).toBeGreaterThan(140);
  });

  test('counts the pairs that a plain recount of what is no noise finds', () => {
    const fields = ['a', 'b', 'c', 'd'] as const;
    const pairs = fc.array(fc.record({ noise: fc.boolean(), differ: fc.subarray([...fields]) }), { maxLength: 60 });
    fc.assert(
      fc.property(pairs, (asked) => {
        const analysis = analysisOf();
        const body = (differ: readonly string[], side: number): Parts => ({
          body: Object.fromEntries(fields.map((name) => [name, differ.includes(name) ? 10 + 7 * side : 3])),
        });
        for (const [index, { noise, differ }] of asked.entries()) {
          const kind = noise ? 'noise' : 'candidate';
          analysis.push(pairOf({ index, target: '/x', kind, body: String(index) }, body(differ, 0), body(differ, 1)));
        }
        const report = analysis.report();
        const noisy = new Set(report.noise?.map(({ path }) => path.slice(2)));
        const candidates = asked.filter(({ noise }) => !noise);
        expect(report.pairs).toBe(candidates.length);
        expect(report.mismatches).toBe(candidates.filter(({ differ }) => differ.some((name) => !noisy.has(name))).length);
        for (const { path, count } of report.clusters) {
          expect(count).toBe(candidates.filter(({ differ }) => differ.some((name) => path === `$.${name}`)).length);
        }
        expect(analysis.report()).toEqual(report);
      }),
      { numRuns: 100 },
    );
  });
});

describe('rules that change while pairs come', () => {
  const nowUs = Date.UTC(2026, 10, 21, 12) * 1_000;
  const rule = (name: string, path: string, endpoint?: string): object => ({ name, path, ignore: true, ...(endpoint === undefined ? {} : { endpoint }) });
  const rulesOf = (...rules: object[]): ReturnType<typeof compareSchema.parse>['rules'] => compareSchema.parse({ rules }).rules;

  function run(rules: object[] = [], accepted: string[] = []): { analysis: Analysis; push: (target: string, from: object, to: object, times?: number) => void } {
    const analysis = new Analysis({ ...compareSchema.parse({ rules, noiseShare: 0 }), accepted });
    let index = 0;
    const push = (target: string, from: object, to: object, times = 200): void => {
      for (let i = 0; i < times; i++) analysis.push(pairOf({ index: index++, target }, { body: from }, { body: to }));
    };
    return { analysis, push };
  }

  const endpointOf = (report: RunReport, name: string): RunReport['endpoints'][number] | undefined => report.endpoints.find(({ endpoint }) => endpoint === name);

  test('a new rule judges anew what it touches, and nothing else', () => {
    const { analysis, push } = run([rule('old', '$.old')]);
    push('/a', { price: 1, old: 1 }, { price: 2, old: 2 });
    push('/b', { total: 1 }, { total: 2 });
    expect(analysis.report()).toMatchObject({ verdict: 'REGRESSION', pairs: 400, mismatches: 400, rules: [{ name: 'old', hidden: 200 }] });
    analysis.setRules(rulesOf(rule('old', '$.old'), rule('prices', '$.price', 'GET /a')), [], nowUs);
    const anew = analysis.report();
    expect(endpointOf(anew, 'GET /a')).toMatchObject({ pairs: 0, mismatches: 0, verdict: 'INSUFFICIENT' });
    expect(endpointOf(anew, 'GET /b')).toMatchObject({ pairs: 200, mismatches: 200, verdict: 'REGRESSION' });
    expect(anew.clusters.map(({ endpoint }) => endpoint)).toEqual(['GET /b']);
    expect(anew.warnings).toEqual(expect.arrayContaining([expect.stringMatching(/^GET \/a: judged anew since 2026-11-21T12:00:00\.000Z/)]));
    push('/a', { price: 1, old: 1 }, { price: 2, old: 2 });
    const after = analysis.report();
    expect(endpointOf(after, 'GET /a')).toMatchObject({ pairs: 200, mismatches: 0 });
    expect(after.rules).toEqual([{ name: 'old', hidden: 400, pairs: 400 }, { name: 'prices', hidden: 200, pairs: 200 }]);
    analysis.setRules(rulesOf(rule('old', '$.old')), [], nowUs);
    push('/a', { price: 1, old: 1 }, { price: 2, old: 2 });
    expect(endpointOf(analysis.report(), 'GET /a')).toMatchObject({ pairs: 200, mismatches: 200, verdict: 'REGRESSION' });
  });

  test('rules that are the same change nothing', () => {
    const { analysis, push } = run([rule('x', '$.x')]);
    push('/a', { price: 1 }, { price: 2 });
    const before = analysis.report();
    analysis.setRules(rulesOf(rule('x', '$.x')), [], nowUs);
    expect(analysis.report()).toEqual(before);
  });

  test('an accepted difference is shown and counts no more, until it is accepted no more', () => {
    const { analysis, push } = run();
    push('/a', { price: 1, name: 'x' }, { price: 2, name: 'x' });
    const [{ id }] = analysis.report().clusters;
    analysis.setRules([], [id], nowUs);
    push('/a', { price: 1, name: 'x' }, { price: 2, name: 'x' });
    push('/a', { price: 1, name: 'x' }, { price: 2, name: 'y' }, 1);
    const accepted = analysis.report();
    expect(endpointOf(accepted, 'GET /a')).toMatchObject({ pairs: 201, mismatches: 1 });
    expect(accepted.verdict).not.toBe('REGRESSION');
    expect(accepted.clusters).toMatchObject([{ path: '$.name' }, { id, accepted: true, count: 201, significant: false }]);
    expect(accepted.clusters[0]).not.toHaveProperty('accepted');
    analysis.setRules([], [], nowUs);
    push('/a', { price: 1, name: 'x' }, { price: 2, name: 'x' });
    expect(analysis.report()).toMatchObject({ verdict: 'REGRESSION', mismatches: 200 });
  });

  test('what is accepted follows its endpoint to another name', () => {
    const names = Array.from({ length: 200 }, (_, index) => Array.from(String(index), (digit) => 'abcdefghij'[Number(digit)]).join(''));
    const first = run();
    for (const name of names.slice(0, 3)) first.push(`/users/${name}/cart`, { n: 1 }, { n: 2 }, 1);
    const ids = first.analysis.report().clusters.map(({ id }) => id);
    expect(ids).toHaveLength(3);
    const { analysis, push } = run([], ids);
    for (const name of names) push(`/users/${name}/cart`, { n: 1 }, { n: 2 }, 1);
    const { endpoints, clusters, mismatches } = analysis.report();
    expect(endpoints).toHaveLength(1);
    expect(clusters).toMatchObject([{ endpoint: endpoints[0].endpoint, accepted: true }]);
    expect(mismatches).toBe(0);
  });

  test('what was given back can be used again, however often rules change', () => {
    const { analysis, push } = run();
    for (let round = 0; round < 40; round++) {
      const wide = Object.fromEntries(Array.from({ length: 150 }, (_, name) => [`f${round}_${name}`, 1]));
      const other = Object.fromEntries(Object.keys(wide).map((name) => [name, 2]));
      push('/a', wide, other, 1);
      analysis.setRules(rulesOf(rule(`r${round}`, '$.never')), [], nowUs);
    }
    push('/a', { price: 1 }, { price: 2 });
    expect(analysis.report()).toMatchObject({ pairs: 200, mismatches: 200 });
    expect(analysis.report().clusters).toHaveLength(1);
  });
});
