/**
 * What recording costs: processor time for each exchange from the worker to the disk, all threads, how small the
 * recording is, and how fast and in how much memory it is read again.
 *
 *     npx node bench/recording.ts [EXCHANGES] [--read-gib N]
 *
 * With --read-gib a recording of that size on the disk, of bodies that cannot be compressed, is written and read, too.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ExchangeRecorder } from '../packages/doubletake/src/engine/exchange-recorder.ts';
import { RecordSender } from '../packages/doubletake/src/engine/record-sender.ts';
import { RecordingHandle } from '../packages/doubletake/src/engine/recording-handle.ts';
import { ledgerLayout } from '../packages/doubletake/src/engine/ledger-layout.ts';
import type { Body, Exchange, Message } from '../packages/doubletake/src/http/exchange.ts';
import { headOf } from '../packages/doubletake/src/policy/message-edit.ts';
import { openRecording } from '../packages/doubletake/src/recording/recording.ts';
import { RecordingWriter } from '../packages/doubletake/src/recording/recording-writer.ts';
import { Connection } from '../packages/doubletake/src/tcp/connection.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { 'read-gib': { type: 'string' } } });
const exchanges = Number(positionals[0] ?? 200_000);
const folder = mkdtempSync(join(tmpdir(), 'doubletake-bench-'));
const pool = Math.min(exchanges, 20_000);
const connections = Array.from({ length: 1_000 }, (_, number) => {
  const addresses = Int32Array.of(0, 0, 0xffff, 0x0a00_0000 + number, 0, 0, 0xffff, 0x0a00_0102);
  return new Connection<unknown>(number + 1, 0, 0, addresses, [40_000 + number, 80], 0);
});

/** A shop's JSON: each exchange with a path, a session, a token, ids and values of its own. */
function shopExchange(number: number): Exchange {
  const id = Math.floor(Math.random() * 1e6);
  const kind = ['users', 'orders', 'products', 'carts'][number % 4] ?? '';
  const head =
    `GET /api/v1/${kind}/${id}?page=${number % 7} HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12${number % 9}.0 Safari/537.36\r\n` +
    `Accept: application/json\r\nAccept-Encoding: identity\r\nAccept-Language: en-GB,en;q=0.8\r\nCookie: session=${randomBytes(16).toString('hex')}\r\nX-Request-Id: ${randomBytes(8).toString('hex')}\r\n\r\n`;
  const items = Array.from({ length: 5 + (id % 10) }, (_, position) => ({
    id: Math.floor(Math.random() * 1e7),
    position,
    name: `${['Blue', 'Red', 'Green', 'Heavy', 'Light'][id % 5]} ${['chair', 'table', 'lamp', 'shelf'][(id + position) % 4]}`,
    price: { amount: Math.floor(Math.random() * 1e5) / 100, currency: 'EUR' },
    available: position % 3 > 0,
    tags: ['home', 'office', 'sale'].slice(0, 1 + (position % 3)),
    updatedAt: new Date(1.79e12 + number * 137 + position).toISOString(),
  }));
  const body = Buffer.from(JSON.stringify({ id, kind, total: items.length, items, links: { self: `/api/v1/${kind}/${id}`, next: null } }));
  const answer = `HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: ${new Date(1.79e12 + number * 100).toUTCString()}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nETag: "${randomBytes(6).toString('hex')}"\r\nCache-Control: private, max-age=0\r\n\r\n`;
  return {
    connection: connections[number % connections.length],
    client: 0,
    index: Math.floor(number / connections.length),
    request: message('request', head, Buffer.alloc(0), 0),
    response: message('response', answer, body, 2_000),
    fidelity: 0,
  };
}

function message(kind: 'request' | 'response', head: string, content: Buffer, afterUs: number): Message {
  const found = headOf(kind, Buffer.from(head, 'latin1'));
  if (found === null) throw new Error('the bench made a head that is none');
  const body: Body = { framing: content.length > 0 ? 'length' : 'none', bytes: content.length, sha256: null, wire: [content], wireBytes: content.length, tooLarge: false };
  return { head: found.head, body, startUs: afterUs, endUs: afterUs, startSequence: 0, endSequence: 0, outcome: 'complete', ambiguity: null };
}

async function write(directory: string, key: string | null): Promise<void> {
  const made = Array.from({ length: pool }, (_, number) => shopExchange(number));
  const rawOf = ({ request, response }: Exchange): number => request.head.bytes.length + (response === null ? 0 : response.head.bytes.length + response.body.wireBytes);
  const layout = ledgerLayout({ sources: [], targets: [], filters: [], records: true });
  const row = layout.createRow();
  const handle = new RecordingHandle(1, { warning: (text) => console.error(text), notice: () => {} });
  await handle.start({ directory, key, rotateBytes: 268_435_456, rotateMs: 3_600_000, retain: { ageMs: null, bytes: null } });
  const sender = new RecordSender(handle.ports[0], layout, row);
  const recorder = new ExchangeRecorder(sender, 'bench');
  // What the HTTP stage makes anyway.
  const next = (number: number): Exchange => {
    const { request, response, ...rest } = made[number % pool];
    const startUs = 1.79e15 + number * 100;
    return { ...rest, index: Math.floor(number / connections.length), request: { ...request, startUs, endUs: startUs }, response: response && { ...response, startUs: startUs + 2_000, endUs: startUs + 2_100 } };
  };
  let raw = 0;
  let before = process.cpuUsage();
  for (let number = 0; number < exchanges; number++) raw += rawOf(next(number));
  const without = process.cpuUsage(before);
  before = process.cpuUsage();
  for (let number = 0; number < exchanges; number++) {
    const exchange = next(number);
    recorder.begin(exchange, exchange, null, 1, null);
    recorder.answered(exchange);
    if (!recorder.room) await recorder.waitForRoom();
  }
  await sender.close(60_000);
  await handle.close();
  const { user, system } = process.cpuUsage(before);
  const recording = await openRecording([directory], { key });
  console.log(`${key === null ? 'plain' : 'encrypted'}: ${exchanges} exchanges of ${Math.round(raw / exchanges)} bytes: ${((user + system - without.user - without.system) / exchanges).toFixed(2)} µs of CPU each, all threads; ${((100 * recording.bytes) / raw).toFixed(1)} % of the raw size`);
}

async function read(directory: string): Promise<void> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  const recording = await openRecording([directory]);
  let count = 0;
  let bytes = 0;
  let peakMb = 0;
  let lastUs = 0;
  for await (const { request, response } of recording) {
    if (request.startUs < lastUs) throw new Error('out of order');
    lastUs = request.startUs;
    bytes += request.head.length + (response?.body?.length ?? 0);
    if (++count % 10_000 === 0) peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1_048_576);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(before);
  console.log(`read ${count} exchanges, ${Math.round(recording.bytes / 1_048_576)} MiB on the disk, ${Math.round(bytes / 1_048_576)} MiB of messages: ${Math.round(count / seconds)}/s, ${((user + system) / count).toFixed(2)} µs of CPU each, at most ${Math.round(peakMb)} MiB resident`);
}

async function writeLarge(directory: string, gib: number): Promise<void> {
  const noise = randomBytes(67_108_864);
  const writer = new RecordingWriter({ directory });
  const { request, response } = shopExchange(0);
  const connection = { key: 'one', label: 'a>b', client: { address: '10.0.0.1', port: 1 }, server: { address: '10.0.0.2', port: 80 }, tunnel: 0, vlan: 0 };
  const bodyBytes = 4_096;
  const count = Math.ceil((gib * 1_073_741_824) / bodyBytes);
  for (let index = 0; index < count; index++) {
    // Some are answered late, so that the times of blocks overlap as they do in life.
    const startUs = 1.79e15 + index * 50 - (index % 97 === 0 ? Math.min(index * 50, 20_000_000) : 0);
    const offset = (index * 131_071) % (noise.length - bodyBytes);
    const common = { startUs, endUs: startUs, framing: 'length', outcome: 'complete' } as const;
    writer.append({
      connection,
      index,
      request: { ...common, head: request.head.bytes, body: null, bodyBytes: 0 },
      response: response && { ...common, head: response.head.bytes, body: noise.subarray(offset, offset + bodyBytes), bodyBytes },
      fidelity: 0,
      probability: 1,
    });
  }
  writer.close();
}

try {
  await write(join(folder, 'warm-up'), null);
  await write(join(folder, 'plain'), null);
  await write(join(folder, 'encrypted'), 'a key of the bench alone');
  await read(join(folder, 'plain'));
  const gib = Number(values['read-gib'] ?? 0);
  if (gib > 0) {
    await writeLarge(join(folder, 'large'), gib);
    await read(join(folder, 'large'));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
