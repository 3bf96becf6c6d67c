/**
 * Two versions of a real service, the old one in production behind a relay that mirrors its packets, the new one as the
 * target of `doubletake mirror`. In the new one twenty things are broken, in both twenty things differ by themselves.
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterReport, EndpointReport, RunReport } from '../src/compare/report.ts';
import { startMirroringRelay } from '../src/demo/mirroring-relay.ts';
import { configFile, freePath } from './support/config-file.ts';
import { runCli, startMirror, stopAll } from './support/mirror.ts';
import { startOrderService, type Version } from './support/order-service.ts';
import { Random } from './support/random.ts';

const broken: [what: string, endpoint: string, path: string, kind: string, cause: string][] = [
  ['a number as a text', 'GET /orders/{id}', '$.customerId', 'type', 'the field has the same value as another type'],
  ['a field gone', 'GET /orders/{id}', '$.currency', 'missing', 'the field is gone'],
  ['a page too short', 'GET /orders', '$.orders', 'length', 'there is less in it'],
  ['a status', 'POST /orders', 'status', 'status', 'another status'],
  ['an order', 'GET /orders/{id}/history', '$.events', 'order', 'the same in another order'],
  ['rounding', 'GET /orders/{id}/invoice', '$.vat', 'value', 'the field is rounded to fewer decimals'],
  ['an encoding', 'GET /customers/{id}', '$.name', 'value', 'the field is in the wrong character encoding'],
  ['a null', 'GET /customers/{id}', '$.phone', 'type', 'the field is null'],
  ['a leak', 'GET /customers/{id}', '$.passwordHash', 'extra', 'the field is new, and by its name it should not leave the service'],
  ['a cache header', 'GET /products/{id}', 'header:cache-control', 'value', 'the header cache-control has another value'],
  ['a text cut off', 'GET /products/{id}', '$.description', 'value', 'the field is cut off'],
  ['a unit', 'GET /prices/{id}', '$.price', 'value', 'the field is 100 times what it was: another unit'],
  ['a failure', 'GET /stock/{id}', 'status', 'status', 'the candidate fails'],
  ['a header gone', 'GET /shipments/{id}', 'header:x-carrier', 'missing', 'the header x-carrier is gone'],
  ['a time zone', 'GET /shipments/{id}', '$.sentAt', 'value', 'the field is off by 1 h: another time zone'],
  ['a cookie\'s attribute gone', 'GET /session', 'cookie:session;httponly', 'missing', 'the attribute httponly of the cookie session is gone'],
  ['an attribute gone in XML', 'GET /catalog/{id}', 'xml:/catalog/product/price/@currency', 'missing', 'the attribute is gone'],
  ['a text escaped twice in HTML', 'GET /help/{id}', 'html:/h1/text()', 'value', 'the text of the element is escaped once more'],
  ['a line gone in CSV', 'GET /exports/{id}', 'text', 'missing', 'a line of the text is gone'],
];
const slowed = 'GET /search';

/** What a client saw of production's answer. */
interface Seen {
  headers: IncomingHttpHeaders;
  body: string;
}

const noisy: [what: string, endpoint: string, read: (seen: Seen) => string | undefined][] = [
  ['a request id in a header', 'GET /orders/{id}', ({ headers }) => String(headers['x-request-id'])],
  ['the date', 'GET /orders/{id}', ({ headers }) => headers.date],
  ['a trace id', 'GET /orders/{id}', member('traceId')],
  ['the id of what was made', 'POST /orders', ({ headers }) => headers.location],
  ['the last digits of a sum', 'GET /orders/{id}/invoice', member('share')],
  ['when it was made', 'GET /orders/{id}/invoice', member('renderedAt')],
  ['a token', 'GET /orders/{id}/invoice', member('download')],
  ['the order of a set', 'GET /customers/{id}', member('segments')],
  ['a time in seconds', 'GET /customers/{id}', member('seenAt')],
  ['an entity tag', 'GET /products/{id}', ({ headers }) => headers.etag],
  ['compression', 'GET /prices/{id}', ({ headers }) => String(headers['content-encoding'])],
  ['how long it took, in a header', 'GET /stock/{id}', ({ headers }) => String(headers['server-timing'])],
  ['a field that is there by chance', 'GET /shipments/{id}', member('notice')],
  ['the value of a session\'s cookie', 'GET /session', ({ headers }) => headers['set-cookie']?.[0]?.split(';')[0]],
  ['when a cookie ends', 'GET /session', ({ headers }) => headers['set-cookie']?.[0]?.split('Expires=')[1]],
  ['how long it took', 'GET /search', member('tookMs')],
  ['a time in XML', 'GET /catalog/{id}', ({ body }) => /made="([^"]*)"/.exec(body)?.[1]],
  ['a CSRF token in HTML', 'GET /help/{id}', ({ body }) => /value="([^"]*)"/.exec(body)?.[1]],
  ['a random sample', 'GET /recommendations/{id}', member('products')],
  ['a counter', 'GET /status', member('requests')],
];

function member(name: string): (seen: Seen) => string {
  return ({ body }) => JSON.stringify((JSON.parse(body) as Record<string, unknown>)[name]);
}

const endpoints = [...new Set([...broken, ...noisy].map(([, endpoint]) => endpoint))];
const requestsEach = 120;
/** What is sent before the mirror must have read all: less than its socket's buffer surely holds. */
const requestsAhead = 600;
/** Few, so that answers do not wait for each other on a busy machine. */
const clients = 12;

interface Asked {
  endpoint: string;
  method: string;
  path: string;
}

/** All requests, in an order of chance that is always the same. */
function requestsOf(): Asked[] {
  const random = new Random(5);
  return endpoints
    .flatMap((endpoint) => {
      const [method = '', template = ''] = endpoint.split(' ');
      // What changes data is not sent twice: without noise to hold it against, it takes more requests to be judged.
      const count = method === 'GET' ? requestsEach : 2 * requestsEach;
      const query = endpoint === 'GET /orders' ? '?page=' : '';
      return Array.from({ length: count }, (_, index) => {
        const number = 1 + (index % 50);
        const path = query === '' ? template.replace('{id}', String(number)) : `${template}${query}${number}`;
        return { at: random.next(), asked: { endpoint, method, path } };
      });
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ asked }) => asked);
}

async function send(port: number, agent: Agent, { method, path }: Asked): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({ port, host: '127.0.0.1', method, path, agent, headers: { host: 'orders.example' } }, resolve);
  outgoing.on('error', reject);
  outgoing.end(method === 'POST' ? '{"product":7}' : undefined);
  const response = await promise;
  const bytes = await buffer(response);
  const { headers } = response;
  return { headers, body: (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString() };
}

interface Compared {
  version: Version;
  /** Of `doubletake report`. */
  code: number | null;
  report: RunReport;
}

/** Runs a version as the target of a mirror, until it is asked for the report. */
async function startCandidate(version: Version, stack: AsyncDisposableStack) {
  const target = await startOrderService(version);
  stack.defer(() => target.close());
  const run = freePath('.run');
  const mirror = await startMirror([
    configFile({
      sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
      run,
      targets: [{ name: 'candidate', url: target.url, breaker: false }],
      policy: { methods: 'all' },
      compare: { noiseShare: '25%', policy: { maxLatencyRatio: 2 } },
    }),
  ]);
  return {
    mirror,
    report: async (): Promise<Compared> => {
      const stopped = await mirror.stop();
      expect(stopped.code).toBe(0);
      const { code, stdout } = await runCli(['report', run, '--format', 'json']);
      return { version, code, report: JSON.parse(stdout) as RunReport };
    },
  };
}

/** Sends all requests to the old version, mirrors them to both, and tells what production answered, by endpoint. */
async function compare(): Promise<{ compared: Compared[]; seen: Map<string, Seen[]> }> {
  await using stack = new AsyncDisposableStack();
  const production = await startOrderService('before');
  stack.defer(() => production.close());
  const candidates = await Promise.all((['before', 'after'] as const).map((version) => startCandidate(version, stack)));
  const relay = await startMirroringRelay({
    production: { host: '127.0.0.1', port: production.port },
    onPacket: (packet) => {
      for (const { mirror } of candidates) void mirror.sendRaw([packet]);
    },
  });
  stack.defer(() => relay.close());
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  stack.defer(() => agent.destroy());
  const requests = requestsOf();
  const seen = new Map<string, Seen[]>(endpoints.map((endpoint) => [endpoint, []]));
  for (let sent = 0; sent < requests.length; sent += requestsAhead) {
    const some = requests.slice(sent, sent + requestsAhead);
    await Promise.all(some.map(async (asked) => seen.get(asked.endpoint)?.push(await send(relay.port, agent, asked))));
    for (const { mirror } of candidates) {
      await mirror.ledgerWhen('all packets have been read', ({ packets }) => packets.received >= relay.packetsSent);
    }
  }
  await relay.close();
  for (const { mirror } of candidates) {
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === requests.length && inFlight === 0);
  }
  return { compared: await Promise.all(candidates.map(({ report }) => report())), seen };
}

const placeOf = ({ endpoint, path, kind }: ClusterReport): string => `${endpoint} ${path} ${kind}`;
const isRegression = ({ verdict }: EndpointReport): boolean => verdict === 'REGRESSION';
const namesOf = (reports: readonly EndpointReport[]): string[] => reports.map(({ endpoint }) => endpoint).toSorted();

describe('of two versions of a service', () => {
  let seen: Map<string, Seen[]>;
  let same: Compared;
  let next: Compared;

  beforeAll(async () => {
    const found = await compare();
    ({ seen, compared: [same, next] } = found);
  }, 120_000);
  afterAll(stopAll);

  test('all answers are compared', () => {
    for (const { report } of [same, next]) expect([report.pairs, report.excluded]).toEqual([requestsOf().length, {}]);
  });

  test.each(broken)('%s is found', (_, endpoint, path, kind, cause) => {
    const found = next.report.clusters.filter((cluster) => placeOf(cluster) === `${endpoint} ${path} ${kind}`);
    expect(found).toMatchObject([{ cause, origin: 'code', significant: true }]);
  });

  test('slowness is found', () => {
    const slow = next.report.endpoints.filter(({ reason, verdict }) => verdict === 'REGRESSION' && reason.includes('latency'));
    expect(slow).toMatchObject([{ endpoint: slowed, mismatches: 0, reason: expect.stringMatching(/^latency at p50 is .*, more than 2\.00×/) }]);
  });

  test.each(noisy)('%s differs by itself', (_, endpoint, read) => {
    expect(new Set(seen.get(endpoint)?.map(read)).size).toBeGreaterThan(1);
  });

  test('nothing else is found', () => {
    expect(next.report.clusters.map(placeOf).toSorted()).toEqual(broken.map(([, endpoint, path, kind]) => `${endpoint} ${path} ${kind}`).toSorted());
    expect(namesOf(next.report.endpoints.filter(isRegression))).toEqual([...new Set([slowed, ...broken.map(([, endpoint]) => endpoint)])].toSorted());
    expect(next).toMatchObject({ code: 1, report: { verdict: 'REGRESSION' } });
  });

  test('nothing at all in the old one against itself', () => {
    expect(same.report).toMatchObject({ mismatches: 0, clusters: [] });
    expect(namesOf(same.report.endpoints.filter(isRegression))).toEqual([]);
    expect(namesOf(same.report.endpoints)).toEqual(endpoints.toSorted());
  });
});
