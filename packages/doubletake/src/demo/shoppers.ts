/**
 * The people in the pretend shop: each looks around over one keep-alive connection, with pauses for thought, searches,
 * fills a basket, signs in, perhaps buys and looks what became of it, leaves, and is followed by the next one. Beside them
 * a load balancer that asks whether the shop is alive.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostPort } from '../host-port.ts';
import { catalogue } from './catalogue.ts';

/** About 150 requests a second between them. */
const shoppers = 40;
const thinkMsMean = 250;
const probeEveryMs = 1_000;
const answerMsMax = 10_000;

const searches = ['tea', 'cup', 'thé', 'bowl', 'Kännchen', 'tray', 'Früchte', 'grey', 'spoon', 'milk', 'sencha'];
const people = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Hedy Lamarr', 'Katherine Johnson', 'Edsger Dijkstra'];
const streets = ['Rue de la Paix', 'Unter den Linden', 'Baker Street', 'Gran Vía'];
/** Numbers that card networks give out for tests. */
const cards = ['4111111111111111', '5555555555554444', '378282246310005'];

interface Asked {
  status: number;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** Sends people to `shop` until the signal comes; resolves when the last request under way has been answered. */
export async function runShoppers(shop: HostPort, signal: AbortSignal): Promise<void> {
  await Promise.all([probe(shop, signal), ...Array.from({ length: shoppers }, (_, index) => runShopper(shop, index, signal))]);
}

async function runShopper(shop: HostPort, index: number, signal: AbortSignal): Promise<void> {
  // Only Linux lets a client choose its loopback address without setting it up first.
  const localAddress = process.platform === 'linux' ? `127.0.0.${20 + index}` : undefined;
  // Not all at once.
  await pause(Math.random() * thinkMsMean, signal);
  while (!signal.aborted) {
    const client = new Client(shop, localAddress, 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0');
    try {
      for (const step of visit()) {
        await pause(thinkMsMean * (0.2 + Math.random() * 1.6), signal);
        if (signal.aborted) break;
        await step(client);
      }
    } finally {
      client.leave();
    }
  }
}

type Step = (client: Client) => Promise<unknown>;

const get = (path: string): Step => (client) => client.ask('GET', path);
const post = (path: string, body: object): Step => (client) => client.ask('POST', path, body);

/** What one visitor does, in order. */
function visit(): Step[] {
  const steps: Step[] = [get('/'), get('/api/products')];
  const person = any(people);
  const email = `${person.toLowerCase().replace(' ', '.')}.${Math.floor(Math.random() * 1e4)}@mail.example.org`;
  for (let looks = Math.floor(Math.random() * 3); looks >= 0; looks--) {
    if (Math.random() < 0.5) steps.push(get(`/api/search?q=${encodeURIComponent(any(searches))}`));
    const product = any(catalogue).id;
    steps.push(get(`/api/products/${product}`));
    if (Math.random() < 0.6) {
      steps.push(post('/api/cart/items', { product, quantity: any([1, 1, 2, 3]) }), get('/api/cart'));
    }
  }
  if (Math.random() < 0.4) steps.push(post('/api/login', { email, password: `hunter${Math.floor(Math.random() * 1e6)}` }), get('/api/account'));
  if (Math.random() < 0.5) steps.push((client) => buy(client, person, email));
  return steps;
}

/** Buys what is in the basket, and looks at the order. */
async function buy(client: Client, fullName: string, email: string): Promise<void> {
  const street = `${any(streets)} ${1 + Math.floor(Math.random() * 90)}`;
  const card = { number: any(cards), cvv: String(100 + Math.floor(Math.random() * 900)) };
  const { status, headers } = await client.ask('POST', '/api/orders', { fullName, email, address: { street, postalCode: '10115', city: 'Berlin' }, card });
  if (status === 201 && headers.location !== undefined) await client.ask('GET', headers.location);
}

async function probe(shop: HostPort, signal: AbortSignal): Promise<void> {
  const client = new Client(shop, undefined, 'ELB-HealthChecker/2.0');
  while (!signal.aborted) {
    await client.ask('GET', '/healthz');
    await pause(probeEveryMs, signal);
  }
  client.leave();
}

/** One visitor's connection and basket. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #to: object;
  readonly #headers: Record<string, string>;

  constructor(shop: HostPort, localAddress: string | undefined, userAgent: string) {
    this.#to = { ...shop, ...(localAddress === undefined ? {} : { localAddress }) };
    this.#headers = { Host: 'shop.example', 'User-Agent': userAgent, Accept: 'application/json' };
  }

  /** Rejects when there is no answer: production is expected to answer always. */
  async ask(method: string, path: string, body?: object): Promise<Asked> {
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { ...this.#headers, ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': text.length }) };
    const outgoing = request({ agent: this.#agent, ...this.#to, method, path, timeout: answerMsMax, headers }, resolve);
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${answerMsMax} ms`)));
    outgoing.end(text);
    const response = await promise;
    const answer: unknown = JSON.parse((await buffer(response)).toString());
    const set = response.headers['set-cookie']?.[0];
    if (set !== undefined) this.#headers['Cookie'] = set.split(';', 1)[0] ?? '';
    return { status: response.statusCode ?? 0, headers: response.headers, body: answer };
  }

  leave(): void {
    this.#agent.destroy();
  }
}

/** One of a list that has some. */
function any<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)];
}

/** The only way it fails is the signal, which the caller looks at. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
