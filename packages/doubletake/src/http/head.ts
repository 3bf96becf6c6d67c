/**
 * The head of a message: an owned copy of its bytes from the start line through the empty line, exactly as they came.
 * What the start line says is known from the scan that found the head's end; fields are indexed when first asked for,
 * and strings are made one by one (latin1, so that every byte survives). Offsets are relative to `bytes` and let a
 * field be rewritten in place.
 */
import type { HeadScanner } from './head-scanner.ts';
import { Ascii, isBlank, matchesIgnoringCase, skipBlanks, trimBlanks } from './bytes.ts';

/** Per field: line start, name end, value start, value end, line end (behind the line break). */
const OFFSETS_PER_FIELD = 5;
const NO_FIELDS: readonly number[] = [];
const FOLD = /[ \t]*\r*\n[ \t]*/g;
const OUTER_BLANKS = /^ +| +$/g;

/** Methods that are met often share one string each. */
const COMMON_METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
const COMMON_METHOD_BYTES = COMMON_METHODS.map((method) => Buffer.from(method, 'latin1'));

export class MessageHead {
  /** Start line through empty line; the request line alone when an HTTP/0.9 request ended with it. */
  readonly bytes: Buffer;
  /** The method as it was sent; empty for a response. */
  readonly method: string;
  /** Status code; 0 for a request. */
  readonly status: number;
  /** Range of the method in the request line: `[0, methodEnd)`. */
  readonly methodEnd: number;
  /** Range of the target in a request line, of the reason phrase in a status line. */
  readonly targetStart: number;
  readonly targetEnd: number;
  /** Range of the version in the start line; empty when it names none. */
  readonly versionStart: number;
  readonly versionEnd: number;
  /** Offset of the first field line. */
  readonly fieldsStart: number;
  #fields: readonly number[] = NO_FIELDS;
  #count = -1;
  /** A bit for each length that a name has, modulo 32: most names that are asked for are not there. */
  #nameLengths = 0;

  /** Takes over `bytes`; `scan` found them at offset `base` of the buffer that it read. */
  constructor(bytes: Buffer, scan: HeadScanner, base: number) {
    this.bytes = bytes;
    this.status = scan.status;
    this.methodEnd = scan.methodEnd - base;
    this.targetStart = scan.targetStart - base;
    this.targetEnd = scan.targetEnd - base;
    this.versionStart = scan.versionStart - base;
    this.versionEnd = scan.versionEnd - base;
    this.fieldsStart = scan.fieldsStart - base;
    // Those of requests are always asked for, and the scan has just passed them.
    if (scan.status === 0 && scan.linesNoted >= 0) this.#indexLines(scan.lineStarts, scan.linesNoted, base);
    this.method = scan.status === 0 ? methodText(bytes, this.methodEnd) : '';
  }

  /** The request target as it was sent, latin1; empty for a response. */
  get target(): string {
    return this.status === 0 ? this.bytes.toString('latin1', this.targetStart, this.targetEnd) : '';
  }

  /** The reason phrase, latin1; empty for a request. */
  get reason(): string {
    return this.status === 0 ? '' : this.bytes.toString('latin1', this.targetStart, this.targetEnd);
  }

  /** As it was sent, such as `HTTP/1.1`; `HTTP/0.9` when the start line names none. */
  get version(): string {
    const { versionStart, versionEnd } = this;
    return versionEnd > versionStart ? this.bytes.toString('latin1', versionStart, versionEnd) : 'HTTP/0.9';
  }

  /** Number of fields. A folded field (RFC 9112 section 5.2) is one; a line without a colon is a name without a value. */
  get count(): number {
    if (this.#count < 0) this.#index();
    return this.#count;
  }

  name(index: number): string {
    return this.bytes.toString('latin1', this.lineStart(index), this.nameEnd(index));
  }

  /** Without the whitespace around it; a fold is read as one space. */
  value(index: number): string {
    const text = this.bytes.toString('latin1', this.valueStart(index), this.valueEnd(index));
    return text.includes('\n') ? text.replace(FOLD, ' ').replace(OUTER_BLANKS, '') : text;
  }

  lineStart(index: number): number {
    return this.#offset(index, 0);
  }

  nameEnd(index: number): number {
    return this.#offset(index, 1);
  }

  valueStart(index: number): number {
    return this.#offset(index, 2);
  }

  valueEnd(index: number): number {
    return this.#offset(index, 3);
  }

  /** Behind the line break. */
  lineEnd(index: number): number {
    return this.#offset(index, 4);
  }

  /** Value of the first field of this name, in any case; undefined when there is none. */
  get(name: string): string | undefined {
    const index = this.#find(name.toLowerCase(), 0);
    return index < 0 ? undefined : this.value(index);
  }

  has(name: string): boolean {
    return this.#find(name.toLowerCase(), 0) >= 0;
  }

  /** Index of the first field of this lower-case name from `from` on, -1 when there is none. */
  indexOf(lower: string, from = 0): number {
    return this.#find(lower, from);
  }

  /** Index of the last field of this lower-case name, -1 when there is none. */
  lastIndexOf(lower: string): number {
    let last = -1;
    for (let index = this.#find(lower, 0); index >= 0; index = this.#find(lower, index + 1)) last = index;
    return last;
  }

  /** Values of all fields of this name, in any case, in order. */
  all(name: string): string[] {
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let index = this.#find(lower, 0); index >= 0; index = this.#find(lower, index + 1)) {
      values.push(this.value(index));
    }
    return values;
  }

  #offset(index: number, which: number): number {
    if (this.#count < 0) this.#index();
    if (index < 0 || index >= this.#count) throw new RangeError(`no field ${index} of ${this.#count}`);
    return this.#fields[index * OFFSETS_PER_FIELD + which];
  }

  #find(lower: string, from: number): number {
    const count = this.count;
    if ((this.#nameLengths & (1 << lower.length)) === 0) return -1;
    const fields = this.#fields;
    for (let index = from; index < count; index++) {
      const start = fields[index * OFFSETS_PER_FIELD];
      const length = fields[index * OFFSETS_PER_FIELD + 1] - start;
      if (length === lower.length && matchesIgnoringCase(this.bytes, start, lower)) return index;
    }
    return -1;
  }

  #index(): void {
    const starts = findLineStarts(this.bytes, this.fieldsStart);
    this.#indexLines(Int32Array.from(starts), starts.length, 0);
  }

  /** The lines begin at the first `lines` of `starts`, relative to `base`. */
  #indexLines(starts: Int32Array, lines: number, base: number): void {
    const { bytes } = this;
    const offsets: number[] = [];
    // Grown to its size at once.
    offsets.length = lines * OFFSETS_PER_FIELD;
    let nameLengths = 0;
    let used = 0;
    for (let line = 0; line < lines; line++) {
      const start = starts[line] - base;
      const lineEnd = line + 1 < lines ? starts[line + 1] - base : endOfLine(bytes, start);
      const contentEnd = endOfContent(bytes, start, lineEnd);
      if (used > 0 && isBlank(bytes[start])) {
        offsets[used - 2] = trimBlanks(bytes, offsets[used - 3], contentEnd);
        offsets[used - 1] = lineEnd;
      } else {
        writeField(offsets, used, bytes, start, contentEnd, lineEnd);
        nameLengths |= 1 << (offsets[used + 1] - start);
        used += OFFSETS_PER_FIELD;
      }
    }
    this.#fields = offsets;
    this.#nameLengths = nameLengths;
    this.#count = used / OFFSETS_PER_FIELD;
  }
}

/** Where each line that is not empty begins, from `start` on. */
function findLineStarts(bytes: Buffer, start: number): number[] {
  const starts: number[] = [];
  for (let at = start; at < bytes.length; at = endOfLine(bytes, at)) {
    if (endOfContent(bytes, at, endOfLine(bytes, at)) > at) starts.push(at);
  }
  return starts;
}

/** Offset behind the line break of the line that begins at `start`. */
function endOfLine(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== Ascii.lf) at++;
  return at < bytes.length ? at + 1 : at;
}

function endOfContent(bytes: Buffer, start: number, lineEnd: number): number {
  let end = lineEnd;
  if (end > start && bytes[end - 1] === Ascii.lf) end--;
  if (end > start && bytes[end - 1] === Ascii.cr) end--;
  return end;
}

/** Small steps in JavaScript are cheaper here than calls of native searches. */
function writeField(offsets: number[], at: number, bytes: Buffer, start: number, contentEnd: number, lineEnd: number): void {
  let colon = start;
  while (colon < contentEnd && bytes[colon] !== Ascii.colon) colon++;
  const valueStart = colon < contentEnd ? skipBlanks(bytes, colon + 1, contentEnd) : contentEnd;
  offsets[at] = start;
  offsets[at + 1] = colon < contentEnd ? trimBlanks(bytes, start, colon) : contentEnd;
  offsets[at + 2] = valueStart;
  offsets[at + 3] = trimBlanks(bytes, valueStart, contentEnd);
  offsets[at + 4] = lineEnd;
}

function methodText(bytes: Buffer, end: number): string {
  for (let index = 0; index < COMMON_METHOD_BYTES.length; index++) {
    const common = COMMON_METHOD_BYTES[index];
    if (common.length === end && equalAtStart(bytes, common)) return COMMON_METHODS[index];
  }
  return bytes.toString('latin1', 0, end);
}

function equalAtStart(bytes: Buffer, prefix: Buffer): boolean {
  for (let index = 0; index < prefix.length; index++) {
    if (bytes[index] !== prefix[index]) return false;
  }
  return true;
}
