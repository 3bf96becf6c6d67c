import { describe, expect, test } from 'vitest';
import { sanitizeSchema } from '../config/sanitize-schema.ts';
import type { Exchange, Message } from '../http/exchange.ts';
import { headOf } from '../policy/message-edit.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import type { ReplayResult } from '../replay/target.ts';
import type { RequestEntry } from '../store/request-filter.ts';
import { Connection } from '../tcp/connection.ts';
import { type FeedSafety, RequestFeed } from './request-feed.ts';

const key = 'a key of the tests, long enough';
const sanitizer = new Sanitizer(sanitizeSchema.parse({ key }), Buffer.from(key));
const shown: FeedSafety = { sanitizer: null, hidden: false };

/** From 203.0.113.7, answered after 20 ms. */
function exchangeOf(target: string, status = 200): Exchange {
  const message = (kind: 'request' | 'response', text: string, startUs: number): Message => {
    const head = headOf(kind, Buffer.from(text, 'latin1'))?.head;
    if (head === undefined) throw new Error(text);
    const body = { framing: 'none' as const, bytes: 0, sha256: null, wire: [], wireBytes: 0, tooLarge: false };
    return { head, body, startUs, endUs: startUs, startSequence: 0, endSequence: 0, outcome: 'complete', ambiguity: null };
  };
  const addresses = Int32Array.of(0, 0, 0xffff, 0xcb007107, 0, 0, 0xffff, 0x0a000001);
  return {
    connection: new Connection<unknown>(1, 0, 0, addresses, [4000, 80], 0),
    client: 0,
    index: 0,
    request: message('request', `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, 1_795_000_000_000_000),
    response: message('response', `HTTP/1.1 ${status} OK\r\n\r\n`, 1_795_000_000_020_000),
    fidelity: 0,
  };
}

const replayed = (status: number): ReplayResult => ({
  outcome: 'replayed',
  response: { status, head: Buffer.alloc(0), body: null, bodyBytes: 0, queuedAtMs: 1, sentAtMs: 2, firstByteAtMs: 3, endAtMs: 7.5 },
});

function feed(safety: FeedSafety): { feed: RequestFeed; told: RequestEntry[] } {
  const told: RequestEntry[] = [];
  return { feed: new RequestFeed('run-0.', safety, (entries) => void told.push(...entries)), told };
}

describe('the feed of single requests', () => {
  test('tells what became of a request', () => {
    const { feed: open, told } = feed(shown);
    open.ended(exchangeOf('/users/17?mail=anna@canary.example', 201), 'id-1', 'replayed', replayed(500));
    open.ended(exchangeOf('/x'), null, 'blocked.method', null);
    open.flush();
    expect(told).toEqual([
      {
        id: 'id-1', timeUs: 1_795_000_000_000_000, method: 'GET', target: '/users/17?mail=anna@canary.example', endpoint: 'GET /users/{id}', outcome: 'replayed',
        production: 201, candidate: 500, compared: null, client: '203.0.113.7:4000>10.0.0.1:80', productionMs: 20, candidateMs: 5.5, labels: [],
      },
      expect.objectContaining({ id: 'run-0.0', outcome: 'blocked.method', production: 200, candidate: null, candidateMs: null }),
    ]);
  });

  test('an answer of production that comes a little later is told, too', () => {
    const { feed: open, told } = feed(shown);
    const exchange = exchangeOf('/x', 404);
    const { response } = exchange;
    exchange.response = null;
    open.ended(exchange, null, 'sampled_out', null);
    open.answered(exchangeOf('/x'));
    exchange.response = response;
    open.answered(exchange);
    open.flush();
    expect(told).toMatchObject([{ production: 404, productionMs: 20 }]);
  });

  test('takes some of each outcome, and begins anew with the next batch', () => {
    const { feed: open, told } = feed(shown);
    const some = exchangeOf('/x');
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 1_000; index++) open.ended(some, `id-${round}-${index}`, 'replayed', replayed(200));
      open.ended(some, null, 'failed.timeout', null);
      open.flush();
    }
    expect(told.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(50);
    expect(told.filter(({ outcome }) => outcome === 'failed.timeout')).toHaveLength(2);
    expect(new Set(told.map(({ id }) => id)).size).toBe(52);
  });

  test.each<[string, FeedSafety]>([
    ['made safe', { sanitizer, hidden: false }],
    ['hidden', { sanitizer: null, hidden: true }],
  ])('personal data is %s', (_, safety) => {
    const { feed: open, told } = feed(safety);
    open.ended(exchangeOf('/users/17?mail=anna@canary.example'), null, 'filtered.x', null);
    open.flush();
    expect(told).toMatchObject([{ endpoint: 'GET /users/{id}', target: expect.stringMatching(/^\/users\/17/) }]);
    expect(JSON.stringify(told)).not.toMatch(/canary|203\.0\.113/);
  });

  test('what was taken before a change is made safe as it was then', () => {
    const { feed: open, told } = feed({ sanitizer, hidden: false });
    open.ended(exchangeOf('/x?mail=anna@canary.example'), null, 'filtered.x', null);
    open.use(shown);
    open.ended(exchangeOf('/x?mail=anna@canary.example'), null, 'filtered.x', null);
    open.flush();
    expect(told.map(({ target }) => target.includes('canary'))).toEqual([false, true]);
  });

  test('hostile requests take no more than their place', () => {
    const { feed: open, told } = feed(shown);
    open.ended(exchangeOf(`/${'x'.repeat(100_000)}`), null, 'filtered.x', null);
    open.ended(exchangeOf('*'), null, 'filtered.x', null);
    open.ended(exchangeOf('http://a.example/%00%ff?%'), null, 'filtered.x', null);
    open.flush();
    expect(told).toHaveLength(3);
    expect(JSON.stringify(told).length).toBeLessThan(5_000);
  });
});
