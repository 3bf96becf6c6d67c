import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import type { Answer } from '../compare/pair.ts';
import type { Exchange, Message } from '../http/exchange.ts';
import { headOf } from '../policy/message-edit.ts';
import { Connection } from '../tcp/connection.ts';
import { MappedIds } from './mapped-ids.ts';

let connections = 0;

/** On a connection of its own. */
function apart(exchange: Exchange): Exchange {
  const { tunnel, vlan, addresses, ports, initiator } = exchange.connection;
  return { ...exchange, connection: new Connection<unknown>(1_000 + connections++, tunnel, vlan, addresses, ports, initiator) };
}

function request(line: string, { headers = '', body = '' }: { headers?: string; body?: string | Buffer } = {}): Exchange {
  const length = body.length === 0 ? '' : `Content-Length: ${body.length}\r\n`;
  return exchangeOf(Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\nHost: a\r\n${headers}${length}\r\n`), Buffer.from(body)]));
}

function created(id: number): Answer {
  const body = Buffer.from(JSON.stringify({ id }));
  return { status: 201, failure: null, headers: [], body, bodyBytes: body.length, bodySha256: null, firstByteMs: 1, totalMs: 1 };
}

/** `POST /orders` made 17 in production, 901 at the target. */
function mapOf(headers = ''): { map: MappedIds; post: Exchange } {
  const map = new MappedIds();
  const post = request('POST /orders', { headers, body: '{}' });
  const ids = map.of(post, post);
  expect([ids.expects('new'), ids.expects('other')]).toEqual([true, true]);
  ids.learn('new', created(17), created(901));
  expect([ids.expects('new'), ids.expects('other')]).toEqual([false, true]);
  return { map, post };
}

function outgoing(map: MappedIds, exchange: Exchange, target = 'new'): Exchange {
  return map.of(exchange, exchange).toTarget(target, exchange);
}

function wireOf({ request: { head, body } }: Exchange): string {
  return Buffer.concat([head.bytes, ...(body.wire ?? [])]).toString('latin1');
}

function answer(content: string | Buffer, headers = ''): Message {
  const body = Buffer.from(content);
  const head = headOf('response', Buffer.from(`HTTP/1.1 200 OK\r\n${headers}\r\n`))?.head;
  if (head === undefined) throw new Error('no head');
  return {
    head,
    body: { framing: 'length', bytes: body.length, sha256: null, wire: [body], wireBytes: body.length, tooLarge: false },
    startUs: 0, endUs: 0, startSequence: 0, endSequence: 0, outcome: 'complete', ambiguity: null,
  };
}

describe('a request', () => {
  test('gets the target\'s ids in its target and its body, with the framing that it had', () => {
    const { map } = mapOf();
    expect(wireOf(outgoing(map, request('GET /orders/17?order=17')))).toMatch(/^GET \/orders\/901\?order=901 HTTP/);
    expect(wireOf(outgoing(map, request('PUT /x', { body: '{"order_id":17}' })))).toMatch(/Content-Length: 16\r\n\r\n\{"order_id":901\}$/);
    const chunked = exchangeOf('PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nc\r\norder_id=17&\r\n3\r\na=b\r\n0\r\n\r\n');
    expect(wireOf(outgoing(map, chunked))).toMatch(/\r\n\r\n10\r\norder_id=901&a=b\r\n0\r\n\r\n$/);
  });

  test.each([
    ['names no id of the target', 'new', request('GET /orders/18')],
    ['goes to a target of which nothing is known', 'other', request('GET /orders/17')],
    ['has a body that cannot be read', 'new', request('PUT /x', { headers: 'Content-Encoding: gzip\r\n', body: gzipSync('{"order_id":17}') })],
    ['belongs to another session', 'new', apart(request('GET /orders/17'))],
  ])('that %s stays as it is', (_, target, exchange) => {
    expect(outgoing(mapOf().map, exchange, target)).toBe(exchange);
  });

  test.each([
    ['Authorization: Bearer abc\r\n', 'Authorization: Bearer abc\r\n', true],
    ['Cookie: theme=dark; PHPSESSID=1; a=b\r\n', 'Cookie: PHPSESSID=1; a=c\r\n', true],
    ['Cookie: connect.sid=1\r\n', 'Cookie: connect.sid=2\r\n', false],
    ['Cookie: csrftoken=1\r\n', 'Cookie: csrftoken=1\r\n', false],
    ['', '', false],
  ])('with %j and, on another connection, one with %j: the same session is %s', (first, second, same) => {
    const later = apart(request('GET /orders/17', { headers: second }));
    expect(outgoing(mapOf(first).map, later).request.head.target).toBe(same ? '/orders/901' : '/orders/17');
  });
});

describe('an answer', () => {
  test('gets production\'s ids in its header and its body, behind a content coding too', () => {
    const { map, post } = mapOf();
    const ids = map.of(post, post);
    const found = ids.toProduction('new', answer(gzipSync('{"id":901,"total":901}'), 'Location: /orders/901\r\nX: /orders/901\r\nContent-Encoding: gzip\r\n'));
    expect(found.head.bytes.toString()).toBe('HTTP/1.1 200 OK\r\nLocation: /orders/17\r\nX: /orders/901\r\nContent-Encoding: gzip\r\n\r\n');
    expect(gunzipSync(Buffer.concat(found.body.wire ?? [])).toString()).toBe('{"id":17,"total":901}');
  });

  test.each([
    ['no id', answer('{"id":902}')],
    ['a coding that nobody knows', answer('{"id":901}', 'Content-Encoding: x\r\n')],
    ['a body that is not what it says it is', answer('{"id":901}', 'Content-Encoding: gzip\r\n')],
    ['no body', answer('')],
  ])('with %s stays as it is', (_, message) => {
    const { map, post } = mapOf();
    expect(map.of(post, post).toProduction('new', message)).toBe(message);
  });
});
