import { describe, expect, test } from 'vitest';
import type { Difference } from '../difference.ts';
import type { Answer, Pair } from '../pair.ts';
import { IdMap } from './id-map.ts';

const created: Answer = {
  status: 201,
  failure: null,
  headers: [],
  body: null,
  bodyBytes: 0,
  bodySha256: null,
  firstByteMs: 1,
  totalMs: 1,
};

function post(target: string, session = 's', method = 'POST', answer = created): Pair {
  return {
    kind: 'candidate', id: 'x', timeUs: 0, session, method, host: 'h', target,
    request: Buffer.alloc(0), probability: 1, baseline: answer, candidate: answer,
  };
}

function differs(path: string, baseline: string, candidate: string): Difference {
  return { kind: 'value', path, place: path, baseline, candidate, baselineType: 'string', candidateType: 'string' };
}

const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
const uuid2 = '1f8fad5b-d9cb-469f-a165-70867728950f';

function mapOf(): IdMap {
  const map = new IdMap();
  map.learn(post('/shop/orders?x=1'), [differs('$.id', '17', '901'), differs('$.total', '5', '6')]);
  map.learn(post('/categories/'), [differs('header:location', 'http://a/categories/3', '/categories/4')]);
  map.learn(post('/carts'), [differs('$.data.cart_id', uuid, uuid2)]);
  return map;
}

const rewritten = (map: IdMap, target: string, body = '', session = 's'): [string, string] => {
  const result = map.rewrite(session, target, Buffer.from(body));
  return [result.target, result.body.toString()];
};

describe('IdMap', () => {
  test.each([
    ['/shop/orders/17', '/shop/orders/901'],
    ['/shop/orders/17/items/17?page=17', '/shop/orders/901/items/17?page=17'],
    ['/search?order=17&order_id=17&orderId=17&n=17&flag', '/search?order=901&order_id=901&orderId=901&n=17&flag'],
    ['/categories/3', '/categories/4'],
    [`/anything/${uuid}?q=${uuid}`, `/anything/${uuid2}?q=${uuid2}`],
    ['/orders/171', '/orders/171'],
    ['*', '*'],
  ])('makes %s %s', (target, expected) => {
    expect(rewritten(mapOf(), target)[0]).toBe(expected);
  });

  test.each([
    ['{"order_id":17,"quantity":17, "order" : "17"}', '{"order_id":901,"quantity":17, "order" : "901"}'],
    ['{"orderId":17.5,"a":[17,"17"]}', '{"orderId":17.5,"a":[17,"17"]}'],
    [`["${uuid}",{"ref":"${uuid}"}]`, `["${uuid2}",{"ref":"${uuid2}"}]`],
    [`{"é\\"":"\\u0031","ref":"${uuid}"}`, `{"é\\"":"\\u0031","ref":"${uuid2}"}`],
    ['order_id=17&n=17', 'order_id=901&n=17'],
    [`a text about ${uuid}`, `a text about ${uuid}`],
    ['{"order_id":17', '{"order_id":901'],
  ])('makes the body %s %s', (body, expected) => {
    expect(rewritten(mapOf(), '/', body)[1]).toBe(expected);
  });

  test('gives a number that is a text now its quotes', () => {
    const map = new IdMap();
    map.learn(post('/orders'), [{ ...differs('$.id', '17', uuid), kind: 'type' }]);
    expect(rewritten(map, '/', '{"order_id":17}')[1]).toBe(`{"order_id":"${uuid}"}`);
  });

  test('keeps sessions apart, and learns from what made something alone', () => {
    expect(rewritten(mapOf(), '/orders/17', '', 'other')[0]).toBe('/orders/17');
    const map = new IdMap();
    map.learn(post('/orders', 's', 'GET'), [differs('$.id', '17', '901')]);
    map.learn({ ...post('/orders'), kind: 'noise' }, [differs('$.id', '17', '901')]);
    map.learn(post('/orders', 's', 'POST', { ...created, status: 409 }), [differs('$.id', '17', '901')]);
    map.learn(post('/orders'), [differs('$.id', '17/../..', 'x'), differs('$.id', '17', 'a b')]);
    expect(map.sessions).toBe(0);
  });

  test('forgets the oldest, and takes no time for hostile bodies', () => {
    const map = mapOf();
    for (let index = 0; index < 10_000; index++) map.learn(post('/orders', `session ${index}`), [differs('$.id', '1', '2')]);
    expect(map.sessions).toBe(10_000);
    expect(rewritten(map, '/orders/17')[0]).toBe('/orders/17');
    map.learn(post('/orders'), [differs('$.id', '17', '901')]);
    const hostile = `{"17":"${String.raw`\"`.repeat(400_000)}`;
    expect(rewritten(map, '/', hostile)[1]).toBe(hostile);
    const spaces = `{"17"${' '.repeat(400_000)}"17"`;
    expect(rewritten(map, '/', spaces)[1]).toBe(spaces);
  });
});
