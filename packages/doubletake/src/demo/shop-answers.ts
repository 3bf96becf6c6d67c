/**
 * What the pretend shop answers, in two editions: the one that runs in production, and the next version, in which three
 * things are broken for the demo to bring to light (`planted`). In both, two things differ from answer to answer that are
 * no fault (`harmless`). Pure, but for the made-up ids, times and orders that are the point of it.
 */
import { randomUUID } from 'node:crypto';
import { catalogue, productOf } from './catalogue.ts';

export type Edition = 'production' | 'next';

/** A difference, as a report names its place, and what it is to people. */
export interface Known {
  endpoint: string;
  path: string;
  text: string;
}

/** What is broken in the next version. */
export const planted: readonly Known[] = [
  { endpoint: 'GET /api/search', path: 'status', text: 'the search fails on letters such as é and ü' },
  { endpoint: 'GET /api/products/{id}', path: '$.stock', text: 'the stock has become a text' },
  { endpoint: 'GET /api/cart', path: '$.total', text: 'the discount for three of a kind is forgotten' },
];

/** What differs by itself. */
export const harmless: readonly { path: string; text: string }[] = [
  { path: 'meta', text: 'every answer has its own time and request id' },
  { path: 'tags', text: 'a product\'s tags are a set, and come in any order' },
];

export interface ShopRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Of the basket's cookie; null for somebody who has none. */
  basket: string | null;
  /** Parsed JSON, null where there is none. */
  body: unknown;
}

export interface ShopAnswer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

interface Basket {
  /** Quantities by product. */
  items: Map<number, number>;
  email: string | null;
}

interface Order {
  email: string;
  items: number;
}

/** Baskets and orders that are remembered; the oldest are forgotten. */
const rememberedMax = 20_000;
const currency = 'EUR';

export class ShopAnswers {
  readonly #edition: Edition;
  readonly #baskets = new Map<string, Basket>();
  readonly #orders = new Map<number, Order>();
  #nextOrder: number;

  constructor(edition: Edition) {
    this.#edition = edition;
    // Each version has a database of its own, and its own numbers.
    this.#nextOrder = edition === 'production' ? 41_007 : 700_300;
  }

  answer(request: ShopRequest): ShopAnswer {
    const { method, path, query } = request;
    const [, place = '', id] = /^\/api\/(products|orders)\/(\d+)$/.exec(path) ?? [];
    if (method === 'GET' && id !== undefined) return place === 'products' ? this.#product(Number(id)) : this.#order(Number(id));
    switch (`${method} ${path}`) {
      case 'GET /':
        return this.#welcome(request);
      case 'GET /healthz':
        return { status: 200, body: { status: 'ok' } };
      case 'GET /api/products':
        return found({ products: catalogue.map(({ id: product, title, priceCents, tags }) => ({ id: product, title, price: price(priceCents), tags: shuffled(tags) })) });
      case 'GET /api/search':
        return this.#search(query.get('q') ?? '');
      case 'GET /api/cart':
        return this.#cart(request);
      case 'POST /api/cart/items':
        return this.#add(request);
      case 'POST /api/login':
        return this.#login(request);
      case 'GET /api/account':
        return this.#account(request);
      case 'POST /api/orders':
        return this.#buy(request);
      default:
        return failed(404, 'there is nothing here');
    }
  }

  #welcome({ basket }: ShopRequest): ShopAnswer {
    const answer = found({ shop: 'Tea for Two', products: catalogue.length, currency });
    if (basket !== null) return answer;
    return { ...answer, headers: { 'Set-Cookie': `basket=${randomUUID()}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax` } };
  }

  #product(id: number): ShopAnswer {
    const product = productOf(id);
    if (product === undefined) return failed(404, 'there is no such product');
    const { title, priceCents, stock, tags } = product;
    return found({ id, title, price: price(priceCents), currency, stock: this.#edition === 'next' ? String(stock) : stock, tags: shuffled(tags) });
  }

  #search(words: string): ShopAnswer {
    if (this.#edition === 'next' && /\P{ASCII}/u.test(words)) return failed(500, 'cannot encode');
    const hits = catalogue.filter(({ title }) => title.toLowerCase().includes(words.toLowerCase()));
    return found({ q: words, hits: hits.map(({ id, title, priceCents }) => ({ id, title, price: price(priceCents) })) });
  }

  #cart(request: ShopRequest): ShopAnswer {
    const basket = this.#basketOf(request);
    if (basket === null) return failed(401, 'there is no basket');
    const items = [...basket.items].map(([product, quantity]) => ({ product, quantity, sum: price(this.#sumCents(product, quantity)) }));
    const totalCents = [...basket.items].reduce((sum, [product, quantity]) => sum + this.#sumCents(product, quantity) - this.#discountCents(product, quantity), 0);
    return found({ items, total: price(totalCents), currency });
  }

  #add(request: ShopRequest): ShopAnswer {
    const basket = this.#basketOf(request);
    const { product, quantity } = Object(request.body) as { product?: unknown; quantity?: unknown };
    if (basket === null) return failed(401, 'there is no basket');
    if (productOf(Number(product)) === undefined || !Number.isInteger(quantity)) return failed(400, 'which product, and how many?');
    basket.items.set(Number(product), (basket.items.get(Number(product)) ?? 0) + Number(quantity));
    return found({ lines: basket.items.size });
  }

  #login(request: ShopRequest): ShopAnswer {
    const basket = this.#basketOf(request);
    const { email } = Object(request.body) as { email?: unknown };
    if (basket === null || typeof email !== 'string') return failed(400, 'who are you?');
    basket.email = email;
    return found({ signedIn: true, email });
  }

  #account(request: ShopRequest): ShopAnswer {
    const email = this.#basketOf(request)?.email ?? null;
    return email === null ? failed(401, 'not signed in') : found({ email, newsletter: false });
  }

  #buy(request: ShopRequest): ShopAnswer {
    const basket = this.#basketOf(request);
    if (basket === null || basket.items.size === 0) return failed(409, 'the basket is empty');
    const { email } = Object(request.body) as { email?: unknown };
    const id = this.#nextOrder++;
    remember(this.#orders, id, { email: String(email), items: basket.items.size });
    basket.items.clear();
    return { ...found({ id, status: 'received', email: String(email) }), status: 201, headers: { Location: `/api/orders/${id}` } };
  }

  #order(id: number): ShopAnswer {
    const order = this.#orders.get(id);
    return order === undefined ? failed(404, 'there is no such order') : found({ id, status: 'received', ...order });
  }

  /** A basket is made when its cookie is first seen: a test environment has not seen who came before. */
  #basketOf({ basket }: ShopRequest): Basket | null {
    if (basket === null) return null;
    const known = this.#baskets.get(basket);
    if (known !== undefined) return known;
    const made = { items: new Map<number, number>(), email: null };
    remember(this.#baskets, basket, made);
    return made;
  }

  #sumCents(product: number, quantity: number): number {
    return (productOf(product)?.priceCents ?? 0) * quantity;
  }

  /** Every third of a kind is half the price. */
  #discountCents(product: number, quantity: number): number {
    if (this.#edition === 'next') return 0;
    return Math.floor(quantity / 3) * Math.round((productOf(product)?.priceCents ?? 0) / 2);
  }
}

function found(body: object): ShopAnswer {
  return { status: 200, body: { ...body, meta: { requestId: randomUUID(), servedAt: new Date().toISOString() } } };
}

function failed(status: number, error: string): ShopAnswer {
  return { status, body: { error } };
}

function price(cents: number): number {
  return cents / 100;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values.map((value) => ({ value, at: Math.random() })).toSorted((a, b) => a.at - b.at).map(({ value }) => value);
}

function remember<Key, Value>(values: Map<Key, Value>, key: Key, value: Value): void {
  values.set(key, value);
  for (const oldest of values.keys()) {
    if (values.size <= rememberedMax) break;
    values.delete(oldest);
  }
}
