/** From the exchanges of the HTTP stage to those of a recording, and back. */
import { createHash } from 'node:crypto';
import type { Body, Exchange, Message } from '../http/exchange.ts';
import type { MessageHead } from '../http/head.ts';
import { parseAddress } from '../packets/address.ts';
import { contentOf, headOf } from '../policy/message-edit.ts';
import { Connection } from '../tcp/connection.ts';
import type { RecordedConnection, RecordedEndpoint, RecordedExchange, RecordedMessage } from './recorded-exchange.ts';

/** Connections that are remembered, so that exchanges of one share its object; of the oldest a second one is made. */
const connectionsMax = 100_000;

/** A connection as recordings have it; `key` as in `RecordedConnection`. */
export function recordedConnection(connection: Connection<unknown>, client: 0 | 1, key: string): RecordedConnection {
  const server = client === 0 ? 1 : 0;
  return {
    key,
    label: connection.label(client),
    client: { address: connection.address(client), port: connection.ports[client] },
    server: { address: connection.address(server), port: connection.ports[server] },
    tunnel: connection.tunnel,
    vlan: connection.vlan,
  };
}

export function recordedMessage({ head, body, startUs, endUs, outcome }: Message): RecordedMessage {
  const { wire, wireBytes, framing } = body;
  return { head: head.bytes, body: wire === null && wireBytes > 0 ? null : joined(wire ?? []), bodyBytes: wireBytes, framing, startUs, endUs, outcome };
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

/** The body of a message without its transfer coding; null where it was not recorded or cannot be read. */
export function recordedContent(message: RecordedMessage, head: MessageHead): Buffer | null {
  if (message.body === null && message.bodyBytes === 0) return Buffer.alloc(0);
  return contentOf(bodyOf(message), head)?.bytes ?? null;
}

/** What was not recorded has the length that it had. */
function bodyOf({ body, bodyBytes, framing }: RecordedMessage): Body {
  return { framing, bytes: bodyBytes, sha256: null, wire: body === null ? null : [body], wireBytes: bodyBytes, tooLarge: false };
}

/** Makes exchanges of the HTTP stage out of recorded ones; those of one connection share its object. */
export class ExchangeMaker {
  readonly #hashBodies: boolean;
  readonly #connections = new Map<string, Connection<unknown>>();
  #lastId = 0;

  /** `hashBodies`: bodies that are there get their SHA-256. */
  constructor(hashBodies = false) {
    this.#hashBodies = hashBodies;
  }

  /** Null when the request's head is none; a response whose head is none counts as not seen. */
  make(recorded: RecordedExchange): Exchange | null {
    const request = this.#message('request', recorded.request);
    if (request === null) return null;
    const response = recorded.response === null ? null : this.#message('response', recorded.response);
    const { index, fidelity } = recorded;
    return { connection: this.#connection(recorded.connection), client: 0, index, request, response, fidelity };
  }

  #message(kind: 'request' | 'response', message: RecordedMessage): Message | null {
    const { head, startUs, endUs, outcome } = message;
    const found = headOf(kind, head);
    if (found === null) return null;
    const made = bodyOf(message);
    const content = contentOf(made, found.head);
    if (content !== null) {
      made.bytes = content.bytes.length;
      if (this.#hashBodies) made.sha256 = createHash('sha256').update(content.bytes).digest('hex');
    }
    return { head: found.head, body: made, startUs, endUs, startSequence: 0, endSequence: 0, outcome, ambiguity: found.ambiguity };
  }

  #connection({ key, client, server, tunnel, vlan }: RecordedConnection): Connection<unknown> {
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const addresses = Int32Array.of(...wordsOf(client), ...wordsOf(server));
    const made = new Connection<unknown>(++this.#lastId, tunnel, vlan, addresses, [client.port, server.port], 0);
    if (this.#connections.size >= connectionsMax) {
      const [oldest] = this.#connections.keys();
      if (oldest !== undefined) this.#connections.delete(oldest);
    }
    this.#connections.set(key, made);
    return made;
  }
}

function wordsOf({ address }: RecordedEndpoint): Int32Array {
  const words = new Int32Array(4);
  return parseAddress(address, words) ? words : new Int32Array(4);
}
