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

/** A request that waits holds all of its slab, so it is small; a buffer for each would cost more than what is in it. */
const slabBytes = 16_384;

/** Bodies up to this size travel in one buffer with the head: one write, one copy. */
const joinBytesMax = 16_384;

/** What happens to a field. */
const Field = {
  keep: 0,
  drop: 1,
  host: 2,
  forwardedPort: 3,
  forwardedProto: 4,
  forwardedHost: 5,
  forwardedFor: 6,
} as const;

export class RequestWriter {
  readonly #authority: string;
  readonly #basePath: string;
  readonly #originalHost: boolean;
  /** What requests are written into, one behind the other, and how much of it they take. */
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #slabUsed = 0;

  /** `host` says whose Host header goes out: the target's or the original one. */
  constructor(url: URL, host: 'target' | 'original') {
    this.#authority = url.host;
    this.#basePath = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
    this.#originalHost = host === 'original';
  }

  /**
   * The request of `exchange`, which must be complete with its body kept, under the replay id `id`. `probability` is that
   * with which it came into the sample, `host` the Host that goes out when it is neither the target's nor the original.
   */
  write(
    exchange: Exchange,
    id: string,
    lane: object | null,
    probability: number,
    host: string | null = null,
  ): OutgoingRequest {
    const { connection, client: clientSide } = exchange;
    const { head, body } = exchange.request;
    const source = head.bytes;
    const absolute = isOriginForm(head) ? null : splitTarget(head);
    const hostIndex = head.indexOf('host');
    const namedAuthority = absolute === null ? null : absolute.authority;
    const originalHost = namedAuthority ?? (hostIndex < 0 ? '' : head.value(hostIndex));
    const goingHost = host ?? (this.#originalHost ? originalHost : this.#authority);
    const listed = listedFields(head);
    const client = connection.address(clientSide);
    const server = connection.endpoint(clientSide === 0 ? 1 : 0);
    const joined = body.wireBytes <= joinBytesMax;
    // Everything that can be written beside the head itself.
    const addedMax = 2 * (client.length + originalHost.length) + goingHost.length + server.length + id.length;
    const bytesMax = source.length + this.#basePath.length + addedMax + fixedBytesMax + (joined ? body.wireBytes : 0);
    const start = this.#makeRoom(bytesMax);
    const out = this.#slab;
    let at = this.#writeRequestLine(head, absolute === null ? null : absolute.path, out, start);
    let lastForwardedFor = -1;
    let portSeen = false;
    let protoSeen = false;
    let forwardedHostSeen = false;
    // Lines that stay are copied in runs.
    let from = head.fieldsStart;
    const { count } = head;
    for (let index = 0; index < count; index++) {
      let field = classify(head, index);
      if (listed !== null && listed.has(head.name(index).toLowerCase())) field = Field.drop;
      switch (field) {
        case Field.keep:
          continue;
        case Field.forwardedPort:
          portSeen = true;
          continue;
        case Field.forwardedProto:
          protoSeen = true;
          continue;
        case Field.forwardedHost:
          forwardedHostSeen = true;
          continue;
        case Field.drop:
          at = copyBytes(source, from, head.lineStart(index), out, at);
          break;
        case Field.host:
          if (index === hostIndex) {
            at = copyBytes(source, from, head.valueStart(index), out, at);
            at = writeLine(goingHost, out, at);
          } else {
            at = copyBytes(source, from, head.lineStart(index), out, at);
          }
          break;
        default: {
          // The client is appended to the last of several.
          if (lastForwardedFor < 0) lastForwardedFor = head.lastIndexOf('x-forwarded-for');
          if (index !== lastForwardedFor) continue;
          const end = head.valueEnd(index);
          at = copyBytes(source, from, end, out, at);
          if (end > head.valueStart(index)) at = writeText(', ', out, at);
          at = writeLine(client, out, at);
        }
      }
      from = head.lineEnd(index);
    }
    if (count > 0) at = copyBytes(source, from, head.lineEnd(count - 1), out, at);

    // Only what is older than HTTP/1.1 comes without a Host.
    let added = hostIndex < 0 && host !== null ? `Host: ${host}\r\n` : '';
    if (lastForwardedFor < 0) added += `X-Forwarded-For: ${client}\r\n`;
    if (!portSeen) added += `X-Forwarded-Port: ${connection.ports[clientSide === 0 ? 1 : 0]}\r\n`;
    if (!protoSeen) added += 'X-Forwarded-Proto: http\r\n';
    if (!forwardedHostSeen && originalHost !== '') added += `X-Forwarded-Host: ${originalHost}\r\n`;
    // HTTP/1.0 closes unless asked not to (RFC 9112 section 9.3), and a connection for each request costs the target.
    if (isHttp10(head)) added += 'Connection: keep-alive\r\n';
    added += `${REPLAY_ID_HEADER}: ${id}\r\nX-Doubletake-Mirrored-From: ${server}\r\n\r\n`;
    at += out.write(added, at, 'latin1');

    const wire = body.wire ?? [];
    if (joined) for (const chunk of wire) at += chunk.copy(out, at);
    this.#slabUsed = at;
    const bytes = out.subarray(start, at);
    return {
      bytes: joined ? [bytes] : [bytes, ...wire],
      length: joined ? at - start : at - start + body.wireBytes,
      method: head.method,
      lane,
      timeUs: exchange.request.startUs,
      probability,
    };
  }

  /** Where `bytes` more fit into the slab, which may be a new one. */
  #makeRoom(bytes: number): number {
    if (this.#slabUsed + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
      this.#slabUsed = 0;
    }
    return this.#slabUsed;
  }

  /** `path` is null for a target that stays as it came. */
  #writeRequestLine(head: MessageHead, path: string | null, out: Buffer, start: number): number {
    const source = head.bytes;
    let at = copyBytes(source, 0, head.targetStart, out, start);
    if (path === null) {
      at = writeText(this.#basePath, out, at);
      at = copyBytes(source, head.targetStart, head.targetEnd, out, at);
    } else {
      if (path.startsWith('/')) at = writeText(this.#basePath, out, at);
      at = writeText(path, out, at);
    }
    if (head.versionEnd === head.versionStart) return writeLine(' HTTP/1.0', out, at);
    return copyBytes(source, head.targetEnd, head.fieldsStart, out, at);
  }
}

/** Names, separators and constant values of all fields that are added, and the empty line. */
const fixedBytesMax = 256;

function writeLine(text: string, out: Buffer, at: number): number {
  const end = writeText(text, out, at);
  out[end] = 13;
  out[end + 1] = 10;
  return end + 2;
}

/** Writes latin1 text; returns the offset behind it. For texts as short as these a loop beats a native call. */
function writeText(text: string, out: Buffer, at: number): number {
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index);
  return at + text.length;
}

function isOriginForm(head: MessageHead): boolean {
  return head.bytes[head.targetStart] === 0x2f;
}

/** Below this, a loop is cheaper than `Buffer.copy`, which makes a view first. */
const loopBytesMax = 256;

/** Copies `source[start..end)` to `target` at `at`; returns the offset behind it. */
function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  if (end - start > loopBytesMax) return at + source.copy(target, at, start, end);
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from];
  return at + end - start;
}

/**
 * Path and query of a target that is not in origin form (RFC 9112 section 3.2), and the authority that an absolute-form
 * one names.
 */
function splitTarget(head: MessageHead): { path: string; authority: string | null } {
  const { target } = head;
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
      return is('connection') || is('keep-alive') ? Field.drop : Field.keep;
    case 14:
      return is('http2-settings') ? Field.drop : Field.keep;
    case 15:
      return is('x-forwarded-for') ? Field.forwardedFor : Field.keep;
    case 16:
      if (is('proxy-connection')) return Field.drop;
      if (is('x-forwarded-port')) return Field.forwardedPort;
      return is('x-forwarded-host') ? Field.forwardedHost : Field.keep;
    case 17:
      return is('x-forwarded-proto') ? Field.forwardedProto : Field.keep;
    case 19:
      return is('proxy-authorization') ? Field.drop : Field.keep;
    default:
      return Field.keep;
  }
}

/** Fields that Connection can never make go away: without them the request would mean something else. */
const neverListed: ReadonlySet<string> = new Set([
  '',
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

/** Lower-case names of the fields that Connection fields list (RFC 9110 section 7.6.1), or null when there are none. */
function listedFields(head: MessageHead): ReadonlySet<string> | null {
  const first = head.indexOf('connection');
  if (first < 0 || (isUsual(head, first) && head.indexOf('connection', first + 1) < 0)) return null;
  const names = head.all('connection').flatMap((value) => value.split(','));
  const listed = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => !neverListed.has(name)));
  return listed.size > 0 ? listed : null;
}

/** `keep-alive` or `close` alone. */
function isUsual(head: MessageHead, index: number): boolean {
  const start = head.valueStart(index);
  const length = head.valueEnd(index) - start;
  if (length === 10) return matchesIgnoringCase(head.bytes, start, 'keep-alive');
  return length === 5 && matchesIgnoringCase(head.bytes, start, 'close');
}

function isHttp10(head: MessageHead): boolean {
  const { bytes, versionStart, versionEnd } = head;
  if (versionEnd === versionStart) return true;
  return versionEnd - versionStart === 8 && bytes[versionEnd - 1] === 0x30 && bytes[versionEnd - 3] === 0x31;
}
