/**
 * A process that answers as a small application does: node:http, a JSON text of about 1 KB made for each request. Prints
 * its port and that on which it says how many requests it has got.
 */
import { createServer } from 'node:http';
import { listen } from '../packages/doubletake/src/demo/listen.ts';

let requests = 0;
const server = createServer((request, response) => {
  const lines = Array.from({ length: 12 }, (_, index) => ({ sku: `tea-${(requests + index) % 97}`, quantity: 1 + (index % 3), price: 4.5 + index, note: request.url }));
  requests++;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ number: requests, lines }));
});
server.keepAliveTimeout = 60_000;
const counter = createServer((_, response) => response.end(String(requests)));
const [{ port }, { port: countPort }] = [await listen(server, 0, '127.0.0.1'), await listen(counter, 0, '127.0.0.1')];
process.stdout.write(`${JSON.stringify({ port, countPort })}\n`);
