/**
 * What the beginning of a message looks like. Three questions of rising strictness are answered here, all on bytes that
 * may be cut off anywhere, so each answer is `no`, `prefix` (nothing contradicts yet) or `yes`:
 * could these bytes grow into a start line at all (in step, where production decides what is valid), do they prove the
 * start of a message (mid-stream and behind losses, where body text must never be taken for one), and are they the
 * preface of another protocol.
 */
import { isTokenByte } from '../token.ts';
import { Ascii, isDigit, matchesIgnoringCase } from './bytes.ts';

export const StartMatch = { no: 0, prefix: 1, yes: 2 } as const;
export type StartMatch = (typeof StartMatch)[keyof typeof StartMatch];

export const Preface = { no: 0, prefix: 1, tls: 2, http2: 3 } as const;
export type Preface = (typeof Preface)[keyof typeof Preface];

/** No registered method has more than 17 letters; words of body text that run longer are not taken for one. */
const METHOD_BYTES_MAX = 64;
/** The registry of RFC 9110 section 16.1, and what caches and search servers use besides. */
const METHODS = (
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK ' +
  'MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH PURGE QUERY REBIND ' +
  'REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL BAN SUBSCRIBE UNSUBSCRIBE'
).split(' ');
/** A TLS record is at most 2^14 bytes and what encryption adds (RFC 5246 section 6.2.3). */
const TLS_RECORD_BYTES_MAX = 16_384 + 2_048;
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const REQUEST_VERSION = Buffer.from('HTTP/1.', 'latin1');
const STATUS_VERSION = 'http/';

/**
 * Whether a request provably starts here: `token SP target SP HTTP/1.d CRLF` and then the name of a field with its colon,
 * or the empty line. Only a registered method counts: the rest of a word in some body is a token too.
 */
export function matchRequestStart(bytes: Uint8Array, start: number, end: number): StartMatch {
  let at = start;
  while (at < end && isTokenByte(bytes[at])) at++;
  if (at - start > METHOD_BYTES_MAX) return StartMatch.no;
  if (at < end && (at === start || bytes[at] !== Ascii.space)) return StartMatch.no;
  const match = at === end ? StartMatch.prefix : matchBehindMethod(bytes, at + 1, end);
  return match !== StartMatch.no && !isRegisteredMethod(bytes, start, at, at < end) ? StartMatch.no : match;
}

/** Whether `[start, end)` is a registered method, or begins one unless it has to be `whole`. */
function isRegisteredMethod(bytes: Uint8Array, start: number, end: number, whole: boolean): boolean {
  const length = end - start;
  return METHODS.some((method) => {
    if (whole ? method.length !== length : method.length < length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== method.charCodeAt(index)) return false;
    }
    return true;
  });
}

function matchBehindMethod(bytes: Uint8Array, targetStart: number, end: number): StartMatch {
  let at = targetStart;
  while (at < end && bytes[at] > Ascii.space && bytes[at] !== Ascii.delete) at++;
  if (at === end) return StartMatch.prefix;
  if (at === targetStart || bytes[at] !== Ascii.space) return StartMatch.no;
  at++;
  for (let index = 0; index < REQUEST_VERSION.length; index++, at++) {
    if (at === end) return StartMatch.prefix;
    if (bytes[at] !== REQUEST_VERSION[index]) return StartMatch.no;
  }
  if (at === end) return StartMatch.prefix;
  if (!isDigit(bytes[at++])) return StartMatch.no;
  const lineEnd = matchLineEnd(bytes, at, end);
  return lineEnd === StartMatch.yes ? matchFieldStart(bytes, at + 2, end) : lineEnd;
}

function matchLineEnd(bytes: Uint8Array, at: number, end: number): StartMatch {
  if (at === end) return StartMatch.prefix;
  if (bytes[at] !== Ascii.cr) return StartMatch.no;
  if (at + 1 === end) return StartMatch.prefix;
  return bytes[at + 1] === Ascii.lf ? StartMatch.yes : StartMatch.no;
}

function matchFieldStart(bytes: Uint8Array, start: number, end: number): StartMatch {
  if (start < end && bytes[start] === Ascii.cr) return matchLineEnd(bytes, start, end);
  let at = start;
  while (at < end && isTokenByte(bytes[at])) at++;
  if (at === end) return StartMatch.prefix;
  return at > start && bytes[at] === Ascii.colon ? StartMatch.yes : StartMatch.no;
}

/** Whether a response provably starts here: `HTTP/1.d SP ddd` and then a space or the end of the line. */
export function matchResponseStart(bytes: Uint8Array, start: number, end: number): StartMatch {
  for (let index = 0; index < 13; index++) {
    if (start + index >= end) return StartMatch.prefix;
    const byte = bytes[start + index];
    if (index < 7 ? byte !== REQUEST_VERSION[index] : !fitsStatusLine(byte, index)) return StartMatch.no;
  }
  return StartMatch.yes;
}

function fitsStatusLine(byte: number, index: number): boolean {
  if (index === 8) return byte === Ascii.space;
  if (index < 12) return isDigit(byte);
  return byte === Ascii.space || byte === Ascii.cr || byte === Ascii.lf;
}

/** A TLS record header (RFC 8446 section 5.1) or the client's preface of HTTP/2 (RFC 9113 section 3.4). */
export function matchPreface(bytes: Uint8Array, start: number, end: number): Preface {
  const length = end - start;
  if (length === 0) return Preface.prefix;
  const first = bytes[start];
  if (first >= 0x14 && first <= 0x17) {
    if (length > 1 && bytes[start + 1] !== 3) return Preface.no;
    if (length > 2 && bytes[start + 2] > 4) return Preface.no;
    if (length < 5) return Preface.prefix;
    const recordBytes = bytes[start + 3] * 256 + bytes[start + 4];
    return recordBytes > 0 && recordBytes <= TLS_RECORD_BYTES_MAX ? Preface.tls : Preface.no;
  }
  const compared = Math.min(length, HTTP2_PREFACE.length);
  for (let index = 0; index < compared; index++) {
    if (bytes[start + index] !== HTTP2_PREFACE[index]) return Preface.no;
  }
  return compared === HTTP2_PREFACE.length ? Preface.http2 : Preface.prefix;
}

/** Whether the bytes can grow into any request line: a token, then a space. */
export function mayBecomeRequestLine(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && isTokenByte(bytes[at])) at++;
  if (at - start > METHOD_BYTES_MAX) return false;
  return at === end || (at > start && bytes[at] === Ascii.space);
}

/** Whether the bytes can grow into any status line: `HTTP/` in any case. */
export function mayBecomeStatusLine(bytes: Uint8Array, start: number, end: number): boolean {
  const compared = Math.min(end - start, STATUS_VERSION.length);
  return matchesIgnoringCase(bytes, start, STATUS_VERSION.slice(0, compared));
}

export function looksLikeRequestStart(bytes: Uint8Array, start: number, end: number): boolean {
  return matchRequestStart(bytes, start, end) !== StartMatch.no;
}

export function looksLikeResponseStart(bytes: Uint8Array, start: number, end: number): boolean {
  return matchResponseStart(bytes, start, end) !== StartMatch.no;
}

/** Whether reassembly may begin a stream of unknown beginning with these bytes. */
export function canStartStream(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    looksLikeRequestStart(bytes, start, end) ||
    looksLikeResponseStart(bytes, start, end) ||
    matchPreface(bytes, start, end) !== Preface.no
  );
}
