/**
 * Reads the head of an HTTP/1 response: status line and those headers that say how the body is framed and whether the
 * connection lives on (RFC 9112 sections 4, 5, 6 and 9). Everything else is checked for form and skipped.
 *
 * Strict, because a target that a new version broke must not pass as well: lines end in CRLF, names are tokens directly
 * followed by a colon, values hold no NUL, CR or LF, and framing that could be read two ways is an error.
 */
import { isTokenByte } from '../token.ts';

export interface ResponseHead {
  status: number;
  /** 0 or 1. */
  minorVersion: number;
  /** -1 when absent. */
  contentLength: number;
  transferCoding: 'none' | 'chunked' | 'other';
  /** The `Connection` header holds `close`, or `keep-alive`. */
  close: boolean;
  keepAlive: boolean;
  /** From `Keep-Alive: timeout=N`; -1 when absent. */
  keepAliveTimeoutMs: number;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const ZERO = 48;
/** Longest Content-Length that a double holds exactly, in digits. */
const LENGTH_DIGITS_MAX = 15;

export function createResponseHead(): ResponseHead {
  return {
    status: 0,
    minorVersion: 1,
    contentLength: -1,
    transferCoding: 'none',
    close: false,
    keepAlive: false,
    keepAliveTimeoutMs: -1,
  };
}

/** Offset behind the first CR LF CR LF that begins at or after `from`, or -1; looks no further than `end`. */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  let at = from + 3;
  while (at < end) {
    const byte = bytes[at];
    if (byte > CR) at += 4;
    else if (byte === CR) at += 1;
    else if (byte === LF) {
      if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
      at += 2;
    } else at += 4;
  }
  return -1;
}

/**
 * Reads the head in `bytes[start..end)`, which ends in CR LF CR LF, into `head`.
 * Returns null, or what is wrong with it.
 */
export function parseResponseHead(bytes: Buffer, start: number, end: number, head: ResponseHead): string | null {
  head.contentLength = -1;
  head.transferCoding = 'none';
  head.close = false;
  head.keepAlive = false;
  head.keepAliveTimeoutMs = -1;

  // status-line = "HTTP/1." DIGIT SP 3DIGIT [SP reason-phrase]; the second space is often missing in practice.
  if (!equalsIgnoreCase(bytes, start, 'http/1.') || bytes[start] !== 72) return 'not an HTTP/1 status line';
  const minor = bytes[start + 7] - ZERO;
  const status = threeDigits(bytes, start + 9);
  const behind = bytes[start + 12];
  if (!(minor >= 0 && minor <= 9) || bytes[start + 8] !== SPACE || status < 100) return 'malformed status line';
  if (behind !== SPACE && behind !== CR) return 'malformed status line';
  head.status = status;
  head.minorVersion = minor === 0 ? 0 : 1;
  let at = lineEnd(bytes, start + 12, end);
  if (at < 0) return 'stray control character in the status line';
  at += 2;

  let foldable = false;
  while (at < end - 2) {
    const first = bytes[at];
    if (first === SPACE || first === TAB) {
      // An obsolete fold continues a value (RFC 9112 section 5.2): harmless unless the value frames the message.
      if (!foldable) return 'folded framing header';
      at = lineEnd(bytes, at, end);
      if (at < 0) return 'stray control character in a header';
      at += 2;
      continue;
    }
    const nameStart = at;
    while (isTokenByte(bytes[at])) at++;
    if (bytes[at] !== COLON || at === nameStart) return 'malformed header name';
    const nameLength = at - nameStart;
    const valueEnd = lineEnd(bytes, at + 1, end);
    if (valueEnd < 0) return 'stray control character in a header';
    foldable = true;
    if (nameLength === 10 || nameLength === 14 || nameLength === 17) {
      const problem = readHeader(bytes, nameStart, nameLength, at + 1, valueEnd, head);
      if (problem === FRAMING) foldable = false;
      else if (problem !== null) return problem;
    }
    at = valueEnd + 2;
  }
  if (head.contentLength >= 0 && head.transferCoding !== 'none') return 'both Content-Length and Transfer-Encoding';
  return null;
}

/** Not a problem: the header frames the message. */
const FRAMING = 'framing';

/** Reads one header whose name has the length of one that matters: null, `FRAMING`, or what is wrong. */
function readHeader(
  bytes: Buffer,
  nameStart: number,
  nameLength: number,
  from: number,
  to: number,
  head: ResponseHead,
): string | null {
  while (from < to && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
  while (to > from && (bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  if (nameLength === 14) {
    return equalsIgnoreCase(bytes, nameStart, 'content-length') ? readContentLength(bytes, from, to, head) : null;
  }
  if (nameLength === 17) {
    return equalsIgnoreCase(bytes, nameStart, 'transfer-encoding') ? readTransferCoding(bytes, from, to, head) : null;
  }
  if (equalsIgnoreCase(bytes, nameStart, 'connection')) readConnection(bytes, from, to, head);
  else if (equalsIgnoreCase(bytes, nameStart, 'keep-alive')) {
    const timeout = /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,9})/i.exec(bytes.toString('latin1', from, to));
    if (timeout !== null) head.keepAliveTimeoutMs = Number(timeout[1]) * 1000;
  }
  return null;
}

/** One length, or a list of equal ones (RFC 9112 section 6.3, item 5). */
function readContentLength(bytes: Buffer, from: number, to: number, head: ResponseHead): string {
  let value = 0;
  let digits = 0;
  for (let at = from; at <= to; at++) {
    const byte = at < to ? bytes[at] : 44;
    if (byte >= ZERO && byte <= 57) {
      if (++digits > LENGTH_DIGITS_MAX) return 'invalid Content-Length';
      value = value * 10 + (byte - ZERO);
    } else if (byte === 44 && digits > 0) {
      if (head.contentLength >= 0 && head.contentLength !== value) return 'conflicting Content-Length';
      head.contentLength = value;
      value = 0;
      digits = 0;
      while (at + 1 < to && bytes[at + 1] === SPACE) at++;
    } else return 'invalid Content-Length';
  }
  return FRAMING;
}

/** The last coding decides; `chunked` anywhere else makes the end of the message unknowable (RFC 9112 section 6.1). */
function readTransferCoding(bytes: Buffer, from: number, to: number, head: ResponseHead): string {
  for (const coding of bytes.toString('latin1', from, to).toLowerCase().split(',')) {
    const name = coding.trim();
    if (head.transferCoding === 'chunked' || name === '') return 'invalid Transfer-Encoding';
    head.transferCoding = name === 'chunked' ? 'chunked' : 'other';
  }
  return FRAMING;
}

function readConnection(bytes: Buffer, from: number, to: number, head: ResponseHead): void {
  if (to - from === 10 && equalsIgnoreCase(bytes, from, 'keep-alive')) head.keepAlive = true;
  else if (to - from === 5 && equalsIgnoreCase(bytes, from, 'close')) head.close = true;
  else {
    for (const option of bytes.toString('latin1', from, to).toLowerCase().split(',')) {
      const name = option.trim();
      if (name === 'close') head.close = true;
      else if (name === 'keep-alive') head.keepAlive = true;
    }
  }
}

/** Offset of the CR of the CRLF that ends the line, or -1 when a NUL, bare CR or bare LF comes first. */
function lineEnd(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at];
    if (byte <= CR && (byte === CR || byte === LF || byte === 0)) {
      return byte === CR && bytes[at + 1] === LF ? at : -1;
    }
    at++;
  }
  return -1;
}

/** Whether `bytes` hold `lower`, which is lower-case ASCII, from `start` on; only letters are folded. */
function equalsIgnoreCase(bytes: Buffer, start: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    const wanted = lower.charCodeAt(index);
    const byte = bytes[start + index];
    if (byte !== wanted && !(wanted >= 97 && wanted <= 122 && (byte | 0x20) === wanted)) return false;
  }
  return true;
}

function threeDigits(bytes: Buffer, at: number): number {
  const [a, b, c] = [bytes[at] - ZERO, bytes[at + 1] - ZERO, bytes[at + 2] - ZERO];
  const valid = a >= 0 && a <= 9 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
  return valid ? a * 100 + b * 10 + c : -1;
}
