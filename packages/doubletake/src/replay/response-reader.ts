/**
 * Reads one HTTP/1 response at a time off a connection: bytes in, and the offset behind the response out. Interim
 * responses (1xx) are skipped, the body is counted and, within a limit, kept. How the body ends follows RFC 9112
 * section 6.3. Bounded: the head, the number of interim heads, the body kept. No sockets, no clocks.
 */
import { ChunkedDecoder, type ChunkSink } from './chunked-decoder.ts';
import { createResponseHead, findHeadEnd, parseResponseHead } from './response-head.ts';

/** `push` needs more bytes. */
export const NEED_MORE = -1;
/** `push` met something that is no HTTP/1 response; `error` says what. */
export const BROKEN = -2;

const HEAD_BYTES_MAX = 256 * 1024;
const INTERIM_RESPONSES_MAX = 16;

const NO_BYTES = Buffer.alloc(0);
const STATUS_LINE_PREFIX = Buffer.from('HTTP/1.');

type Phase = 'head' | 'length' | 'chunked' | 'close';

export class ResponseReader implements ChunkSink {
  status = 0;
  /** The final response's head as received; empty until it is whole. */
  head: Buffer = NO_BYTES;
  /** Body bytes so far, transfer coding removed. */
  bodyBytes = 0;
  /** Bytes of the final response (or of an interim one that is not over) have been seen. */
  begun = false;
  /** What is wrong, once `push` returned `BROKEN`. */
  error = '';
  /** The connection may carry another request; valid once the response ended. */
  persistent = false;
  /** How long the server said it keeps the connection idle; -1 when it did not. */
  keepAliveTimeoutMs = -1;

  readonly #keepBytesMax: number;
  readonly #parsed = createResponseHead();
  readonly #chunked = new ChunkedDecoder();
  #method = '';
  #phase: Phase = 'head';
  #remaining = 0;
  #interim = 0;
  /** An incomplete head, gathered; null while heads come whole. */
  #partial: Buffer | null = null;
  #partialBytes = 0;
  /** The body kept so far; grown by doubling, so that tiny chunks cost no object each. */
  #kept: Buffer = NO_BYTES;
  #keepOverflow = false;

  constructor(keepBodyBytesMax: number) {
    this.#keepBytesMax = keepBodyBytesMax;
  }

  /** Makes ready for the response to a request with this method. */
  begin(method: string): void {
    this.#method = method;
    this.status = 0;
    this.head = NO_BYTES;
    this.bodyBytes = 0;
    this.begun = false;
    this.persistent = false;
    this.#phase = 'head';
    this.#interim = 0;
    this.#partial = null;
    this.#partialBytes = 0;
    this.#kept = NO_BYTES;
    this.#keepOverflow = false;
  }

  /** The body, when it was to be kept and was not too large, else null. */
  body(): Buffer | null {
    if (this.#keepBytesMax === 0 || this.#keepOverflow) return null;
    return this.#kept.subarray(0, this.bodyBytes);
  }

  /** Takes `bytes[start..end)`; returns the offset behind the response when it ended, `NEED_MORE`, or `BROKEN`. */
  push(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#phase === 'head') {
      if (at === end) return NEED_MORE;
      this.begun = true;
      at = this.#partial === null ? this.#readHead(bytes, at, end) : this.#resumeHead(this.#partial, bytes, at, end);
      if (at < 0) return at;
    }
    return this.#readBody(bytes, at, end);
  }

  /** The server closed its side. True when that completes the response. */
  end(): boolean {
    return this.#phase === 'close';
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    const before = this.bodyBytes;
    this.bodyBytes += end - start;
    if (this.#keepBytesMax === 0 || this.#keepOverflow) return;
    if (this.bodyBytes > this.#keepBytesMax) {
      this.#keepOverflow = true;
      this.#kept = NO_BYTES;
      return;
    }
    if (this.bodyBytes > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#keepBytesMax, this.bodyBytes * 2));
      this.#kept.copy(larger, 0, 0, before);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, before, start, end);
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const headEnd = findHeadEnd(bytes, start, end);
    if (headEnd >= 0) return this.#headWhole(bytes, start, headEnd, headEnd);
    if (!looksLikeStatusLine(bytes, start, end)) return this.#broken('not an HTTP/1 status line');
    if (end - start >= HEAD_BYTES_MAX) return this.#broken('response head too large');
    this.#partial = Buffer.allocUnsafe(Math.max(1024, (end - start) * 2));
    this.#partialBytes = bytes.copy(this.#partial, 0, start, end);
    return NEED_MORE;
  }

  /** Adds to a head that came in pieces; linear however small they are. */
  #resumeHead(partial: Buffer, bytes: Buffer, start: number, end: number): number {
    const before = this.#partialBytes;
    const take = Math.min(end - start, HEAD_BYTES_MAX - before);
    if (before + take > partial.length) {
      const larger = Buffer.allocUnsafe(Math.min(HEAD_BYTES_MAX, (before + take) * 2));
      partial.copy(larger, 0, 0, before);
      partial = larger;
      this.#partial = larger;
    }
    bytes.copy(partial, before, start, start + take);
    this.#partialBytes = before + take;
    const headEnd = findHeadEnd(partial, Math.max(0, before - 3), this.#partialBytes);
    if (headEnd < 0) {
      if (this.#partialBytes === HEAD_BYTES_MAX) return this.#broken('response head too large');
      if (looksLikeStatusLine(partial, 0, this.#partialBytes)) return NEED_MORE;
      return this.#broken('not an HTTP/1 status line');
    }
    this.#partial = null;
    this.#partialBytes = 0;
    return this.#headWhole(partial, 0, headEnd, start + (headEnd - before));
  }

  /** Decides what follows the head `bytes[start..end)`; returns `next`, where that begins, or `BROKEN`. */
  #headWhole(bytes: Buffer, start: number, end: number, next: number): number {
    const parsed = this.#parsed;
    if (end - start > HEAD_BYTES_MAX) return this.#broken('response head too large');
    const problem = parseResponseHead(bytes, start, end, parsed);
    if (problem !== null) return this.#broken(problem);
    const { status } = parsed;
    if (status < 200 && status !== 101) {
      this.begun = false;
      return ++this.#interim > INTERIM_RESPONSES_MAX ? this.#broken('too many interim responses') : next;
    }
    this.status = status;
    this.head = copyOf(bytes, start, end);
    this.keepAliveTimeoutMs = parsed.keepAliveTimeoutMs;
    const tunnel = status === 101 || (this.#method === 'CONNECT' && status < 300);
    this.persistent = !tunnel && !parsed.close && (parsed.minorVersion === 1 || parsed.keepAlive);
    if (tunnel || this.#method === 'HEAD' || status === 204 || status === 304) this.#expectLength(0);
    else if (parsed.transferCoding === 'chunked') {
      // An HTTP/1.0 peer that chunks is not to be trusted with a second request (RFC 9112 section 6.1).
      if (parsed.minorVersion === 0) this.persistent = false;
      this.#phase = 'chunked';
      this.#chunked.reset();
    } else if (parsed.contentLength >= 0) this.#expectLength(parsed.contentLength);
    else {
      this.#phase = 'close';
      this.persistent = false;
    }
    return next;
  }

  #expectLength(bytes: number): void {
    this.#phase = 'length';
    this.#remaining = bytes;
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    if (this.#phase === 'chunked') {
      const at = this.#chunked.push(bytes, start, end, this);
      return at === BROKEN ? this.#broken(this.#chunked.error) : at;
    }
    if (this.#phase === 'close') {
      this.bodyData(bytes, start, end);
      return NEED_MORE;
    }
    const take = Math.min(this.#remaining, end - start);
    this.bodyData(bytes, start, start + take);
    this.#remaining -= take;
    return this.#remaining === 0 ? start + take : NEED_MORE;
  }

  #broken(problem: string): number {
    this.error = problem;
    return BROKEN;
  }
}

/** Garbage is told at once, not when the target or a timeout ends it. */
function looksLikeStatusLine(bytes: Buffer, start: number, end: number): boolean {
  const length = Math.min(STATUS_LINE_PREFIX.length, end - start);
  return bytes.compare(STATUS_LINE_PREFIX, 0, length, start, start + length) === 0;
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
