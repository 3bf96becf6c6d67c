import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { ShopAnswers, type ShopRequest } from './shop-answers.ts';

function asked(method: string, target: string, body: unknown = null): ShopRequest {
  const { pathname, searchParams } = new URL(target, 'http://shop');
  return { method, path: pathname, query: searchParams, basket: 'b', body };
}

/** An answer without what differs by itself: times, ids, numbers of orders, the order of sets. */
function steady({ status, body }: { status: number; body: object }, request: ShopRequest): unknown {
  const orders = request.path.startsWith('/api/orders');
  const text = JSON.stringify(body, (name, value: unknown) => {
    if (name === 'meta' || (orders && name === 'id')) return undefined;
    return name === 'tags' ? (value as string[]).toSorted() : value;
  });
  return { status, body: JSON.parse(text) as unknown };
}

const product = fc.integer({ min: 1, max: catalogue.length });
const word = fc.constantFrom('tea', 'cup', 'grey', 'x', '');
const requests = fc.oneof(
  fc.constantFrom('/', '/healthz', '/api/products', '/api/cart', '/api/account', '/api/nothing', '/api/orders/1').map((path) => asked('GET', path)),
  word.map((q) => asked('GET', `/api/search?q=${q}`)),
  fc.tuple(product, fc.integer({ min: 1, max: 2 })).map(([id, quantity]) => asked('POST', '/api/cart/items', { product: id, quantity })),
  fc.constant(asked('POST', '/api/login', { email: 'a@example.org', password: 'p' })),
  fc.constant(asked('POST', '/api/orders', { email: 'a@example.org' })),
);

/** Whether some product is in the basket three times, as far as `before` filled it. */
function hasThree(before: readonly ShopRequest[]): boolean {
  const quantities = new Map<unknown, number>();
  for (const { path, method, body } of before) {
    if (method === 'POST' && path === '/api/orders') quantities.clear();
    if (path !== '/api/cart/items') continue;
    const { product: id, quantity } = body as { product: number; quantity: number };
    quantities.set(id, (quantities.get(id) ?? 0) + quantity);
  }
  return [...quantities.values()].some((quantity) => quantity >= 3);
}

describe('the two editions', () => {
  test('answer alike but for the faults that were planted', () => {
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 30 }), (visit) => {
        const [production, next] = [new ShopAnswers('production'), new ShopAnswers('next')];
        for (const [index, request] of visit.entries()) {
          const answers = [production.answer(request), next.answer(request)].map((answer) => steady(answer, request));
          if (request.path === '/api/cart' && hasThree(visit.slice(0, index))) expect(answers[0]).not.toEqual(answers[1]);
          else expect(answers[0]).toEqual(answers[1]);
        }
      }),
    );
  });

  test('differ in a product\'s stock by its type alone, and in searches for letters beyond ASCII', () => {
    const [production, next] = [new ShopAnswers('production'), new ShopAnswers('next')];
    for (const { id, stock } of catalogue) {
      const request = asked('GET', `/api/products/${id}`);
      expect(production.answer(request).body).toMatchObject({ id, stock });
      expect(next.answer(request).body).toMatchObject({ id, stock: String(stock) });
    }
    const search = asked('GET', '/api/search?q=th%C3%A9');
    expect([production.answer(search).status, next.answer(search).status]).toEqual([200, 500]);
  });

  test('give every answer its own time and id, and the tags of a product in any order', () => {
    const shop = new ShopAnswers('production');
    const answers = Array.from({ length: 20 }, () => shop.answer(asked('GET', '/api/products/5')).body as { meta: { requestId: string }; tags: string[] });
    expect(new Set(answers.map(({ meta }) => meta.requestId)).size).toBe(20);
    expect(new Set(answers.map(({ tags }) => tags.join())).size).toBeGreaterThan(1);
    expect(new Set(answers.map(({ tags }) => tags.toSorted().join())).size).toBe(1);
  });
});
