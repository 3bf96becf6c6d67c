/**
 * The people in the pretend shop: each looks around over one keep-alive connection, with pauses for thought, sometimes
 * buys something, leaves, and is followed by the next one.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostPort } from './mirroring-relay.ts';

/** About 50 requests a second between them. */
const shoppers = 20;
const thinkMsMean = 380;
const answerMsMax = 10_000;

const searches = ['tea', 'cup', 'thé', 'bowl', 'Kännchen', 'tray'];

interface Visit {
  agent: Agent;
  shop: HostPort;
  localAddress: string | undefined;
  cookie: string | undefined;
}

/** Sends people to `shop` until the signal comes; resolves when the last request under way has been answered. */
export async function runShoppers(shop: HostPort, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: shoppers }, (_, index) => runShopper(shop, index, signal)));
}

async function runShopper(shop: HostPort, index: number, signal: AbortSignal): Promise<void> {
  // Only Linux lets a client choose its loopback address without setting it up first.
  const localAddress = process.platform === 'linux' ? `127.0.0.${20 + index}` : undefined;
  while (!signal.aborted) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const visit: Visit = { agent, shop, localAddress, cookie: undefined };
    try {
      for (const [method, path] of itinerary()) {
        await think(signal);
        if (signal.aborted) break;
        await send(visit, method, path);
      }
    } finally {
      agent.destroy();
    }
  }
}

function itinerary(): [method: string, path: string][] {
  const steps: [string, string][] = [
    ['GET', '/'],
    ['GET', '/products'],
  ];
  for (let looks = Math.floor(Math.random() * 5); looks >= 0; looks--) {
    const search = searches[Math.floor(Math.random() * searches.length)] ?? '';
    if (Math.random() < 0.25) steps.push(['GET', `/search?q=${encodeURIComponent(search)}`]);
    steps.push(['GET', `/products/${1 + Math.floor(Math.random() * 9.2)}`]);
  }
  steps.push(['GET', '/cart']);
  if (Math.random() < 0.5) steps.push(['POST', '/orders']);
  return steps;
}

async function think(signal: AbortSignal): Promise<void> {
  const thinkMs = thinkMsMean * (0.2 + Math.random() * 1.6);
  // The only way this delay fails is the signal, which the caller looks at.
  await delay(thinkMs, undefined, { signal }).catch(() => {});
}

function send(visit: Visit, method: string, path: string): Promise<void> {
  const { agent, shop, localAddress, cookie } = visit;
  const body = method === 'POST' ? JSON.stringify({ product: 7, quantity: 1 }) : undefined;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent,
      ...shop,
      method,
      path,
      timeout: answerMsMax,
      ...(localAddress === undefined ? {} : { localAddress }),
      headers: {
        Host: 'shop.example',
        'User-Agent': 'shopper/1.0',
        Accept: 'application/json',
        'X-Request-Id': crypto.randomUUID(),
        ...(cookie === undefined ? {} : { Cookie: cookie }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${answerMsMax} ms`)));
    outgoing.on('response', (response) => {
      const set = response.headers['set-cookie']?.[0];
      if (set !== undefined) visit.cookie = set.split(';', 1)[0];
      response.on('error', reject);
      response.on('end', resolve);
      response.resume();
    });
    outgoing.end(body);
  });
}
