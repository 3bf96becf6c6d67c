/**
 * The one scan over a message head: finds where it ends, where the parts of the start line are, and what its framing
 * fields say. One scanner serves all connections; `scan` overwrites the results of the call before.
 *
 * Tolerant where production decides (any method, any bytes in the target, LF alone as a line break); what two servers
 * might frame differently is noted in `ambiguity` and the message is read on.
 */
import { isTokenByte } from '../token.ts';
import { FramingFields } from './framing-fields.ts';
import { Ascii, isBlank, isDigit, matchesIgnoringCase, skipBlanks, toLower, trimBlanks } from './bytes.ts';
import type { Ambiguity } from './exchange.ts';

export type MessageKind = 'request' | 'response';

export const HeadScan = {
  /** The end is not there yet. */
  incomplete: 0,
  complete: 1,
  /** The start line is none. */
  notAMessage: 2,
  /** The preface of HTTP/2. */
  http2: 3,
} as const;
export type HeadScan = (typeof HeadScan)[keyof typeof HeadScan];

const VERSION_BYTES = 8;
const FRAMING_NAMES = { length: 'content-length', coding: 'transfer-encoding' } as const;
/** A plain constant, for the loop over every byte. */
const CARRIAGE_RETURN = 13;
const EXPECT = 'expect:';
/** A head with more lines than this is searched for them again when its fields are asked for. */
const LINES_NOTED_MAX = 128;
const LOWER_C = 99;
const LOWER_E = 101;
const LOWER_T = 116;

type FramingField = 'none' | 'length' | 'coding';

export class HeadScanner {
  /** Offset behind the empty line. */
  headEnd = 0;
  methodEnd = 0;
  /** Target of a request, reason phrase of a response. */
  targetStart = 0;
  targetEnd = 0;
  versionStart = 0;
  versionEnd = 0;
  fieldsStart = 0;
  /** 0 for a request. */
  status = 0;
  /** HTTP/1.0 or older, which knows no transfer codings. */
  beforeHttp11 = false;
  /** A request line without a version: HTTP/0.9, or a client that forgot it. */
  versionless = false;
  ambiguity: Ambiguity | null = null;
  readonly framing = new FramingFields();
  /** There is an `Expect` field: the body may wait for a response, and never come. */
  expects = false;

  /** Offsets of the first field lines, in order. */
  readonly #lineStarts = new Int32Array(LINES_NOTED_MAX);
  #lineCount = 0;
  #pending: FramingField = 'none';
  #pendingStart = 0;
  #pendingEnd = 0;
  #crlfSeen = false;
  #bareFeedSeen = false;

  /** Reads `bytes[start..end)`, of which the first byte is the first of the start line. */
  scan(kind: MessageKind, bytes: Buffer, start: number, end: number, versionlessAllowed: boolean): HeadScan {
    const feed = bytes.indexOf(Ascii.lf, start);
    if (feed < 0 || feed >= end) return HeadScan.incomplete;
    const line = this.scanStartLine(kind, bytes, start, feed, versionlessAllowed);
    return line === HeadScan.complete ? this.#scanFields(bytes, feed + 1, end) : line;
  }

  /** Reads a start line that ends in the line feed at `feed`; `complete` means that it is one. */
  scanStartLine(
    kind: MessageKind,
    bytes: Buffer,
    start: number,
    feed: number,
    versionlessAllowed: boolean,
  ): HeadScan {
    this.ambiguity = null;
    this.versionless = false;
    this.fieldsStart = feed + 1;
    const lineEnd = feed > start && bytes[feed - 1] === Ascii.cr ? feed - 1 : feed;
    return kind === 'request'
      ? this.#scanRequestLine(bytes, start, lineEnd, versionlessAllowed)
      : this.#scanStatusLine(bytes, start, lineEnd);
  }

  /** The results for a request line that stands alone, after `scanStartLine` found it without a version. */
  alone(): void {
    this.headEnd = this.fieldsStart;
    this.#lineCount = 0;
    this.framing.reset();
  }

  /** Field lines of the head scanned last; -1 when there are too many to have been noted. */
  get linesNoted(): number {
    return this.#lineCount > LINES_NOTED_MAX ? -1 : this.#lineCount;
  }

  /** Where each of them begins. */
  get lineStarts(): Int32Array {
    return this.#lineStarts;
  }

  /** RFC 9112 section 3, read from both ends: the target is whatever stands between the method and the version. */
  #scanRequestLine(bytes: Buffer, start: number, lineEnd: number, versionlessAllowed: boolean): HeadScan {
    const end = trimBlanks(bytes, start, lineEnd);
    let at = start;
    while (at < end && isTokenByte(bytes[at])) at++;
    if (at === start || at === end || bytes[at] !== Ascii.space) return HeadScan.notAMessage;
    this.status = 0;
    this.methodEnd = at;
    this.targetStart = skipBlanks(bytes, at, end);
    let odd = end !== lineEnd || this.targetStart !== at + 1;
    const versionStart = end - VERSION_BYTES;
    if (versionStart > at && bytes[versionStart - 1] === Ascii.space && isVersion(bytes, versionStart)) {
      const major = bytes[versionStart + 5];
      if (major === 50 && isHttp2Preface(bytes, start, versionStart)) return HeadScan.http2;
      this.versionStart = versionStart;
      this.versionEnd = end;
      this.targetEnd = Math.max(this.targetStart, trimBlanks(bytes, at, versionStart));
      if (this.targetStart > versionStart) this.targetStart = this.targetEnd = versionStart;
      this.beforeHttp11 = major < 49 || (major === 49 && bytes[versionStart + 7] === 48);
      odd ||= major !== 49 || bytes[versionStart] !== 72 || this.targetEnd !== versionStart - 1;
    } else {
      if (!versionlessAllowed || !isVersionless(bytes, start, at, this.targetStart, end)) return HeadScan.notAMessage;
      this.versionless = true;
      this.versionStart = this.versionEnd = end;
      this.targetEnd = end;
      this.beforeHttp11 = true;
      odd = true;
    }
    if (odd || this.targetEnd === this.targetStart || hasControl(bytes, this.targetStart, this.targetEnd)) {
      this.ambiguity = 'invalid_request_line';
    }
    return HeadScan.complete;
  }

  /** RFC 9112 section 4; the version in any case, the reason phrase may be missing with its space. */
  #scanStatusLine(bytes: Buffer, start: number, end: number): HeadScan {
    const versionEnd = start + VERSION_BYTES;
    if (end < versionEnd + 4 || !isVersion(bytes, start) || !isBlank(bytes[versionEnd])) return HeadScan.notAMessage;
    const at = skipBlanks(bytes, versionEnd, end);
    if (at + 3 > end) return HeadScan.notAMessage;
    if (!isDigit(bytes[at]) || !isDigit(bytes[at + 1]) || !isDigit(bytes[at + 2])) return HeadScan.notAMessage;
    if (at + 3 < end && !isBlank(bytes[at + 3])) return HeadScan.notAMessage;
    this.status = (bytes[at] - 48) * 100 + (bytes[at + 1] - 48) * 10 + (bytes[at + 2] - 48);
    if (this.status < 100) return HeadScan.notAMessage;
    this.methodEnd = start;
    this.versionStart = start;
    this.versionEnd = versionEnd;
    this.targetStart = skipBlanks(bytes, at + 3, end);
    this.targetEnd = trimBlanks(bytes, this.targetStart, end);
    this.beforeHttp11 = bytes[start + 5] < 49 || (bytes[start + 5] === 49 && bytes[start + 7] === 48);
    return HeadScan.complete;
  }

  #scanFields(bytes: Buffer, start: number, end: number): HeadScan {
    this.framing.reset();
    this.#lineCount = 0;
    this.#pending = 'none';
    this.#crlfSeen = false;
    this.#bareFeedSeen = false;
    this.expects = false;
    let lineStart = start;
    for (let at = start; at < end; at++) {
      // Nothing up to a carriage return may stand in a head but the tab, so that most bytes cost one comparison.
      while (at < end && bytes[at] > CARRIAGE_RETURN) at++;
      if (at === end) break;
      const byte = bytes[at];
      if (byte === Ascii.lf) {
        const contentEnd = at > lineStart && bytes[at - 1] === Ascii.cr ? at - 1 : at;
        if (contentEnd === lineStart) {
          if (this.#pending !== 'none') this.#settleField(bytes);
          // A lone LF among CRLF line ends hides the line behind it from servers that do not take it for a line end.
          if (this.#crlfSeen && this.#bareFeedSeen && this.framing.present) this.ambiguity ??= 'invalid_header';
          this.headEnd = at + 1;
          return HeadScan.complete;
        }
        if (contentEnd === at) this.#bareFeedSeen = true;
        else this.#crlfSeen = true;
        if (this.#lineCount < LINES_NOTED_MAX) this.#lineStarts[this.#lineCount] = lineStart;
        this.#lineCount++;
        this.#scanLine(bytes, lineStart, contentEnd, lineStart === start);
        lineStart = at + 1;
      } else if (byte === Ascii.cr) {
        if (at + 1 < end && bytes[at + 1] !== Ascii.lf) this.ambiguity ??= 'bare_cr';
      } else if (byte === 0) {
        this.ambiguity ??= 'invalid_header';
      }
    }
    return HeadScan.incomplete;
  }

  #scanLine(bytes: Buffer, start: number, end: number, first: boolean): void {
    const byte = bytes[start];
    if (isBlank(byte)) {
      // A fold continues the field before it (RFC 9112 section 5.2); behind the start line servers disagree on it.
      if (first) {
        this.ambiguity ??= 'invalid_header';
      } else if (this.#pending !== 'none') {
        this.ambiguity ??= 'obsolete_fold';
        this.#pendingEnd = end;
        return;
      } else {
        if (framingFieldAt(bytes, start, end) !== 'none') this.ambiguity ??= 'obsolete_fold';
        return;
      }
    }
    if (this.#pending !== 'none') this.#settleField(bytes);
    const letter = byte | 32;
    if (letter === LOWER_E && end - start > EXPECT.length && matchesIgnoringCase(bytes, start, EXPECT)) this.expects = true;
    if (letter === LOWER_C || letter === LOWER_T || byte <= Ascii.space) this.#recogniseField(bytes, start, end);
  }

  #recogniseField(bytes: Buffer, start: number, end: number): void {
    const field = framingFieldAt(bytes, start, end);
    if (field === 'none') return;
    const name = FRAMING_NAMES[field];
    const colon = bytes.indexOf(Ascii.colon, start);
    if (colon !== start + name.length) this.ambiguity ??= 'invalid_header';
    this.#pending = field;
    this.#pendingStart = colon + 1;
    this.#pendingEnd = end;
  }

  #settleField(bytes: Buffer): void {
    if (this.#pending === 'length') this.framing.addLength(bytes, this.#pendingStart, this.#pendingEnd);
    else this.framing.addCodings(bytes, this.#pendingStart, this.#pendingEnd);
    this.#pending = 'none';
  }
}

/** The framing field that a line is, also for servers that overlook whitespace and controls around its name. */
function framingFieldAt(bytes: Buffer, start: number, end: number): FramingField {
  let nameStart = start;
  while (nameStart < end && bytes[nameStart] <= Ascii.space) nameStart++;
  const field = nameStart < end && toLower(bytes[nameStart]) === LOWER_C ? 'length' : 'coding';
  const name = FRAMING_NAMES[field];
  let colon = nameStart + name.length;
  if (colon >= end || !matchesIgnoringCase(bytes, nameStart, name)) return 'none';
  while (colon < end && bytes[colon] <= Ascii.space) colon++;
  return colon < end && bytes[colon] === Ascii.colon ? field : 'none';
}

function isVersion(bytes: Buffer, at: number): boolean {
  return (
    matchesIgnoringCase(bytes, at, 'http/') && isDigit(bytes[at + 5]) && bytes[at + 6] === 46 && isDigit(bytes[at + 7])
  );
}

function isHttp2Preface(bytes: Buffer, start: number, versionStart: number): boolean {
  return versionStart === start + 6 && matchesIgnoringCase(bytes, start, 'pri * ');
}

/** `GET` and a path or an address: all that HTTP/0.9 knew (RFC 1945 section 5). */
function isVersionless(bytes: Buffer, start: number, methodEnd: number, targetStart: number, end: number): boolean {
  if (methodEnd !== start + 3 || bytes[start] !== 71 || bytes[start + 1] !== 69 || bytes[start + 2] !== 84) return false;
  if (targetStart >= end) return false;
  if (bytes[targetStart] !== 47 && !(end - targetStart > 4 && matchesIgnoringCase(bytes, targetStart, 'http'))) return false;
  for (let at = targetStart; at < end; at++) {
    if (bytes[at] <= Ascii.space) return false;
  }
  return true;
}

function hasControl(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] < Ascii.space || bytes[at] === Ascii.delete) return true;
  }
  return false;
}
