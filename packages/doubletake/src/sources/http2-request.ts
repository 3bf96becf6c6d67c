/**
 * One request of HTTP/2 as the bytes of the same request in HTTP/1.1 (RFC 9113 section 8.3.1): the authority becomes
 * Host, cookies that were split are joined (section 8.2.3), a body without a length becomes chunked. Pure.
 */
import { token } from '../token.ts';

/** Fields that HTTP/2 has no place for (RFC 9113 section 8.2.2), or that frame the message. */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** What can stand in a request line: anything visible. */
const TARGET = /^[!-~\u0080-\u00ff]+$/;
const VALUE = /^[^\r\n\0]*$/;

/** Whether the fields (names and values in turn, latin1) make a request that can be written as HTTP/1.1. */
export function isTranslatable(rawHeaders: readonly string[]): boolean {
  const method = pseudo(rawHeaders, ':method');
  const path = pseudo(rawHeaders, ':path');
  if (method === undefined || path === undefined || !token.test(method) || !TARGET.test(path)) return false;
  const lengths = new Set(pairs(rawHeaders).flatMap(([name, value]) => (name === 'content-length' ? [value] : [])));
  if (lengths.size > 1 || [...lengths].some((length) => !/^\d{1,15}$/.test(length))) return false;
  return pairs(rawHeaders).every(([name, value]) => VALUE.test(value) && (name.startsWith(':') || token.test(name)));
}

export class Http2Request {
  /** Request line, fields, empty line. */
  readonly head: Buffer;
  readonly #chunked: boolean;
  /** Of a body with a length: bytes still to come. */
  #remaining: number;
  #trailers = '';

  /** `bodiless`: the stream ended with the head. */
  constructor(rawHeaders: readonly string[], bodiless: boolean) {
    const fields = pairs(rawHeaders).filter(([name]) => !name.startsWith(':') && !connectionFields.has(name));
    const length = fields.find(([name]) => name === 'content-length')?.[1];
    this.#chunked = !bodiless && length === undefined;
    this.#remaining = Number(length ?? 0);
    const cookies = fields.flatMap(([name, value]) => (name === 'cookie' ? [value] : []));
    const authority = pseudo(rawHeaders, ':authority');
    const lines = [`${pseudo(rawHeaders, ':method')} ${pseudo(rawHeaders, ':path')} HTTP/1.1`];
    if (authority !== undefined && authority !== '') lines.push(`host: ${authority}`);
    let cookiesWritten = false;
    for (const [name, value] of fields) {
      if (name === 'host' && authority !== undefined && authority !== '') continue;
      if (name === 'cookie') {
        if (!cookiesWritten) lines.push(`cookie: ${cookies.join('; ')}`);
        cookiesWritten = true;
      } else {
        lines.push(`${name}: ${value}`);
      }
    }
    if (this.#chunked) lines.push('transfer-encoding: chunked');
    this.head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  }

  /** A piece of the body in its framing; null when there is more of it than its length said. */
  data(bytes: Buffer): Buffer[] | null {
    if (this.#chunked) {
      return bytes.length === 0 ? [] : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
    }
    this.#remaining -= bytes.length;
    return this.#remaining < 0 ? null : [bytes];
  }

  /** Fields behind the body; they are lost when it has a length, as HTTP/1.1 has no place for them there. */
  trailers(rawHeaders: readonly string[]): void {
    const fields = pairs(rawHeaders).filter(([name, value]) => token.test(name) && VALUE.test(value));
    this.#trailers = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  /** What closes the body. */
  end(): Buffer {
    return Buffer.from(this.#chunked ? `0\r\n${this.#trailers}\r\n` : '', 'latin1');
  }
}

function pseudo(rawHeaders: readonly string[], name: string): string | undefined {
  return pairs(rawHeaders).find(([key]) => key === name)?.[1];
}

function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) list.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  return list;
}
