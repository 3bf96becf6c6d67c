/**
 * A request that is being changed: its target, its header fields and its content, each as it came until it is set. What
 * nobody sets goes out with the bytes with which it came. Strings are latin1, a character for a byte.
 */
import type { Body, Exchange } from '../../http/exchange.ts';
import type { MessageHead } from '../../http/head.ts';
import { bodyOf, type Content, contentOf, headOf, isDigestField } from '../message-edit.ts';

interface Field {
  lower: string;
  /** The line up to the value, the value, and the rest with the line break. */
  before: string;
  value: string;
  after: string;
}

/** A head that grows beyond this is no request any more. */
const headBytesMax = 1 << 20;

export class RequestDraft {
  target: string;
  readonly #exchange: Exchange;
  readonly #source: string;
  /** In the style of the other lines. */
  readonly #lineBreak: string;
  #fields: Field[];
  readonly #end: string;
  /** Null until it is asked for, and when it cannot be had. */
  #content: Content | null = null;
  #newContent: Buffer | null = null;

  constructor(exchange: Exchange) {
    const { head } = exchange.request;
    const source = head.bytes.toString('latin1');
    this.#exchange = exchange;
    this.#source = source;
    this.target = head.target;
    this.#lineBreak = source.startsWith('\r\n', head.fieldsStart - 2) ? '\r\n' : '\n';
    this.#fields = Array.from({ length: head.count }, (_, index) => fieldOf(head, source, index));
    this.#end = source.slice(head.count === 0 ? head.fieldsStart : head.lineEnd(head.count - 1));
  }

  /** Values of all fields of this lower-case name. */
  values(lower: string): string[] {
    return this.#fields.flatMap((field) => (field.lower === lower ? [field.value] : []));
  }

  remove(lower: string): void {
    this.#fields = this.#fields.filter((field) => field.lower !== lower);
  }

  add(name: string, value: string): void {
    this.#fields.push({ lower: name.toLowerCase(), before: `${name}: `, value, after: this.#lineBreak });
  }

  /** Gives the first field of the name this value and drops the others, or adds one. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    if (!this.#fields.some((field) => field.lower === lower)) {
      this.add(name, value);
      return;
    }
    let placed = false;
    this.change(lower, () => {
      const kept = placed ? null : value;
      placed = true;
      return kept;
    });
  }

  /** Gives each field of this lower-case name the value that comes out; null drops the field. */
  change(lower: string, change: (value: string) => string | null): void {
    this.#fields = this.#fields.flatMap((field) => {
      if (field.lower !== lower) return [field];
      const value = change(field.value);
      if (value === null) return [];
      return [value === field.value ? field : { ...field, before: withColon(field.before), value }];
    });
  }

  /** The body without its transfer coding; null when it cannot be had. */
  get content(): Buffer | null {
    if (this.#newContent !== null) return this.#newContent;
    const { body, head } = this.#exchange.request;
    this.#content ??= contentOf(body, head);
    return this.#content?.bytes ?? null;
  }

  /** Only for content that was there. */
  set content(content: Buffer) {
    this.#newContent = content;
  }

  /** The exchange with the request as it is now: itself when nothing changed, null when it is no sound request. */
  finish(): Exchange | null {
    const { request } = this.#exchange;
    const { head } = request;
    const body = this.#newContent === null ? request.body : this.#body(this.#newContent);
    if (body !== request.body) {
      this.#fields = this.#fields.filter((field) => !isDigestField(field.lower));
      if (body.framing === 'length') this.change('content-length', () => String(body.wireBytes));
    }
    const source = this.#source;
    const line = source.slice(0, head.targetStart) + this.target + source.slice(head.targetEnd, head.fieldsStart);
    const fields = this.#fields.map(({ before, value, after }) => before + value + after).join('');
    const text = line + fields + this.#end;
    if (text === source && body === request.body) return this.#exchange;
    if (text.length > headBytesMax) return null;
    const made = text === source ? { head, ambiguity: null } : headOf('request', Buffer.from(text, 'latin1'));
    if (made === null || made.ambiguity !== null) return null;
    const { connection, client, index, response, fidelity } = this.#exchange;
    return { connection, client, index, request: { ...request, head: made.head, body }, response, fidelity };
  }

  #body(content: Buffer): Body {
    const lines = (this.#content?.trailers ?? '').split(/(?<=\n)/);
    const trailers = lines.filter((line) => !isDigestField(line.split(':', 1)[0].trim().toLowerCase())).join('');
    return bodyOf(this.#exchange.request.body, { bytes: content, trailers });
  }
}

function fieldOf(head: MessageHead, source: string, index: number): Field {
  const start = head.lineStart(index);
  const valueStart = head.valueStart(index);
  const valueEnd = head.valueEnd(index);
  return {
    lower: source.slice(start, head.nameEnd(index)).toLowerCase(),
    before: source.slice(start, valueStart),
    value: source.slice(valueStart, valueEnd),
    after: source.slice(valueEnd, head.lineEnd(index)),
  };
}

/** A line without a colon is a name: with a value it needs one. */
function withColon(before: string): string {
  return before.includes(':') ? before : `${before}: `;
}
