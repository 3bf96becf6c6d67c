/**
 * Makes a message safe to leave the process: personal data, credentials and payment data are taken out of the request
 * target, the header fields, the body and the trailers, or replaced by pseudonyms under one key.
 *
 * What comes out is a message in its own right: its head is scanned again, its framing agrees with its body. It fails
 * closed: a body that cannot be read makes the result null, unless the options say that such bodies may pass. The
 * message that came in is never changed; when nothing in it has to change, it is what comes out.
 */
import type { Exchange, Message } from '../../http/exchange.ts';
import type { MessageHead } from '../../http/head.ts';
import { Connection } from '../../tcp/connection.ts';
import { bodyOf, type Content, contentOf, headOf } from '../message-edit.ts';
import { Bodies } from './bodies.ts';
import { Fields } from './fields.ts';
import { JsonPath } from './json-path.ts';
import type { SanitizeOptions } from './options.ts';
import { PathRule } from './path-rule.ts';
import { Values } from './values.ts';

export class Sanitizer {
  readonly #values: Values;
  readonly #fields: Fields;
  readonly #bodies: Bodies;
  readonly #passUnreadable: boolean;
  /** Production's connections with the client's address replaced. */
  readonly #connections = new WeakMap<Connection<unknown>, Connection<unknown>>();

  /**
   * `made` hears of every value that is put in place of another; a value of which `kept` says so stays as it is. Throws
   * where a rule's JSONPath or regular expression cannot be understood.
   */
  constructor(
    options: SanitizeOptions,
    key: Buffer,
    made: ((value: string) => void) | null = null,
    kept: ((value: string) => boolean) | null = null,
  ) {
    const values = new Values(options, key, made, kept);
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
    return { connection: this.sanitizeConnection(exchange), client: exchange.client, index: exchange.index, request, response: exchange.response, fidelity: exchange.fidelity };
  }

  /** The target of a request (latin1) that need not be made safe as a whole, since nothing else of it is kept. */
  sanitizeTarget(target: string): string {
    return this.#fields.target(target);
  }

  /** The connection of an exchange with the client's address made safe. */
  sanitizeConnection(exchange: Pick<Exchange, 'connection' | 'client'>): Connection<unknown> {
    return this.#values.has('pii') ? this.#connection(exchange) : exchange.connection;
  }

  /** The exchange's response made safe in the same way, which production's is before anything looks at it. */
  sanitizeResponse(response: Message): Message | null {
    return this.#message(response);
  }

  #message(message: Message): Message | null {
    const { head, body } = message;
    let content: Content | null = null;
    let safe: Buffer | null = null;
    if (body.wireBytes > 0 || body.tooLarge) {
      content = contentOf(body, head);
      if (content !== null) {
        safe = this.#bodies.rewrite(content.bytes, head.get('content-type') ?? '', head.all('content-encoding'));
      }
      if (safe === null && !this.#passUnreadable) return null;
    }
    const bodyChanged = safe !== null && safe !== content?.bytes;
    const newHead = this.#head(head, bodyChanged && body.framing === 'length' ? safe : null, bodyChanged);
    if (newHead === null) return null;
    if (safe === null || content === null || (!bodyChanged && body.framing !== 'chunked')) {
      return newHead === head ? message : { ...message, head: newHead };
    }
    const safeContent = { bytes: safe, trailers: this.#trailers(content.trailers, bodyChanged) };
    return { ...message, head: newHead, body: bodyOf(body, safeContent) };
  }

  /** Lines of trailer fields made safe. */
  #trailers(lines: string, bodyChanged: boolean): string {
    const safe = lines.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':');
      if (colon < 0) return '';
      const field = this.#fields.known(line.slice(0, colon).trim());
      if (bodyChanged && field.digest) return '';
      const value = this.#fields.value(field, line.slice(colon + 1).trim());
      return value === null ? '' : `${line.slice(0, colon)}: ${value}\r\n`;
    });
    return safe.join('');
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
      const field = this.#fields.known(source.slice(head.lineStart(index), head.nameEnd(index)));
      if (sized !== null && field.contentLength) {
        replace(head.valueStart(index), head.valueEnd(index), String(sized.length));
      } else if (bodyChanged && field.digest) {
        replace(head.lineStart(index), head.lineEnd(index), '');
      } else {
        const value = source.slice(head.valueStart(index), head.valueEnd(index));
        const safe = this.#fields.value(field, value);
        if (safe === null) replace(head.lineStart(index), head.lineEnd(index), '');
        else if (safe !== value) replace(head.valueStart(index), head.valueEnd(index), safe);
      }
    }
    if (copied === 0) return head;
    const bytes = Buffer.from(out + source.slice(copied), 'latin1');
    return headOf(head.status === 0 ? 'request' : 'response', bytes)?.head ?? null;
  }

  #connection({ connection, client }: Pick<Exchange, 'connection' | 'client'>): Connection<unknown> {
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

/** The four words of a pseudonymous address: `10.a.b.c`, or `2001:db8::` and four groups. */
function wordsOf(address: string): number[] {
  if (!address.includes(':')) {
    return [0, 0, 0xffff, address.split('.').reduce((word, octet) => (word << 8) | Number(octet), 0)];
  }
  const groups = address.slice('2001:db8::'.length).split(':').map((group) => Number.parseInt(group, 16));
  return [0x2001_0db8, 0, (groups[0] << 16) | groups[1], (groups[2] << 16) | groups[3]];
}
