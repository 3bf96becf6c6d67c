/**
 * What the framing fields of one head say: `Content-Length` and `Transfer-Encoding`, however often they stand there.
 * Values are judged strictly (RFC 9110 section 8.6, RFC 9112 section 6.1); `framing.ts` decides what follows from them.
 */
import { Ascii, isDigit, matchesIgnoringCase, skipBlanks, trimBlanks } from './bytes.ts';

const CHUNKED = 'chunked';

export class FramingFields {
  /** The first valid length in bytes, else -1. */
  length = -1;
  lengthInvalid = false;
  lengthConflict = false;
  /** Transfer codings named, and how many of them are `chunked`. */
  codings = 0;
  chunked = 0;
  /** The last coding named is `chunked`. */
  chunkedLast = false;
  /** A field without a value, or `chunked` with parameters. */
  codingInvalid = false;

  reset(): void {
    this.length = -1;
    this.lengthInvalid = false;
    this.lengthConflict = false;
    this.codings = 0;
    this.chunked = 0;
    this.chunkedLast = false;
    this.codingInvalid = false;
  }

  /** Whether there was any. */
  get present(): boolean {
    return this.length >= 0 || this.lengthInvalid || this.codings > 0 || this.codingInvalid;
  }

  /** A `Content-Length` value. Equal ones may repeat (RFC 9110 section 8.6), in a list too. */
  addLength(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at <= end) {
      const elementEnd = endOfElement(bytes, at, end);
      const length = parseLength(bytes, skipFolds(bytes, at, elementEnd), trimFolds(bytes, at, elementEnd));
      if (length < 0) this.lengthInvalid = true;
      else if (this.length < 0) this.length = length;
      else if (this.length !== length) this.lengthConflict = true;
      at = elementEnd + 1;
    }
  }

  /** A `Transfer-Encoding` value: a list of codings, the last applied standing last. */
  addCodings(bytes: Buffer, start: number, end: number): void {
    if (skipFolds(bytes, start, end) === end) this.codingInvalid = true;
    let at = start;
    while (at < end) {
      const elementEnd = endOfElement(bytes, at, end);
      const from = skipFolds(bytes, at, elementEnd);
      const to = trimFolds(bytes, from, elementEnd);
      if (to > from) this.#addCoding(bytes, from, to);
      at = elementEnd + 1;
    }
  }

  #addCoding(bytes: Buffer, from: number, to: number): void {
    this.codings++;
    this.chunkedLast = to - from === CHUNKED.length && matchesIgnoringCase(bytes, from, CHUNKED);
    if (this.chunkedLast) {
      this.chunked++;
      return;
    }
    // "chunked;q=1" or "chunked\v": one server reads chunked, another an unknown coding.
    if (to - from > CHUNKED.length && matchesIgnoringCase(bytes, from, CHUNKED)) this.codingInvalid = true;
  }
}

function endOfElement(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== Ascii.comma) at++;
  return at;
}

/** The line breaks of folds count as whitespace. */
function skipFolds(bytes: Buffer, start: number, end: number): number {
  let at = skipBlanks(bytes, start, end);
  while (at < end && (bytes[at] === Ascii.cr || bytes[at] === Ascii.lf)) at = skipBlanks(bytes, at + 1, end);
  return at;
}

function trimFolds(bytes: Buffer, start: number, end: number): number {
  let at = trimBlanks(bytes, start, end);
  while (at > start && (bytes[at - 1] === Ascii.cr || bytes[at - 1] === Ascii.lf)) at = trimBlanks(bytes, start, at - 1);
  return at;
}

/** A plain decimal number up to 2^53 - 1, else -1. */
function parseLength(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) return -1;
    length = length * 10 + (bytes[at] - 48);
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}
