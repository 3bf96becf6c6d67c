/**
 * A pretend shop: a real HTTP server small enough to read. It comes in two editions: the one that runs in production,
 * and the next version, which has a fault for the demo to bring to light: its search fails on letters outside ASCII.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from './listen.ts';

export type Edition = 'production' | 'next';

/** One answered request, as the shop's own access log would tell it. */
export interface Answered {
  /** The request's `X-Request-Id`, which is the same for a request and its replay. */
  id: string;
  method: string;
  path: string;
  status: number;
  durationMs: number;
}

export interface Shop {
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body: unknown;
  cookie?: string;
}

const products = ['teapot', 'kettle', 'cup', 'saucer', 'strainer', 'tray', 'tea cosy', 'milk jug', 'sugar bowl'].map(
  (name, index) => ({ id: index + 1, name, price: 4.5 + index * 3 }),
);

/** Starts a shop on a port of the system's choosing on 127.0.0.1. */
export async function startShop(edition: Edition, onAnswered: (answered: Answered) => void): Promise<Shop> {
  const server = createServer((request, response) => {
    const startMs = performance.now();
    response.on('finish', () => {
      onAnswered({
        id: String(request.headers['x-request-id'] ?? ''),
        method: request.method ?? '',
        path: request.url ?? '',
        status: response.statusCode,
        durationMs: performance.now() - startMs,
      });
    });
    request.resume();
    setTimeout(() => {
      const { status, body, cookie } = answer(edition, request);
      response.writeHead(status, {
        'Content-Type': 'application/json',
        ...(cookie === undefined ? {} : { 'Set-Cookie': cookie }),
      });
      response.end(JSON.stringify(body));
    }, thinkingMs(edition));
  });
  // Not `closeAllConnections`: it misses a connection that was taken and has not been announced yet.
  const sockets = new Set<Socket>();
  let closing = false;
  server.on('connection', (socket) => {
    if (closing) socket.destroy();
    else sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  const { port } = await listen(server, 0, '127.0.0.1');
  return {
    port,
    close() {
      closing = true;
      return new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

function thinkingMs(edition: Edition): number {
  return (edition === 'production' ? 4 : 2) + Math.random() * 8;
}

function answer(edition: Edition, request: IncomingMessage): Answer {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop');
  const route = `${request.method} ${pathname}`;
  const session = /(?:^|; )session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const productId = /^GET \/products\/(\d+)$/.exec(route)?.[1];
  if (productId !== undefined) {
    const product = products[Number(productId) - 1];
    return product ? { status: 200, body: product } : { status: 404, body: { error: 'no such product' } };
  }
  switch (route) {
    case 'GET /':
      return { status: 200, body: { shop: 'Tea for Two', edition }, cookie: `session=${Date.now().toString(36)}` };
    case 'GET /products':
      return { status: 200, body: products };
    case 'GET /cart':
      return session === undefined
        ? { status: 401, body: { error: 'who are you?' } }
        : { status: 200, body: { session, items: [products[0]] } };
    case 'GET /search': {
      const words = searchParams.get('q') ?? '';
      if (edition === 'next' && /\P{ASCII}/u.test(words)) return { status: 500, body: { error: 'cannot encode' } };
      return { status: 200, body: products.filter(({ name }) => name.includes(words)) };
    }
    case 'POST /orders':
      return { status: 201, body: { order: Math.floor(Math.random() * 1e6) } };
    default:
      return { status: 404, body: { error: 'not found' } };
  }
}
