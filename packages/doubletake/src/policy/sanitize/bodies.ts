/**
 * Sanitizes the content of a body (transfer coding removed) by its content type and coding. Null means that it cannot be
 * read: a type that is not known, text that is not what its type says, a coding that is not known or opens to too much.
 */
import { hasControls } from './base64.ts';
import { codingsOf, closeBody, openBody } from './content-coding.ts';
import { bytesOf, type JsonPathRule, JsonRewriter, textOf } from './json.ts';
import { parameter, type Part, rewriteMultipart } from './multipart.ts';
import type { Values } from './values.ts';
import { rewriteXml } from './xml.ts';

/** Character sets in which ASCII stands for itself, so that what is looked for is found. */
const READABLE_CHARSETS = /^(?:utf-?8|us-ascii|ascii|iso-8859-\d+|latin1|windows-125\d)$/i;

const JSON_LINES = /^application\/(?:x-ndjson|jsonl|x-jsonlines|json-seq)$/;

/** A line that is a name and a value, with no more pairs in it. */
const PAIR_LINE = /^[ \t]*[\w.[\]-]{1,64} *=[^&\r\n]*$/m;

export class Bodies {
  readonly #values: Values;
  readonly #json: JsonRewriter;
  readonly #bytesMax: number;

  constructor(values: Values, rules: readonly JsonPathRule[], bytesMax: number) {
    this.#values = values;
    this.#json = new JsonRewriter(values, rules);
    this.#bytesMax = bytesMax;
  }

  /** The content as it may go out: the same buffer when nothing in it changes. */
  rewrite(content: Buffer, contentType: string, contentEncodings: readonly string[]): Buffer | null {
    if (content.length === 0) return content;
    if (content.length > this.#bytesMax) return null;
    if (contentEncodings.length === 0) return this.#rewriteOpen(content, contentType);
    const codings = codingsOf(contentEncodings);
    const open = codings === null ? null : openBody(content, codings, this.#bytesMax);
    if (codings === null || open === null) return null;
    const rewritten = this.#rewriteOpen(open, contentType);
    if (rewritten === null) return null;
    return rewritten === open ? content : closeBody(rewritten, codings);
  }

  #rewriteOpen(content: Buffer, contentType: string): Buffer | null {
    const semicolon = contentType.indexOf(';');
    const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
    if (semicolon >= 0 && !READABLE_CHARSETS.test(parameter(contentType, 'charset') ?? 'utf-8')) return null;
    if (type === 'application/json' || type.endsWith('+json') || type === 'text/json') return this.#json.rewrite(content, 0);
    if (JSON_LINES.test(type)) return this.#json.rewrite(withoutSeparators(content), 0, true);
    const source = content.toString('latin1');
    const rewritten = this.#rewriteText(source, content, type, contentType);
    if (rewritten === null) return null;
    return rewritten === source ? content : Buffer.from(rewritten, 'latin1');
  }

  #rewriteText(source: string, content: Buffer, type: string, contentType: string): string | null {
    if (type === 'application/x-www-form-urlencoded') return this.#values.pairs(source, 'form', true, 0);
    if (type.startsWith('multipart/')) return this.#multipart(source, contentType);
    if (type === 'application/xml' || type === 'text/xml' || type.endsWith('+xml') || type === 'text/html') {
      return this.#xml(source, content);
    }
    const textual = type.startsWith('text/') || type === '' || type === 'application/graphql' || type === 'application/javascript';
    return textual && isReadable(content) ? this.#text(source, content) : null;
  }

  /** Text may be JSON that does not say so (beacons do), else it is looked through. */
  #text(source: string, content: Buffer): string {
    const rewritten = /^\s*[{[]/.test(source) ? this.#json.rewrite(content, 0) : null;
    if (rewritten === null) return this.#plain(source);
    return rewritten === content ? source : rewritten.toString('latin1');
  }

  #plain(source: string): string {
    const text = textOf(source);
    const rewritten = PAIR_LINE.test(text) ? this.#lines(text) : this.#values.text(text, 0);
    return rewritten === text ? source : bytesOf(rewritten);
  }

  /** A form as text (HTML's `text/plain` encoding), or settings: a name and a value on each line. */
  #lines(text: string): string {
    return text.replace(/[^\r\n]+/g, (line) => {
      const [, name, value] = /^\s*([\w.[\]-]{1,64}) *= *(.*)$/.exec(line) ?? [];
      const treatment = name === undefined ? null : this.#values.treatmentIn('form', name);
      if (value === undefined || treatment === null) return this.#values.text(line, 0);
      return line.slice(0, line.length - value.length) + this.#values.value(value, treatment, 0);
    });
  }

  #xml(source: string, content: Buffer): string | null {
    if (!isReadable(content) || /<\?xml[^>]{0,200}encoding=["'](?!utf-8|us-ascii|iso-8859|windows-125)/i.test(source)) return null;
    const text = textOf(source);
    const rewritten = rewriteXml(text, {
      treatmentOf: (name) => this.#values.treatmentOf(name),
      text: (treatment, value) => this.#values.value(value, treatment, 1),
    });
    return rewritten === text ? source : bytesOf(rewritten);
  }

  #multipart(source: string, contentType: string): string | null {
    const boundary = parameter(contentType, 'boundary');
    if (boundary === undefined || boundary === '') return null;
    return rewriteMultipart(
      source,
      boundary,
      (part) => this.#part(part),
      (text) => this.#plain(text),
    );
  }

  #part({ name, contentType, transferEncoding, body }: Part): string | null {
    if (!/^(?:|7bit|8bit|binary)$/.test(transferEncoding)) return null;
    if (body === '') return body;
    const treatment = this.#values.treatmentIn('form', textOf(name));
    if (treatment !== null || contentType === '') {
      const text = textOf(body);
      const rewritten = this.#values.value(text, treatment, 0);
      return rewritten === text ? body : bytesOf(rewritten);
    }
    if (contentType.toLowerCase().startsWith('multipart/')) return null;
    const content = Buffer.from(body, 'latin1');
    const rewritten = this.#rewriteOpen(content, contentType);
    return rewritten === content ? body : (rewritten?.toString('latin1') ?? null);
  }
}

/** The record separators of a JSON text sequence (RFC 7464) as spaces. */
function withoutSeparators(content: Buffer): Buffer {
  return content.includes(0x1e) ? Buffer.from(content.map((byte) => (byte === 0x1e ? 0x20 : byte))) : content;
}

/** Text that is read as it stands: what is UTF-16 or binary has control characters that no text has. */
function isReadable(content: Buffer): boolean {
  return !hasControls(content);
}
