/** Recorded exchanges for tests: any that production could have served, or those whose bytes are given. */
import * as fc from 'fast-check';
import { ExchangeParser } from '../../src/recording/formats/exchange-parser.ts';
import { isExchange, type TrafficItem, type TrafficReader, type EntryProblem } from '../../src/recording/formats/traffic.ts';
import type { RecordedConnection, RecordedExchange } from '../../src/recording/recorded-exchange.ts';

const startUs = 1_790_000_000_000_000;

export function connectionBetween(client: string, server: string, key = `${client}>${server}`): RecordedConnection {
  const ends = (text: string): RecordedConnection['client'] => {
    const [address = '', port = '0'] = text.split(':');
    return { address, port: Number(port) };
  };
  return { key, label: `${client}>${server}`, client: ends(client), server: ends(server), tunnel: 0, vlan: 0 };
}

export interface ExchangeText {
  request: string | Buffer;
  response?: string | Buffer | null;
  /** Microseconds behind the first. */
  atUs?: number;
  connection?: RecordedConnection;
  index?: number;
}

/** An exchange of these bytes; production answered after two milliseconds. */
export function recorded({ request, response = null, atUs = 0, connection, index = 0 }: ExchangeText): RecordedExchange {
  const timed = (bytes: string | Buffer, behindUs: number) => ({
    pieces: [Buffer.from(bytes as string, 'latin1')],
    missing: 0,
    startUs: startUs + atUs + behindUs,
    endUs: startUs + atUs + behindUs + 300,
  });
  const parsed = new ExchangeParser().parse(
    connection ?? connectionBetween('10.0.2.5:41000', '10.0.1.2:80'),
    index,
    timed(request, 0),
    response === null ? null : timed(response, 2_000),
  );
  if (typeof parsed === 'string') throw new Error(`${parsed}: ${String(request)}`);
  return parsed;
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/);
const pathText = fc.stringMatching(/^\/[A-Za-z0-9/._~%-]{0,20}(?:\?[a-z]=[A-Za-z0-9%+]{0,8})?$/);
const fieldValue = fc.stringMatching(/^[!-~](?:[ -~]{0,20}[!-~])?$/);
const ownNames = /^(?:host|content-length|transfer-encoding|connection|trailer|te|upgrade|expect|keep-alive|content-encoding)$/i;
const fields = fc.array(fc.tuple(token, fieldValue), { maxLength: 4 }).map((pairs) => pairs.filter(([name]) => !ownNames.test(name)));
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

type Framed = { fields: string; wire: Buffer };

const framed = fc.tuple(body, fc.boolean()).map(([bytes, chunked]): Framed => {
  if (!chunked) return { fields: `Content-Length: ${bytes.length}\r\n`, wire: bytes };
  const chunk = bytes.length === 0 ? [] : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
  return { fields: 'Transfer-Encoding: chunked\r\n', wire: Buffer.concat([...chunk, Buffer.from('0\r\n\r\n')]) };
});

function messageBytes(start: string, pairs: readonly [string, string][], { fields: framing, wire }: Framed): Buffer {
  const lines = pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${start}\r\n${lines}${framing}\r\n`, 'latin1'), wire]);
}

const request = fc
  .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'), pathText, fields, framed)
  .map(([method, target, pairs, framing]) => messageBytes(`${method} ${target} HTTP/1.1`, [['Host', 'shop.example'], ...pairs], method === 'GET' ? { fields: '', wire: Buffer.alloc(0) } : framing));

const response = fc
  .tuple(fc.integer({ min: 200, max: 599 }), fields, framed)
  .map(([status, pairs, framing]) => messageBytes(`HTTP/1.1 ${status} Because`, pairs, status === 204 || status === 304 ? { fields: '', wire: Buffer.alloc(0) } : framing));

/** Exchanges of a few connections, in order of time. */
export const recordedTraffic: fc.Arbitrary<RecordedExchange[]> = fc
  .array(fc.record({ request, response: fc.option(response), connection: fc.nat(3), stepUs: fc.nat(50_000) }), { maxLength: 12 })
  .map((texts) => {
    let atUs = 0;
    const counts = [0, 0, 0, 0];
    return texts.map(({ connection, stepUs, ...bytes }) => {
      atUs += 1 + stepUs;
      const index = counts[connection] ?? 0;
      counts[connection] = index + 1;
      return recorded({ ...bytes, atUs, index, connection: connectionBetween(`10.0.2.5:4100${connection}`, '10.0.1.2:80') });
    });
  });

/** Everything that a reader yields. */
export async function readAll(reader: TrafficReader): Promise<{ exchanges: RecordedExchange[]; problems: EntryProblem[] }> {
  const items: TrafficItem[] = [];
  for await (const batch of reader) items.push(...batch);
  return { exchanges: items.filter(isExchange), problems: items.filter((item): item is EntryProblem => !isExchange(item)) };
}

/** Head and body as text, for what tests compare. */
export function textOf(message: RecordedExchange['request'] | null): string | null {
  return message === null ? null : `${message.head.toString('latin1')}${message.body?.toString('latin1') ?? ''}`;
}
