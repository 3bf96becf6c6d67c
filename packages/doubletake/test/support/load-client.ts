/**
 * A program: sends requests to a server and ends when all were answered. Every request has a target of its own.
 *
 *     node load-client.ts URL REQUESTS PREFIX
 *
 * Eight connections are kept alive for most of the requests; every tenth request has a connection of its own, and every
 * fifth is a POST with a body, some of them larger than a packet, some chunked.
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

const [url = '', count = '0', prefix = ''] = process.argv.slice(2);
const keepAlive = new Agent({ keepAlive: true, maxSockets: 8 });
let next = 0;

async function send(index: number): Promise<void> {
  const body = index % 5 === 0 ? Buffer.alloc((index * 37) % 20_000, 'body ') : null;
  const chunked = body !== null && index % 3 === 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const outgoing = request(
    `${url}/${prefix}/${index}`,
    {
      method: body === null ? 'GET' : 'POST',
      agent: index % 10 === 3 ? false : keepAlive,
      headers: body === null ? {} : chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length },
    },
    (response) => {
      text(response).then(() => resolve(), reject);
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body ?? undefined);
  await promise;
}

async function sendInTurn(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other, as a client on one connection does
  while (next < Number(count)) await send(next++);
}

await Promise.all(Array.from({ length: 10 }, sendInTurn));
keepAlive.destroy();
