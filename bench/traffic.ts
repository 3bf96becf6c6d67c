/**
 * Mirrored traffic made from nothing: VXLAN packets of HTTP exchanges on many connections, with sequence numbers that go
 * on for ever. An exchange is four packets: request, its acknowledgement, response, its acknowledgement.
 *
 * Packets are written into the slots of a batch; nothing is allocated for one. A request may carry the time at which it
 * was written (CLOCK_MONOTONIC, which all processes of a machine share), so that a probe can tell how long it took.
 */
import {
  frameHeaderBytes,
  reverseFlow,
  writeFrameHeader,
  writeSegmentFields,
} from '../packages/doubletake/src/demo/frames.ts';
import { TcpFlag } from '../packages/doubletake/src/packets/segment.ts';
import { People } from './people.ts';

/** Where packets are written: slots of equal size in one buffer, the first `count` of them filled. */
export interface PacketBatch {
  readonly bytes: Buffer;
  readonly slotBytes: number;
  readonly lengths: Int32Array;
  count: number;
}

/** Header by which a request carries its time, as 19 digits of nanoseconds; zeros when it carries none. */
export const sentHeader = 'X-Sent-Ns';
const stampDigits = 19;
const numberDigits = 9;

/** What a client asks for: a page, or that an order with personal data be taken. */
export type RequestKind = 'page' | 'order';

/** A request as a browser sends it through a load balancer: 421 bytes. */
const pageText =
  `GET /products/${'0'.repeat(numberDigits)}?ref=newsletter&page=2 HTTP/1.1\r\n` +
  'Host: shop.example.com\r\n' +
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n' +
  'Accept: text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8\r\n' +
  'Accept-Language: en-GB,en;q=0.5\r\n' +
  'Accept-Encoding: gzip, deflate, br\r\n' +
  'Cookie: session=4f9d2c7ab1e04e6c8d7f; theme=dark\r\n' +
  `${sentHeader}: ${'0'.repeat(stampDigits)}\r\n` +
  'X-Forwarded-For: 203.0.113.7\r\n' +
  '\r\n';

/** A number of its own goes into each request, wherever these zeros stand. */
const orderNumber = '0'.repeat(numberDigits);

/** An order of 1 KB with 40 members, of which nine are about somebody: `People` makes them somebody else's. */
const order = JSON.stringify({
  orderNumber: `A-2026-${orderNumber}`,
  createdAt: '2026-11-01T12:00:00Z',
  currency: 'EUR',
  total: 129.9,
  channel: 'web',
  locale: 'de-DE',
  priority: false,
  customer: {
    customerNumber: `C${orderNumber}`,
    firstName: 'Annabaaaa',
    lastName: 'Schmidtbaaaa',
    email: `anna.schmidt.${orderNumber}@mail.example.de`,
    phone: '+49 170 1000000',
    segment: 'returning',
    newsletter: true,
  },
  shippingAddress: { street: 'Hauptstraaaa 12', postalCode: '10000', city: 'Beraaa', country: 'DE' },
  payment: { method: 'card', cardNumber: '4539578763621486', expiry: '2028-04', installments: 1 },
  items: [
    { sku: 'SHOE-42-BLUE', title: 'Running shoe, blue, size 42', quantity: 1, price: 89.95, taxRate: 19 },
    { sku: 'SOCK-3PACK', title: 'Socks, three pairs, white', quantity: 2, price: 19.975, taxRate: 19 },
  ],
  note: 'Please leave the parcel with the neighbour if nobody is at home.',
  coupon: null,
  gift: { wrap: true, message: 'All the best for your birthday!' },
  tracking: { source: 'newsletter', campaign: 'autumn-2026', landingPage: '/shoes/running?colour=blue' },
});

const orderText =
  'POST /api/orders HTTP/1.1\r\n' +
  'Host: shop.example.com\r\n' +
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n' +
  'Accept: application/json\r\n' +
  'Accept-Encoding: gzip, deflate, br\r\n' +
  'Cookie: session=4f9d2c7ab1e04e000000; theme=dark\r\n' +
  `${sentHeader}: ${'0'.repeat(stampDigits)}\r\n` +
  'X-Forwarded-For: 198.51.100.100\r\n' +
  'Content-Type: application/json\r\n' +
  `Content-Length: ${order.length}\r\n` +
  `\r\n${order}`;

export const requestTexts: Readonly<Record<RequestKind, string>> = { page: pageText, order: orderText };

/** What production answers to each request: JSON. */
export const responseBody = JSON.stringify({ products: 'x'.repeat(1_000) });
const responseText =
  'HTTP/1.1 200 OK\r\n' +
  'Server: nginx\r\n' +
  'Date: Sun, 01 Nov 2026 12:00:00 GMT\r\n' +
  'Content-Type: application/json; charset=utf-8\r\n' +
  `Content-Length: ${responseBody.length}\r\n` +
  'Cache-Control: private, max-age=0\r\n' +
  `\r\n${responseBody}`;

/** Large enough for the largest packet made here. */
export const slotBytes = 2_048;

const response = Buffer.from(responseText, 'latin1');
const data = TcpFlag.psh | TcpFlag.ack;

export class Traffic {
  readonly connections: number;
  /** Headers of all connections: client to server, then server to client. */
  readonly #headers: Buffer;
  /** Next sequence numbers: client's, then server's, for each connection. */
  readonly #next: Uint32Array;
  readonly #stampEvery: number;
  readonly #request: Buffer;
  readonly #numberOffsets: readonly number[];
  readonly #stampOffset: number;
  readonly #people: People;
  #requests = 0;

  /** `stampEvery` n puts the time into every nth request; 0 into none. */
  constructor(connections: number, stampEvery: number, kind: RequestKind = 'page') {
    const text = requestTexts[kind];
    this.#request = Buffer.from(text, 'latin1');
    this.#stampOffset = text.indexOf('0'.repeat(stampDigits));
    this.#numberOffsets = Array.from(text.matchAll(new RegExp(`(?<!0)${orderNumber}(?!0)`, 'g')), ({ index }) => index);
    this.#people = new People(text);
    this.connections = connections;
    this.#stampEvery = stampEvery;
    this.#headers = Buffer.alloc(connections * 2 * frameHeaderBytes);
    this.#next = new Uint32Array(connections * 2);
    for (let connection = 0; connection < connections; connection++) {
      const flow = {
        vni: 1,
        sourceAddress: 0x0a02_0000 + 2 + (connection % 50_000),
        sourcePort: 1_024 + (connection % 60_000),
        destinationAddress: 0x0a01_000a,
        destinationPort: 80,
      };
      writeFrameHeader(this.#headers, connection * 2 * frameHeaderBytes, flow);
      writeFrameHeader(this.#headers, (connection * 2 + 1) * frameHeaderBytes, reverseFlow(flow));
      this.#next[connection * 2] = Math.imul(connection + 1, 0x9e37_79b1);
      this.#next[connection * 2 + 1] = Math.imul(connection + 1, 0x85eb_ca6b);
    }
  }

  /** SYN, SYN-ACK, ACK: three packets. */
  open(connection: number, batch: PacketBatch): void {
    this.#write(batch, connection * 2, TcpFlag.syn, null);
    this.#next[connection * 2]++;
    this.#write(batch, connection * 2 + 1, TcpFlag.syn | TcpFlag.ack, null);
    this.#next[connection * 2 + 1]++;
    this.#write(batch, connection * 2, TcpFlag.ack, null);
  }

  /** A request and its acknowledgement: two packets. */
  request(connection: number, batch: PacketBatch): void {
    const request = this.#request;
    const stampOffset = this.#stampOffset;
    for (const offset of this.#numberOffsets) writeDigits(request, offset, numberDigits, this.#requests % 1e9);
    this.#people.write(request, this.#requests, connection);
    const stamped = this.#stampEvery > 0 && this.#requests % this.#stampEvery === 0;
    if (stamped) request.write(process.hrtime.bigint().toString().padStart(stampDigits, '0'), stampOffset, 'latin1');
    this.#requests++;
    this.#write(batch, connection * 2, data, request);
    if (stamped) request.fill('0', stampOffset, stampOffset + stampDigits);
    this.#next[connection * 2] += request.length;
    this.#write(batch, connection * 2 + 1, TcpFlag.ack, null);
  }

  /** The response and its acknowledgement: two packets. */
  response(connection: number, batch: PacketBatch): void {
    this.#write(batch, connection * 2 + 1, data, response);
    this.#next[connection * 2 + 1] += response.length;
    this.#write(batch, connection * 2, TcpFlag.ack, null);
  }

  #write(batch: PacketBatch, sender: number, flags: number, payload: Buffer | null): void {
    const at = batch.count * batch.slotBytes;
    const header = sender * frameHeaderBytes;
    this.#headers.copy(batch.bytes, at, header, header + frameHeaderBytes);
    const length = payload === null ? 0 : payload.copy(batch.bytes, at + frameHeaderBytes);
    const acknowledgement = (flags & TcpFlag.ack) === 0 ? 0 : this.#next[sender ^ 1];
    writeSegmentFields(batch.bytes, at, this.#next[sender], acknowledgement, flags, length);
    batch.lengths[batch.count++] = frameHeaderBytes + length;
  }
}

function writeDigits(bytes: Buffer, offset: number, digits: number, number: number): void {
  for (let at = offset + digits - 1, rest = number; at >= offset; at--, rest = Math.floor(rest / 10)) {
    bytes[at] = 48 + (rest % 10);
  }
}
