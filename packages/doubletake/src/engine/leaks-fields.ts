/**
 * Takes a message apart into its fields, by the readers of the platform (`JSON.parse`, `URLSearchParams`) rather than
 * those of the sanitizer, whose work is looked at here.
 */
import type { Message } from '../http/exchange.ts';
import { contentOf } from '../policy/message-edit.ts';
import { codingsOf, openBody } from '../policy/sanitize/content-coding.ts';

export interface MessageField {
  /** `query:page`, `json:$.items[*].note`, `path segment 2`. */
  place: string;
  /** Without the place it stands in; empty when it has none. */
  name: string;
  text: string;
}

const BODY_BYTES_MAX = 8 * 1024 * 1024;
const FIELDS_MAX = 10_000;
const NESTING_MAX = 200;
/** Fields that say how the message is read, or what the client can read. */
const USUAL =
  /^(?:accept.*|age|allow|alt-svc|cache-control|connection|content-(?:disposition|encoding|language|length|range|security-policy|type)|date|etag|expect|expires|host|if-.*|keep-alive|last-modified|pragma|priority|range|sec-.*|server|strict-transport-security|te|traceparent|transfer-encoding|upgrade.*|user-agent|vary|via|www-authenticate|x-forwarded-(?:host|port|proto)|x-frame-options|x-powered-by|x-request-id)$/;

/** Every field of a message; `readable` false: there may be more in a body that cannot be read. */
export function fieldsOf(message: Message): { fields: MessageField[]; readable: boolean } {
  const fields = [...headFields(message)];
  const content = openedBody(message);
  if (content === null) return { fields, readable: false };
  const body = content.length === 0 ? [] : bodyFields(content.toString(), message.head.get('content-type') ?? '');
  return { fields: [...fields, ...body].slice(0, FIELDS_MAX), readable: true };
}

function* headFields({ head }: Message): Generator<MessageField> {
  const [path, query = ''] = split(head.target, '?');
  for (const [index, segment] of path.split('/').entries()) {
    if (segment !== '') yield { place: `path segment ${index}`, name: '', text: decoded(segment) };
  }
  for (const [name, text] of new URLSearchParams(query)) yield { place: `query:${name}`, name, text };
  for (let index = 0; index < head.count; index++) {
    const name = head.name(index);
    const lower = name.toLowerCase();
    const value = Buffer.from(head.value(index), 'latin1').toString();
    if (lower === 'cookie') yield* value.split(';').map(cookie);
    else if (lower === 'set-cookie') yield cookie(split(value, ';')[0]);
    else if (/^(?:referer|location|content-location|x-original-url)$/.test(lower)) yield* urlFields(`header:${name}`, value);
    else if (lower === 'authorization') yield* credentials(name, value);
    else if (!USUAL.test(lower)) yield { place: `header:${name}`, name, text: value };
  }
}

function cookie(pair: string): MessageField {
  const [name, value = ''] = split(pair.trim(), '=');
  return { place: `cookie:${name}`, name, text: decoded(value) };
}

function* credentials(name: string, value: string): Generator<MessageField> {
  const [scheme, rest = ''] = split(value, ' ');
  const text = /^basic$/i.test(scheme) ? Buffer.from(rest, 'base64').toString() : rest || value;
  for (const part of text.split(':')) yield { place: `header:${name}`, name, text: part };
}

function* urlFields(place: string, url: string): Generator<MessageField> {
  const [whole, query = ''] = split(url, '?');
  for (const segment of whole.replace(/^[a-z]+:\/\/[^/]*/i, '').split('/')) yield { place, name: '', text: decoded(segment) };
  for (const [name, text] of new URLSearchParams(query)) yield { place: `${place} ?${name}`, name, text };
}

function bodyFields(text: string, contentType: string): MessageField[] {
  const type = (split(contentType, ';')[0] ?? '').trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return pairs(text);
  if (type.startsWith('multipart/')) return multipart(text, contentType);
  if (/xml|html/.test(type)) return texts(text.replace(/<[^>]*>/g, '\n'));
  if (/json/.test(type) || /^\s*[{[]/.test(text)) {
    const documents = parsed(text) ?? text.split('\n').flatMap((line) => parsed(line) ?? []);
    if (documents.length > 0) return documents.flatMap((document) => [...json('json:$', '', document, 0)]);
  }
  return texts(text);
}

function pairs(text: string): MessageField[] {
  return [...new URLSearchParams(text)].map(([name, value]) => ({ place: `form:${name}`, name, text: value }));
}

function multipart(text: string, contentType: string): MessageField[] {
  const boundary = /boundary="?([^";]+)/i.exec(contentType)?.[1] ?? '';
  return text.split(`--${boundary}`).flatMap((part) => {
    const [head, body] = split(part, '\r\n\r\n');
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    return body === undefined ? [] : [{ place: `form:${name}`, name, text: body.trimEnd() }];
  });
}

/** Text has no fields: it is looked at line by line. */
function texts(text: string): MessageField[] {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => ({ place: 'text', name: '', text: line.trim() }));
}

/** The document as the only one of a list; null when it is none. */
function parsed(text: string): unknown[] | null {
  try {
    return [JSON.parse(text.replace(/^\ufeff/, ''))];
  } catch {
    return null;
  }
}

/** Leaves of a document; JSON in a string is opened. */
function* json(place: string, name: string, value: unknown, depth: number): Generator<MessageField> {
  if (depth > NESTING_MAX) return;
  if (Array.isArray(value)) {
    for (const item of value) yield* json(`${place}[*]`, name, item, depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) yield* json(`${place}.${key}`, key, member, depth + 1);
  } else if (typeof value === 'string' && /^\s*[{[]/.test(value) && parsed(value) !== null) {
    for (const document of parsed(value) ?? []) yield* json(`${place} (JSON)`, name, document, depth + 1);
  } else if (typeof value === 'string' || typeof value === 'number') {
    yield { place, name, text: String(value) };
  }
}

/** The body without its codings; null when it was not kept or cannot be opened. */
function openedBody({ head, body }: Message): Buffer | null {
  if (body.wireBytes === 0) return Buffer.alloc(0);
  const content = contentOf(body, head);
  const codings = codingsOf(head.all('content-encoding'));
  return content === null || codings === null ? null : openBody(content.bytes, codings, BODY_BYTES_MAX);
}

/** What stands before the first separator, and behind it. */
function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all: taken as it is.
    return text;
  }
}
