/**
 * A small order service over HTTP, in two versions that are to answer alike. Both know the same orders, customers and
 * products, made up from their numbers. Both answer with what is never the same twice: identifiers, times, tokens,
 * counters, sets in any order. In `after` twenty things are broken, each where `either` tells the versions apart.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { listen } from './replay-servers.ts';

export type Version = 'before' | 'after';

export interface OrderService {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  status?: number;
  headers?: OutgoingHttpHeaders;
  /** Text is sent as it is, anything else as JSON. */
  body: unknown;
  gzip?: boolean;
  workMs?: number;
}

type Route = (id: number) => Answer;

/** Every answer takes so long at least, that the machine's own hesitation weighs little. */
const workMs = 25;

/** Starts a version on a port of the system's choosing on 127.0.0.1. */
export async function startOrderService(version: Version): Promise<OrderService> {
  const routes = routesOf(version);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void answerTo(request, routes).then(({ status = 200, headers, body, gzip = false }) => {
      const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'X-Request-Id': randomUUID(),
        ...headers,
        ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
      });
      response.end(gzip ? gzipSync(text) : text);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function answerTo(request: IncomingMessage, routes: Readonly<Record<string, Route>>): Promise<Answer> {
  await buffer(request);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://orders');
  const [, first, id, second] = pathname.split('/');
  const name = [first, ...(id === undefined ? [] : ['*']), ...(second === undefined ? [] : [second])].join('/');
  const route = routes[`${request.method} /${name}`];
  const answer = route?.(Number(id ?? searchParams.get('page') ?? 0)) ?? { status: 404, body: { error: 'not found' } };
  await delay(answer.workMs ?? workMs);
  return answer;
}

const hex = (digits: number): string => randomBytes(digits / 2).toString('hex');
const token = (): string => randomBytes(24).toString('base64url');
const byChance = (): boolean => randomInt(2) === 1;

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(randomInt(left.length), 1));
}

/** Milliseconds since the epoch of something that happened to the thing with this number. */
function momentOf(id: number): number {
  return Date.UTC(2026, 2, 1, 9) + id * 5_400_000;
}

function productOf(id: number): { id: number; name: string; cents: number } {
  return { id, name: ['teapot', 'kettle', 'cup', 'tray', 'strainer'][id % 5], cents: 450 + id * 37 };
}

function routesOf(version: Version): Record<string, Route> {
  const either = <T, U>(before: T, after: U): T | U => (version === 'before' ? before : after);
  let requests = randomInt(1_000);
  return {
    'GET /orders/*': (id) => ({
      body: {
        id,
        reference: `R-${1_000 + id * 7}`,
        customerId: either(500 + id, String(500 + id)),
        currency: either('EUR', undefined),
        paid: id % 3 === 0,
        traceId: hex(32),
      },
    }),
    'GET /orders': (page) => ({
      body: {
        page,
        orders: Array.from({ length: either(10, 9) }, (_, index) => ({ id: page * 10 + index, paid: index % 3 === 0 })),
      },
    }),
    'POST /orders': () => {
      const id = randomInt(100_000, 1_000_000);
      return { status: either(201, 200), headers: { Location: `/orders/${id}` }, body: { id, state: 'new' } };
    },
    'GET /orders/*/history': (id) => {
      const events = ['placed', 'paid', 'packed', 'sent'].map((state, index) => ({ state, at: new Date(momentOf(id + index)).toISOString() }));
      return { body: { events: either(events, events.toReversed()) } };
    },
    'GET /orders/*/invoice': (id) => ({
      body: {
        order: id,
        vat: either(Math.round(id * 233.7) / 100, Math.round(id * 23.37) / 10),
        // The same three, added up in any order.
        share: shuffled([0.1, 0.2, 0.3]).reduce((sum, part) => sum + part, 0),
        renderedAt: new Date().toISOString(),
        download: token(),
      },
    }),
    'GET /customers/*': (id) => {
      const name = `Zoë Größ ${id}`;
      return {
        body: {
          id,
          name: either(name, Buffer.from(name).toString('latin1')),
          phone: either(`+49 30 ${10_000 + id}`, null),
          passwordHash: either(undefined, `$2b$10$${'x'.repeat(30)}${id}`),
          segments: shuffled(['retail', 'newsletter', 'vip']),
          seenAt: Math.floor(Date.now() / 1_000),
        },
      };
    },
    'GET /products/*': (id) => ({
      headers: { 'Cache-Control': either('private, no-store', 'public, max-age=3600'), ETag: `"${hex(16)}"` },
      body: {
        ...productOf(id),
        description: either(`The ${productOf(id).name} number ${id}, made of clay`, `The ${productOf(id).name} number ${id}, ma…`),
      },
    }),
    'GET /prices/*': (id) => ({
      gzip: byChance(),
      body: { product: id, price: either(productOf(id).cents / 100, productOf(id).cents) },
    }),
    'GET /stock/*': (id) => {
      const left = id % 4;
      const headers = { 'Server-Timing': `db;dur=${randomInt(1, 90)}` };
      return left === 0 ? { status: either(200, 500), headers, body: either({ left }, { error: 'divided by 0' }) } : { headers, body: { left } };
    },
    'GET /shipments/*': (id) => ({
      headers: either({ 'X-Carrier': `carrier ${id % 3}` }, {}),
      body: {
        id,
        sentAt: new Date(momentOf(id) + either(0, 3_600_000)).toISOString(),
        ...(byChance() ? { notice: 'late because of snow' } : {}),
      },
    }),
    'GET /session': () => ({
      headers: {
        'Set-Cookie': `session=${token()}; Path=/; ${either('HttpOnly; ', '')}Secure; Expires=${new Date(Date.now() + 3_600_000).toUTCString()}`,
      },
      body: { user: 'anonymous' },
    }),
    'GET /search': () => ({
      gzip: true,
      workMs: either(workMs, 10 * workMs),
      body: { tookMs: randomInt(40), found: [1, 2, 3].map(productOf) },
    }),
    'GET /catalog/*': (id) => ({
      headers: { 'Content-Type': 'application/xml' },
      body:
        `<?xml version="1.0"?><catalog made="${new Date().toISOString()}"><product id="${id}">` +
        `<price${either(' currency="EUR"', '')}>${productOf(id).cents / 100}</price></product></catalog>`,
    }),
    'GET /help/*': (id) => ({
      headers: { 'Content-Type': 'text/html; charset=utf-8' },
      body:
        `<!doctype html><title>Help</title><h1>${either('Cups &amp; pots', 'Cups &amp;amp; pots')}, part ${id}</h1>` +
        `<form method="post"><input type="hidden" name="csrf" value="${token()}"></form>`,
    }),
    'GET /exports/*': (id) => ({
      headers: { 'Content-Type': 'text/csv' },
      body: ['id,cents', ...Array.from({ length: either(4, 3) }, (_, index) => `${id + index},${productOf(id + index).cents}`)].join('\n'),
    }),
    'GET /recommendations/*': (id) => ({
      body: {
        for: id,
        products: shuffled([1, 2, 3, 4, 5, 6, 7, 8])
          .slice(0, randomInt(3, 6))
          .map((each) => ({ ...productOf(each), addedAt: new Date(momentOf(each)).toISOString() })),
      },
    }),
    'GET /status': () => ({ body: { healthy: true, requests: ++requests } }),
  };
}
