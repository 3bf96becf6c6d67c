/**
 * One exchange as bytes: a part of fixed length, then the request's head and body, then the response's. All numbers are
 * little-endian. docs/recording-format.md describes every field; bytes are copied in and never out.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Framing, IncompleteReason } from '../http/exchange.ts';
import { formatEndpoint, formatAddress, parseAddress } from '../packets/address.ts';
import type { RecordedConnection, RecordedExchange, RecordedMessage } from './recorded-exchange.ts';

/** Length of the part of fixed length. */
export const recordBytesMin = 144;

/** Offsets in it. */
const At = {
  length: 0,
  index: 4,
  connection: 8,
  client: 16,
  server: 32,
  clientPort: 48,
  serverPort: 50,
  tunnel: 52,
  vlan: 56,
  fidelity: 60,
  probability: 64,
  request: 72,
  response: 108,
} as const;

/** Length of what is said of the connection, which lies between `connection` and `fidelity`. */
const connectionBytes = At.fidelity - At.connection;

/** Offsets in the part of a message, 36 bytes. */
const Of = { start: 0, end: 8, headLength: 16, bodyLength: 20, bodyBytes: 24, framing: 32, outcome: 33, flags: 34 } as const;

const Flag = { present: 1, body: 2 } as const;

/** By number in the file; the order never changes, and new ones are added behind. */
const framings: readonly Framing[] = ['none', 'length', 'chunked', 'close'];
const outcomes: readonly ('complete' | IncompleteReason)[] = ['complete', 'gap', 'truncated', 'closed', 'timeout'];

/** Bytes that the record of an exchange takes. */
export function recordLength({ request, response }: RecordedExchange): number {
  return recordBytesMin + messageLength(request) + (response === null ? 0 : messageLength(response));
}

function messageLength({ head, body }: RecordedMessage): number {
  return head.length + (body?.length ?? 0);
}

/** What stands for a connection's label in an index. */
export function hashOfLabel(label: string): number {
  return crc32(label);
}

export interface EncodedConnection {
  bytes: Buffer;
  hash: number;
}

/** Writes records; what it knows of a connection is kept as long as the connection is. */
export class RecordEncoder {
  readonly #connections = new WeakMap<RecordedConnection, EncodedConnection>();

  /** Writes the record at `start`, where `recordLength` bytes must be free, with its `connection`; returns its end. */
  encode(exchange: RecordedExchange, connection: EncodedConnection, out: Buffer, start: number): number {
    const { request, response } = exchange;
    out.writeUInt32LE(exchange.index, start + At.index);
    out.set(connection.bytes, start + At.connection);
    out.writeUInt32LE(exchange.fidelity, start + At.fidelity);
    out.writeDoubleLE(exchange.probability, start + At.probability);
    writeMessage(request, out, start + At.request);
    if (response === null) out.fill(0, start + At.response, start + recordBytesMin);
    else writeMessage(response, out, start + At.response);
    let end = start + recordBytesMin;
    end += request.head.copy(out, end);
    if (request.body !== null) end += request.body.copy(out, end);
    if (response !== null) {
      end += response.head.copy(out, end);
      if (response.body !== null) end += response.body.copy(out, end);
    }
    out.writeUInt32LE(end - start, start + At.length);
    return end;
  }

  /** How records and indexes say which connection it is. */
  connection(connection: RecordedConnection): EncodedConnection {
    const known = this.#connections.get(connection);
    if (known !== undefined) return known;
    const { key, client, server, tunnel, vlan } = connection;
    const bytes = Buffer.alloc(connectionBytes);
    const id = /^[0-9a-f]{16}$/.test(key) ? Buffer.from(key, 'hex') : createHash('sha256').update(key).digest().subarray(0, 8);
    id.copy(bytes, 0);
    writeAddress(client.address, bytes, At.client - At.connection);
    writeAddress(server.address, bytes, At.server - At.connection);
    bytes.writeUInt16LE(client.port, At.clientPort - At.connection);
    bytes.writeUInt16LE(server.port, At.serverPort - At.connection);
    bytes.writeUInt32LE(tunnel >>> 0, At.tunnel - At.connection);
    bytes.writeUInt32LE(vlan >>> 0, At.vlan - At.connection);
    const encoded = { bytes, hash: hashOfLabel(connection.label) };
    this.#connections.set(connection, encoded);
    return encoded;
  }
}

/** Connections that are remembered. */
const connectionsMax = 16_384;

/** Connections that were read, so that exchanges of one share its object: by the first half of their keys. */
export class ReadConnections {
  readonly #known = new Map<number, { rest: number; connection: RecordedConnection }>();

  /** That of the record at `start`. */
  read(bytes: Buffer, start: number): RecordedConnection {
    const half = bytes.readUInt32LE(start + At.connection);
    const rest = bytes.readUInt32LE(start + At.connection + 4);
    const known = this.#known.get(half);
    if (known?.rest === rest) return known.connection;
    // Forgotten, or displaced by one with the same half, it is made again.
    if (this.#known.size >= connectionsMax) this.#known.clear();
    const connection = readConnection(bytes, start);
    this.#known.set(half, { rest, connection });
    return connection;
  }
}

/** Reads the records of one block. */
export class RecordDecoder {
  readonly bytes: Buffer;
  readonly #connections: ReadConnections;

  constructor(bytes: Buffer, connections = new ReadConnections()) {
    this.bytes = bytes;
    this.#connections = connections;
  }

  /**
   * The record at `start`, whose lengths `recordEnd` has checked, in memory of its own: a block is not held by what was
   * read of it. A response body of more than `responseBodyBytesMax` is left out.
   */
  decode(start: number, responseBodyBytesMax = Infinity): RecordedExchange {
    const { bytes } = this;
    const request = start + At.request;
    const response = start + At.response;
    const responseBytes = bytes.readUInt32LE(response + Of.bodyLength);
    const from = start + recordBytesMin;
    const behind = from + lengthOf(bytes, request);
    return {
      connection: this.#connections.read(bytes, start),
      index: bytes.readUInt32LE(start + At.index),
      request: readMessage(bytes, request, from, false),
      response: isPresent(bytes, response) ? readMessage(bytes, response, behind, responseBytes > responseBodyBytesMax) : null,
      fidelity: bytes.readUInt32LE(start + At.fidelity),
      probability: bytes.readDoubleLE(start + At.probability),
    };
  }

  /** `client:port>server:port` of the record at `start`. */
  label(start: number): string {
    return this.#connections.read(this.bytes, start).label;
  }
}

function readConnection(bytes: Buffer, start: number): RecordedConnection {
  const client = wordsAt(bytes, start + At.client);
  const server = wordsAt(bytes, start + At.server);
  const clientPort = bytes.readUInt16LE(start + At.clientPort);
  const serverPort = bytes.readUInt16LE(start + At.serverPort);
  return {
    key: bytes.toString('hex', start + At.connection, start + At.client),
    label: `${formatEndpoint(client, 0, clientPort)}>${formatEndpoint(server, 0, serverPort)}`,
    client: { address: formatAddress(client), port: clientPort },
    server: { address: formatAddress(server), port: serverPort },
    tunnel: bytes.readUInt32LE(start + At.tunnel),
    vlan: bytes.readUInt32LE(start + At.vlan),
  };
}

/** Where the record at `start` ends; null when no whole and consistent record is there. */
export function recordEnd(bytes: Buffer, start: number): number | null {
  if (start + recordBytesMin > bytes.length) return null;
  const end = start + bytes.readUInt32LE(start + At.length);
  if (end > bytes.length) return null;
  const lengths = lengthOf(bytes, start + At.request) + lengthOf(bytes, start + At.response);
  return start + recordBytesMin + lengths === end ? end : null;
}

/** When the request of the record at `start` began, microseconds since the epoch. */
export function startOfRecord(bytes: Buffer, start: number): number {
  return readWhole(bytes, start + At.request);
}

/** Position of the record at `start` among the requests of its connection. */
export function indexOfRecord(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + At.index);
}

function lengthOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + Of.headLength) + bytes.readUInt32LE(at + Of.bodyLength);
}

function isPresent(bytes: Buffer, at: number): boolean {
  return ((bytes[at + Of.flags] ?? 0) & Flag.present) !== 0;
}

function writeMessage(message: RecordedMessage, out: Buffer, at: number): void {
  const { head, body, bodyBytes, framing, outcome, startUs, endUs } = message;
  writeWhole(startUs, out, at + Of.start);
  writeWhole(endUs, out, at + Of.end);
  out.writeUInt32LE(head.length, at + Of.headLength);
  out.writeUInt32LE(body?.length ?? 0, at + Of.bodyLength);
  writeWhole(bodyBytes, out, at + Of.bodyBytes);
  out[at + Of.framing] = framings.indexOf(framing);
  out[at + Of.outcome] = outcomes.indexOf(outcome);
  out[at + Of.flags] = Flag.present | (body === null ? 0 : Flag.body);
  out[at + Of.flags + 1] = 0;
}

/** The message that `at` tells of, whose head and body begin at `start`; `bodyLeft` leaves the body out. */
function readMessage(bytes: Buffer, at: number, start: number, bodyLeft: boolean): RecordedMessage {
  const headLength = bytes.readUInt32LE(at + Of.headLength);
  const bodyLength = bodyLeft ? 0 : bytes.readUInt32LE(at + Of.bodyLength);
  const own = Buffer.allocUnsafe(headLength + bodyLength);
  bytes.copy(own, 0, start, start + own.length);
  const hasBody = ((bytes[at + Of.flags] ?? 0) & Flag.body) !== 0 && !bodyLeft;
  return {
    head: bodyLength === 0 ? own : own.subarray(0, headLength),
    body: !hasBody ? null : bodyLength === 0 ? noBytes : own.subarray(headLength),
    bodyBytes: readWhole(bytes, at + Of.bodyBytes),
    framing: framings[bytes[at + Of.framing] ?? 0] ?? 'none',
    startUs: readWhole(bytes, at + Of.start),
    endUs: readWhole(bytes, at + Of.end),
    outcome: outcomes[bytes[at + Of.outcome] ?? 0] ?? 'complete',
  };
}

const noBytes = Buffer.alloc(0);

const wordValues = 0x1_0000_0000;

/** A whole number of 64 bits; what is none is 0. Two words: `BigInt` would cost more than all the rest. */
export function writeWhole(value: number, out: Buffer, at: number): void {
  const sound = value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.floor(value) : 0;
  out.writeUInt32LE(sound % wordValues, at);
  out.writeUInt32LE(Math.floor(sound / wordValues), at + 4);
}

/** The same read; beyond 2^53 it is not exact. */
export function readWhole(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * wordValues;
}

const words = new Int32Array(4);

/** Sixteen bytes in the order of the network, an IPv4 address as `::ffff:a.b.c.d`; zeros for what is no address. */
function writeAddress(text: string, out: Buffer, at: number): void {
  if (!parseAddress(text, words)) return;
  words.forEach((word, index) => out.writeInt32BE(word, at + 4 * index));
}

function wordsAt(bytes: Buffer, at: number): number[] {
  return [0, 4, 8, 12].map((offset) => bytes.readInt32BE(at + offset));
}
