/**
 * Makes a message safe to leave the process: personal data, credentials and payment data are taken out of the request
 * target, the header fields, the body and the trailers, or replaced by pseudonyms under one key.
 *
 * What comes out is a message in its own right: its head is scanned again, its framing agrees with its body. It fails
 * closed: a body that cannot be read makes the result null, unless the options say that such bodies may pass. The
 * message that came in is never changed; when nothing in it has to change, it is what comes out.
 */
import { createHash } from 'node:crypto';
import { ChunkedDecoder } from '../../http/chunked.ts';
import type { Body, Exchange, Message } from '../../http/exchange.ts';
import { MessageHead } from '../../http/head.ts';
import { HeadScan, HeadScanner } from '../../http/head-scanner.ts';
import { Connection } from '../../tcp/connection.ts';
import { Bodies } from './bodies.ts';
import { Fields } from './fields.ts';
import { JsonPath } from './json-path.ts';
import type { SanitizeOptions } from './options.ts';
import { PathRule } from './path-rule.ts';
import { Values } from './values.ts';

/** Digests of a body say what is no longer true, and tell of what it was. */
const digests: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);

export class Sanitizer {
  readonly #values: Values;
  readonly #fields: Fields;
  readonly #bodies: Bodies;
  readonly #passUnreadable: boolean;
  readonly #scanner = new HeadScanner();
  readonly #decoder = new ChunkedDecoder();
  /** Production's connections with the client's address replaced. */
  readonly #connections = new WeakMap<Connection<unknown>, Connection<unknown>>();

  /** Throws where a rule's JSONPath or regular expression cannot be understood. */
  constructor(options: SanitizeOptions, key: Buffer) {
    const values = new Values(options, key);
    this.#values = values;
    this.#fields = new Fields(
      values,
      options.rules.flatMap(({ path, action }) => (path === undefined ? [] : [{ rule: new PathRule(path), action }])),
    );
    const jsonRules = options.rules.flatMap(({ json, action }) =>
      json === undefined ? [] : [{ path: new JsonPath(json), action }],
    );
    this.#bodies = new Bodies(values, jsonRules, options.bodyBytesMax);
    this.#passUnreadable = options.unreadableBodies === 'pass';
  }

  /** The exchange with its request, and the client's address, made safe; null when the request cannot be. */
  sanitize(exchange: Exchange): Exchange | null {
    const request = this.#message(exchange.request);
    if (request === null) return null;
    const connection = this.#values.has('pii') ? this.#connection(exchange) : exchange.connection;
    return { connection, client: exchange.client, index: exchange.index, request, response: exchange.response, fidelity: exchange.fidelity };
  }

  /** The exchange's response made safe in the same way, which production's is before anything looks at it. */
  sanitizeResponse(response: Message): Message | null {
    return this.#message(response);
  }

  #message(message: Message): Message | null {
    const { head, body } = message;
    let content: Buffer | null = null;
    let trailers = '';
    let safe: Buffer | null = null;
    if (body.wireBytes > 0 || body.tooLarge) {
      const wire = body.wire === null ? null : joined(body.wire);
      const plain = wire === null ? null : this.#content(wire, body, head);
      if (plain !== null) {
        content = plain.content;
        trailers = plain.trailers;
        safe = this.#bodies.rewrite(content, head.get('content-type') ?? '', head.all('content-encoding'));
      }
      if (safe === null && !this.#passUnreadable) return null;
    }
    const bodyChanged = safe !== null && safe !== content;
    const newHead = this.#head(head, bodyChanged && body.framing === 'length' ? safe : null, bodyChanged);
    if (newHead === null) return null;
    if (safe === null || (!bodyChanged && body.framing !== 'chunked')) return newHead === head ? message : { ...message, head: newHead };
    return { ...message, head: newHead, body: this.#body(body, safe, trailers) };
  }

  /** The body without its transfer coding, and its trailer fields; null when there is another coding than chunked. */
  #content(wire: Buffer, body: Body, head: MessageHead): { content: Buffer; trailers: string } | null {
    if (body.framing !== 'chunked') return { content: wire, trailers: '' };
    if (head.all('transfer-encoding').join(',').trim().toLowerCase() !== 'chunked') return null;
    const data: Buffer[] = [];
    let dataEnd = 0;
    this.#decoder.reset();
    this.#decoder.read(wire, 0, wire.length, {
      decoded: (bytes, start, end) => {
        data.push(bytes.subarray(start, end));
        dataEnd = end + 2;
      },
    });
    if (!this.#decoder.done) return null;
    // Behind the data: the last chunk's line, the trailer fields, an empty line.
    const end = wire.toString('latin1', dataEnd);
    return { content: joined(data), trailers: end.slice(end.indexOf('\n') + 1).replace(/\r?\n$/, '') };
  }

  #body(body: Body, content: Buffer, trailers: string): Body {
    const chunked = body.framing === 'chunked';
    const wire = chunked ? this.#chunks(content, trailers) : [content];
    const sha256 = body.sha256 === null ? null : createHash('sha256').update(content).digest('hex');
    const wireBytes = wire.reduce((sum, piece) => sum + piece.length, 0);
    return { framing: body.framing, bytes: content.length, sha256, wire, wireBytes, tooLarge: false };
  }

  /** One chunk, without the extensions it may have had, and the trailer fields. */
  #chunks(content: Buffer, trailers: string): Buffer[] {
    const lines = trailers.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':');
      if (colon < 0) return '';
      const value = this.#fields.value(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      return value === null ? '' : `${line.slice(0, colon)}: ${value}\r\n`;
    });
    const end = Buffer.from(`0\r\n${lines.join('')}\r\n`, 'latin1');
    if (content.length === 0) return [end];
    return [Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n'), end];
  }

  /** The head rewritten; itself when nothing changes; null when what came out is no head. `sized` gives Content-Length. */
  #head(head: MessageHead, sized: Buffer | null, bodyChanged: boolean): MessageHead | null {
    const source = head.bytes.toString('latin1');
    let out = '';
    let copied = 0;
    const replace = (start: number, end: number, text: string): void => {
      out += source.slice(copied, start) + text;
      copied = end;
    };
    if (head.status === 0) {
      const target = source.slice(head.targetStart, head.targetEnd);
      const safe = this.#fields.target(target);
      if (safe !== target) replace(head.targetStart, head.targetEnd, safe);
    }
    for (let index = 0; index < head.count; index++) {
      const name = source.slice(head.lineStart(index), head.nameEnd(index)).toLowerCase();
      if (sized !== null && name === 'content-length') {
        replace(head.valueStart(index), head.valueEnd(index), String(sized.length));
      } else if (bodyChanged && digests.has(name)) {
        replace(head.lineStart(index), head.lineEnd(index), '');
      } else {
        const value = source.slice(head.valueStart(index), head.valueEnd(index));
        const safe = this.#fields.value(name, value);
        if (safe === null) replace(head.lineStart(index), head.lineEnd(index), '');
        else if (safe !== value) replace(head.valueStart(index), head.valueEnd(index), safe);
      }
    }
    if (copied === 0) return head;
    return this.#scan(Buffer.from(out + source.slice(copied), 'latin1'), head.status === 0);
  }

  #scan(bytes: Buffer, request: boolean): MessageHead | null {
    const scanner = this.#scanner;
    const found = scanner.scan(request ? 'request' : 'response', bytes, 0, bytes.length, true);
    if (found === HeadScan.incomplete && request && scanner.fieldsStart === bytes.length && scanner.versionless) {
      // An HTTP/0.9 request is its request line.
      scanner.alone();
    } else if (found !== HeadScan.complete || scanner.headEnd !== bytes.length) {
      return null;
    }
    return new MessageHead(bytes, scanner, 0);
  }

  #connection({ connection, client }: Exchange): Connection<unknown> {
    const known = this.#connections.get(connection);
    if (known !== undefined) return known;
    const addresses = connection.addresses.slice();
    const text = connection.address(client);
    const made = text.includes(':') ? this.#values.pseudonyms.ipv6(text) : this.#values.pseudonyms.ipv4(text);
    addresses.set(wordsOf(made), client * 4);
    const safe = new Connection<unknown>(
      connection.id,
      connection.tunnel,
      connection.vlan,
      addresses,
      connection.ports,
      connection.initiator,
    );
    this.#connections.set(connection, safe);
    return safe;
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

/** The four words of a pseudonymous address: `10.a.b.c`, or `2001:db8::` and four groups. */
function wordsOf(address: string): number[] {
  if (!address.includes(':')) {
    return [0, 0, 0xffff, address.split('.').reduce((word, octet) => (word << 8) | Number(octet), 0)];
  }
  const groups = address.slice('2001:db8::'.length).split(':').map((group) => Number.parseInt(group, 16));
  return [0x2001_0db8, 0, (groups[0] << 16) | groups[1], (groups[2] << 16) | groups[3]];
}
