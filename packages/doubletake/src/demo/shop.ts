/** A pretend shop: a real HTTP server with the answers of one edition (shop-answers.ts). */
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from './listen.ts';
import { type Edition, ShopAnswers, type ShopRequest } from './shop-answers.ts';

export interface Shop {
  readonly port: number;
  /** Requests answered so far. */
  readonly answered: number;
  close(): Promise<void>;
}

/** Starts a shop on a port of the system's choosing on 127.0.0.1. */
export async function startShop(edition: Edition): Promise<Shop> {
  const answers = new ShopAnswers(edition);
  let answered = 0;
  const server = createServer((incoming, response) => {
    response.on('finish', () => answered++);
    void readRequest(incoming).then(
      async (request) => {
        await delay(workMs());
        const { status, body, headers } = answers.answer(request);
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
      },
      // A client that broke off, or sent what is no JSON.
      () => response.destroy(),
    );
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
    get answered() {
      return answered;
    },
    close() {
      closing = true;
      return new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

/** As a service with a database: most answers at once, few that take longer. */
function workMs(): number {
  return 4 + Math.random() * 6 + (Math.random() < 0.05 ? 12 : 0);
}

async function readRequest(incoming: IncomingMessage): Promise<ShopRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://shop');
  const text = (await buffer(incoming)).toString();
  const basket = /(?:^|; )basket=([^;]+)/.exec(incoming.headers.cookie ?? '')?.[1] ?? null;
  const body: unknown = text === '' ? null : JSON.parse(text);
  return { method: incoming.method ?? '', path: pathname, query: searchParams, basket, body };
}
