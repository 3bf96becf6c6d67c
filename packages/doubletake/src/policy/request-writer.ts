/**
 * Writes a captured request in the form in which it goes to a target: the bytes as they came, but for what a proxy must
 * change (RFC 9110 section 7.6), the target's authority, and the headers that say where the request comes from.
 *
 * The request line, the order, case and number of the headers, and the body with its framing stay. Where bytes go is
 * the target URL's to say: an absolute-form target loses its authority, so that a target that is itself a proxy cannot
 * be made to call anybody.
 */
import { matchesIgnoringCase } from '../http/bytes.ts';
import type { Exchange } from '../http/exchange.ts';
import type { MessageHead } from '../http/head.ts';
import type { OutgoingRequest } from '../replay/target.ts';
import { REPLAY_ID_HEADER } from './policy.ts';

/** Bodies up to this size travel in one buffer with the head: one write, one copy. */
const joinBytesMax = 16_384;

/** What happens to a field. */
const Field = { keep: 0, drop: 1, host: 2, connection: 3, forwardedFor: 4, forwardedSeen: 5 } as const;

export class RequestWriter {
  readonly #authority: string;
  readonly #basePath: string;
  readonly #originalHost: boolean;

  /** `host` says whose Host header goes out: the target's or the original one. */
  constructor(url: URL, host: 'target' | 'original') {
    this.#authority = url.host;
    this.#basePath = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
    this.#originalHost = host === 'original';
  }

  /** The request of `exchange`, which must be complete with its body kept, under the replay id `id`. */
  write(exchange: Exchange, id: string, lane: object | null): OutgoingRequest {
    const { head, body } = exchange.request;
    const target = splitTarget(head);
    const edits = new HeadEdits(head);
    let host = target.authority;
    let hostSeen = false;
    let forwardedForSeen = false;
    let forwardedHostSeen = false;
    let forwardedPortSeen = false;
    let forwardedProtoSeen = false;
    const client = exchange.connection.address(exchange.client);
    for (let index = 0; index < head.count; index++) {
      switch (classify(head, index)) {
        case Field.keep:
          break;
        case Field.drop:
          edits.drop(index);
          break;
        case Field.host: {
          if (hostSeen) {
            edits.drop(index);
            break;
          }
          hostSeen = true;
          host ??= head.value(index);
          const wanted = this.#originalHost ? target.authority : this.#authority;
          if (wanted !== null) edits.replaceValue(index, wanted);
          break;
        }
        case Field.connection:
          edits.drop(index);
          dropListed(head, head.value(index), edits);
          break;
        case Field.forwardedFor:
          // The client is appended to the last of several.
          if (!forwardedForSeen) {
            forwardedForSeen = true;
            const last = lastIndexOf(head, 'x-forwarded-for', index);
            const value = head.value(last);
            edits.replaceValue(last, value === '' ? client : `${value}, ${client}`);
          }
          break;
        case Field.forwardedSeen: {
          const length = head.nameEnd(index) - head.lineStart(index);
          if (length === 17) forwardedProtoSeen = true;
          else if (matchesIgnoringCase(head.bytes, head.lineStart(index), 'x-forwarded-port')) forwardedPortSeen = true;
          else forwardedHostSeen = true;
          break;
        }
      }
    }
    const server = exchange.client === 0 ? 1 : 0;
    let added = '';
    if (!forwardedForSeen) added += `X-Forwarded-For: ${client}\r\n`;
    if (!forwardedPortSeen) added += `X-Forwarded-Port: ${exchange.connection.ports[server]}\r\n`;
    if (!forwardedProtoSeen) added += 'X-Forwarded-Proto: http\r\n';
    if (!forwardedHostSeen && host !== null && host !== '') added += `X-Forwarded-Host: ${host}\r\n`;
    // HTTP/1.0 closes unless asked not to (RFC 9112 section 9.3), and a connection for each request costs the target.
    if (isHttp10(head)) added += 'Connection: keep-alive\r\n';
    added += `${REPLAY_ID_HEADER}: ${id}\r\nX-Doubletake-Mirrored-From: ${exchange.connection.endpoint(server)}\r\n\r\n`;

    const wire = body.wire ?? [];
    const path = target.path.startsWith('/') ? this.#basePath + target.path : target.path;
    const joined = body.wireBytes <= joinBytesMax;
    const bytes = edits.write(path, added, joined ? wire : [], joined ? body.wireBytes : 0);
    return {
      bytes: joined ? [bytes] : [bytes, ...wire],
      length: joined ? bytes.length : bytes.length + body.wireBytes,
      method: head.method,
      lane,
    };
  }
}

/** Changes to the field lines of a head, gathered and then written in one pass; few requests need more than three. */
class HeadEdits {
  readonly #head: MessageHead;
  readonly #replaced: (string | undefined)[] = [];

  constructor(head: MessageHead) {
    this.#head = head;
  }

  /** Removes a whole field line. An empty replacement stands for that: no replaced value is empty. */
  drop(index: number): void {
    this.#replaced[index] = '';
  }

  replaceValue(index: number, value: string): void {
    this.#replaced[index] ??= value;
  }

  /** The request line with `target`, the fields with the changes, `added` with the empty line, then the body. */
  write(target: string, added: string, body: readonly Buffer[], bodyBytes: number): Buffer {
    const head = this.#head;
    const source = head.bytes;
    let size = source.length + target.length + added.length + bodyBytes + 16;
    for (const value of this.#replaced) if (value !== undefined) size += value.length;
    const out = Buffer.allocUnsafe(size);
    let at = copyBytes(source, 0, head.targetStart, out, 0);
    at += out.write(target, at, 'latin1');
    if (head.versionEnd > head.versionStart) {
      at += copyBytes(source, head.targetEnd, head.fieldsStart, out, at);
    } else {
      at += out.write(' HTTP/1.0\r\n', at, 'latin1');
    }
    // Runs of lines that stay are copied at once.
    let from = head.fieldsStart;
    for (let index = 0; index < this.#replaced.length; index++) {
      const value = this.#replaced[index];
      if (value === undefined) continue;
      if (value === '') {
        at += copyBytes(source, from, head.lineStart(index), out, at);
      } else {
        at += copyBytes(source, from, head.valueStart(index), out, at);
        at += out.write(value, at, 'latin1');
        at += out.write('\r\n', at, 'latin1');
      }
      from = head.lineEnd(index);
    }
    if (head.count > 0) at += copyBytes(source, from, head.lineEnd(head.count - 1), out, at);
    at += out.write(added, at, 'latin1');
    for (const chunk of body) at += chunk.copy(out, at);
    return out.subarray(0, at);
  }
}

/** Below this, a loop is cheaper than `Buffer.copy`, which makes a view first. */
const loopBytesMax = 256;

/** Copies `source[start..end)` to `target` at `at`; returns how many bytes that were. */
function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  if (end - start > loopBytesMax) return source.copy(target, at, start, end);
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from];
  return end - start;
}

/**
 * Origin-form path and query of any request target (RFC 9112 section 3.2), and the authority that an absolute-form one
 * names.
 */
function splitTarget(head: MessageHead): { path: string; authority: string | null } {
  const { target } = head;
  if (target.startsWith('/') || target === '*') return { path: target, authority: null };
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (absolute === null) return { path: target, authority: null };
  const authority = (absolute[1] ?? '').replace(/^.*@/s, '');
  const rest = absolute[2] ?? '';
  if (rest === '' && head.method === 'OPTIONS') return { path: '*', authority };
  return { path: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

/** By the length of the name, so that most fields cost one comparison of numbers. */
function classify(head: MessageHead, index: number): number {
  const { bytes } = head;
  const start = head.lineStart(index);
  const is = (name: string): boolean => matchesIgnoringCase(bytes, start, name);
  switch (head.nameEnd(index) - start) {
    case 2:
      return is('te') ? Field.drop : Field.keep;
    case 4:
      return is('host') ? Field.host : Field.keep;
    case 7:
      return is('upgrade') ? Field.drop : Field.keep;
    case 10:
      if (is('connection')) return Field.connection;
      return is('keep-alive') ? Field.drop : Field.keep;
    case 14:
      return is('http2-settings') ? Field.drop : Field.keep;
    case 15:
      return is('x-forwarded-for') ? Field.forwardedFor : Field.keep;
    case 16:
      if (is('proxy-connection')) return Field.drop;
      return is('x-forwarded-port') || is('x-forwarded-host') ? Field.forwardedSeen : Field.keep;
    case 17:
      return is('x-forwarded-proto') ? Field.forwardedSeen : Field.keep;
    case 19:
      return is('proxy-authorization') ? Field.drop : Field.keep;
    default:
      return Field.keep;
  }
}

/** Fields that Connection can never make go away: without them the request would mean something else. */
const neverListed: ReadonlySet<string> = new Set([
  'close',
  'keep-alive',
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'cookie',
  'authorization',
  'x-forwarded-for',
]);

/** Drops the fields that a Connection field names (RFC 9110 section 7.6.1). */
function dropListed(head: MessageHead, connection: string, edits: HeadEdits): void {
  if (/^(keep-alive|close)$/i.test(connection)) return;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  const listed = names.filter((name) => name !== '' && !neverListed.has(name));
  if (listed.length === 0) return;
  for (let index = 0; index < head.count; index++) {
    if (listed.includes(head.name(index).toLowerCase())) edits.drop(index);
  }
}

function lastIndexOf(head: MessageHead, name: string, from: number): number {
  let last = from;
  for (let index = from + 1; index < head.count; index++) {
    if (head.name(index).toLowerCase() === name) last = index;
  }
  return last;
}

function isHttp10(head: MessageHead): boolean {
  const { bytes, versionStart, versionEnd } = head;
  if (versionEnd === versionStart) return true;
  return versionEnd - versionStart === 8 && bytes[versionEnd - 1] === 0x30 && bytes[versionEnd - 3] === 0x31;
}
