import { describe, expect, test } from 'vitest';
import type { Answer } from '../pair.ts';
import { IdMap } from './id-map.ts';
import { thingOfTarget } from './id-names.ts';
import { withIdsInBody, withIdsInTarget } from './id-text.ts';

function answer(content: unknown, location?: string, status = 201): Answer {
  const body = Buffer.from(JSON.stringify(content));
  return {
    status,
    failure: null,
    headers: [['Content-Type', 'application/json'], ...(location === undefined ? [] : [['Location', location] as const])],
    body,
    bodyBytes: body.length,
    bodySha256: null,
    firstByteMs: 1,
    totalMs: 1,
  };
}

function learn(map: IdMap, target: string, before: Answer, after: Answer, { session = 's', method = 'POST', sent = '' } = {}): void {
  map.learn([session], { method, target, body: Buffer.from(sent) }, before, after);
}

const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
const uuid2 = '1f8fad5b-d9cb-469f-a165-70867728950f';

function mapOf(): IdMap {
  const map = new IdMap();
  learn(map, '/shop/orders?x=1', answer({ id: 17, total: 5 }), answer({ id: 901, total: 6 }));
  learn(map, '/categories/', answer({}, 'http://a/categories/3'), answer({}, '/categories/4'));
  learn(map, '/carts', answer({ data: { cart_id: uuid } }), answer({ data: { cart_id: uuid2 } }));
  // Another thing that has the same id as the order, on both sides.
  learn(map, '/baskets', answer({ id: 17 }), answer({ id: 901 }));
  learn(map, '/parcels', answer({ id: 17 }), answer({ id: 5 }));
  return map;
}

function inTarget(map: IdMap, target: string, session = 's'): string {
  const lookup = map.toCandidate([session]);
  return lookup === null ? target : withIdsInTarget(target, lookup);
}

function inBody(map: IdMap, body: string, target = '/', isList = false): string {
  const lookup = map.toCandidate(['s']);
  if (lookup === null) return body;
  return withIdsInBody(Buffer.from(body), { thing: thingOfTarget(target), isList, retype: true }, lookup).toString();
}

function inAnswer(map: IdMap, body: string, target = '/', isList = false): string {
  const lookup = map.toBaseline(['s']);
  if (lookup === null) return body;
  return withIdsInBody(Buffer.from(body), { thing: thingOfTarget(target), isList, retype: false }, lookup).toString();
}

describe('IdMap', () => {
  test.each([
    ['/shop/orders/17', '/shop/orders/901'],
    ['/shop/orders/17/items/17?page=17', '/shop/orders/901/items/17?page=17'],
    ['/search?order=17&order_id=17&orderId=17&parcel=17&n=17&flag', '/search?order=901&order_id=901&orderId=901&parcel=5&n=17&flag'],
    ['/orders?id=17', '/orders?id=901'],
    ['/customers?id=17', '/customers?id=17'],
    ['http://shop.example/orders/17', 'http://shop.example/orders/901'],
    ['/categories/3', '/categories/4'],
    [`/anything/${uuid}?q=${uuid}`, `/anything/${uuid2}?q=${uuid2}`],
    ['/orders/171', '/orders/171'],
    ['*', '*'],
  ])('makes %s %s', (target, expected) => {
    expect(inTarget(mapOf(), target)).toBe(expected);
  });

  test.each([
    ['{"order_id":17,"quantity":17, "order" : "17"}', '{"order_id":901,"quantity":17, "order" : "901"}'],
    ['{"orderId":17.5,"a":[17,"17"],"order_id":-17,"order":017}', '{"orderId":17.5,"a":[17,"17"],"order_id":-17,"order":017}'],
    ['{"order_ids":[17,18,"17"]}', '{"order_ids":[901,18,"901"]}'],
    ['{"id":17,"order":{"id":17,"lines":[{"id":17}]}}', '{"id":17,"order":{"id":901,"lines":[{"id":17}]}}'],
    ['{"orders":[{"data":{"id":17}}],"id":17}', '{"orders":[{"data":{"id":901}}],"id":17}'],
    ['{"self":"/orders/17","say":"17/17"}', '{"self":"/orders/901","say":"17/17"}'],
    [`["${uuid}",{"ref":"${uuid}"}]`, `["${uuid2}",{"ref":"${uuid2}"}]`],
    [`{"é\\"":"\\u0031","ref":"${uuid}"}`, `{"é\\"":"\\u0031","ref":"${uuid2}"}`],
    ['order_id=17&n=17', 'order_id=901&n=17'],
    [`a text about ${uuid}`, `a text about ${uuid}`],
    ['{"order_id":17', '{"order_id":901'],
  ])('makes the body %s %s', (body, expected) => {
    expect(inBody(mapOf(), body)).toBe(expected);
  });

  test.each([
    ['/orders/17', false, '{"id":17,"total":17,"items":[{"id":17}]}', '{"id":901,"total":17,"items":[{"id":17}]}'],
    ['/orders', true, '{"items":[{"id":17}]}', '{"items":[{"id":901}]}'],
    ['/customers/17', false, '{"id":17}', '{"id":17}'],
  ])('an id alone is that of what %s is about', (target, isList, body, expected) => {
    expect(inBody(mapOf(), body, target, isList)).toBe(expected);
    expect(inAnswer(mapOf(), expected, target, isList)).toBe(body);
  });

  test('a number that is a text now gets its quotes in a request, and stays what it is in an answer', () => {
    const map = new IdMap();
    learn(map, '/orders', answer({ id: 17 }), answer({ id: uuid }));
    learn(map, '/parcels', answer({ id: uuid2 }), answer({ id: 6 }));
    expect(inBody(map, '{"order_id":17}')).toBe(`{"order_id":"${uuid}"}`);
    expect(inAnswer(map, `{"order_id":"${uuid}","parcel_id":6}`)).toBe('{"order_id":"17","parcel_id":6}');
  });

  test.each([
    ['the redirect to it', '/checkout', answer({}, '/orders/17', 303), answer({}, '/orders/901', 303)],
    ['the only id that the answer has', '/checkout', answer({ order_id: 17 }), answer({ order_id: 901 })],
    ['an object of its name', '/checkout', answer({ order: { id: 17 } }), answer({ order: { id: 901 } })],
  ])('learns from %s', (_, target, before, after) => {
    const map = new IdMap();
    learn(map, target, before, after);
    expect(inTarget(map, '/orders/17')).toBe('/orders/901');
  });

  test.each([
    ['an id that the request named', '/orders', { order_id: 17 }, { order_id: 18 }, { sent: '{"order_id":17}' }],
    ['an id of the target', '/orders/17', { id: 17 }, { id: 18 }, { method: 'PUT' }],
    ['several ids of other things', '/orders', { id: 17, customer_id: 5, bill_id: 1 }, { id: 17, customer_id: 6, bill_id: 2 }, {}],
    ['another thing\'s id where nothing was created', '/login', { user_id: 17 }, { user_id: 18 }, { status: 200 }],
    ['a request that makes nothing', '/orders', { id: 17 }, { id: 18 }, { method: 'GET' }],
    ['what is no id', '/orders', { id: '17/../..' }, { id: 'a b' }, {}],
  ])('does not learn from %s', (_, target, before, after, { status = 201, ...more }: { status?: number; method?: string; sent?: string }) => {
    const map = new IdMap();
    learn(map, target, answer(before, undefined, status), answer(after, undefined, status), more);
    expect(map.sessions).toBe(0);
  });

  test('another id beside that of what was made stays a difference', () => {
    const map = new IdMap();
    learn(map, '/orders', answer({ id: 17, customer_id: 5 }), answer({ id: 901, customer_id: 6 }));
    expect(inAnswer(map, '{"id":901,"customer_id":6}', '/orders')).toBe('{"id":17,"customer_id":6}');
  });

  test.each([409, 500])('does not learn from an answer with status %i', (status) => {
    const map = new IdMap();
    learn(map, '/orders', answer({ id: 17 }), answer({ id: 18 }, undefined, status));
    expect(map.sessions).toBe(0);
  });

  test('keeps sessions apart, and asks those of a request in turn', () => {
    const map = mapOf();
    expect(inTarget(map, '/orders/17', 'other')).toBe('/orders/17');
    learn(map, '/orders', answer({ id: 17 }), answer({ id: 5 }), { session: 'closer' });
    const lookup = map.toCandidate(['closer', 's']);
    expect(lookup?.('17', () => 'order')).toBe('5');
    expect(lookup?.('3', () => 'category')).toBe('4');
  });

  test('forgets the oldest session, and the oldest id of a session', () => {
    const map = mapOf();
    for (let index = 0; index < 10_000; index++) learn(map, '/orders', answer({ id: 1 }), answer({ id: 2 }), { session: `session ${index}` });
    expect(map.sessions).toBe(10_000);
    expect(inTarget(map, '/orders/17')).toBe('/orders/17');
    for (let index = 0; index < 201; index++) learn(map, '/orders', answer({ id: index }), answer({ id: index + 1_000 }));
    expect(['/orders/0', '/orders/1', '/orders/200'].map((target) => inTarget(map, target))).toEqual(['/orders/0', '/orders/1001', '/orders/1200']);
  });

  test('takes no time for hostile bodies', () => {
    const map = mapOf();
    const hostile = [
      `{"17":"${String.raw`\"`.repeat(400_000)}`,
      `{"17"${' '.repeat(400_000)}"17"`,
      `${'['.repeat(500_000)}17`,
      `{"order_id":${'}'.repeat(500_000)}171`,
      `${'17&'.repeat(300_000)}=`,
      '{"order_id":"',
    ];
    for (const body of hostile) expect(inBody(map, body)).toBe(body);
  });
});
