/**
 * Reads the head of one message after another from one direction, however it is cut. A head that lies in one piece is
 * scanned where it is; one in several pieces is gathered in `PartialHead` first. On the way it tells apart what is no
 * message: another protocol's preface, or bytes that no start line begins with. While `strict` is set the start must be
 * proved by its looks, and once it is, `kind` says what this direction carries.
 */
import type { KeptBytes } from './body.ts';
import { MessageHead } from './head.ts';
import { HeadScan, type HeadScanner, type MessageKind } from './head-scanner.ts';
import { PartialHead } from './partial-head.ts';
import {
  matchPreface,
  matchRequestStart,
  matchResponseStart,
  mayBecomeRequestLine,
  mayBecomeStatusLine,
  Preface,
  StartMatch,
} from './start.ts';

export type HeadOutcome = 'more' | 'whole' | 'none' | 'tooLarge' | 'tls' | 'http2';

/** A head in pieces is copied in steps of this size, so that little of what follows it is copied too. */
const STEP_BYTES = 2_048;
/** The start line is looked at again with every piece only while it is this short. */
const PROBE_BYTES_MAX = 128;
/** Behind a start line that must be proved, the colon of the first field comes within this. */
const FIELD_NAME_BYTES_MAX = 1_024;

export class HeadReader {
  /** What this direction carries; null until a start proved it. */
  kind: MessageKind | null = null;
  /** The next start must be proved. */
  strict = true;
  /** A request line without a version may come: nothing came before it. */
  versionlessAllowed = false;
  /** What the last `read` came to. */
  outcome: HeadOutcome = 'more';
  /** The last head that was whole. */
  head: MessageHead | null = null;
  readonly #partial: PartialHead;
  readonly #scanner: HeadScanner;

  constructor(scanner: HeadScanner, kept: KeptBytes, headBytesMax: number) {
    this.#scanner = scanner;
    this.#partial = new PartialHead(kept, headBytesMax);
  }

  /** Bytes of a head that is not whole. */
  get gathered(): Buffer {
    return this.#partial.bytes.subarray(0, this.#partial.length);
  }

  /** Forgets the stream: the next one begins as if this reader were new. */
  reset(): void {
    this.kind = null;
    this.strict = true;
    this.versionlessAllowed = false;
    this.outcome = 'more';
    this.head = null;
    this.#partial.clear();
  }

  /** Forgets the bytes gathered. */
  clear(): void {
    this.#partial.clear();
  }

  /** Whether a message, or something else that is recognised, can begin with these bytes. */
  canStart(bytes: Buffer, start: number, end: number): boolean {
    return this.#matchStart(bytes, start, end) !== StartMatch.no || matchPreface(bytes, start, end) !== Preface.no;
  }

  /** Reads on; sets `outcome`, and returns the offset behind what was read. */
  read(bytes: Buffer, start: number, end: number): number {
    if (this.#partial.length === 0 && this.#startsInPlace(bytes, start, end)) {
      const scanner = this.#scanner;
      const found = scanner.scan(this.kind ?? 'request', bytes, start, end, this.versionlessAllowed);
      if (found === HeadScan.complete) {
        this.#take(bytes, start, scanner.headEnd);
        return scanner.headEnd;
      }
    }
    return this.#gather(bytes, start, end);
  }

  /** Takes a request line without a version that stands alone as whole: nothing more of it will come. */
  settleVersionless(): boolean {
    const { bytes, length, startLineFeed } = this.#partial;
    if (!this.versionlessAllowed || length === 0 || startLineFeed !== length - 1) return false;
    const found = this.#scanner.scanStartLine('request', bytes, 0, startLineFeed, true);
    if (found !== HeadScan.complete || !this.#scanner.versionless) return false;
    this.#scanner.alone();
    this.#take(bytes, 0, length);
    return true;
  }

  #startsInPlace(bytes: Buffer, start: number, end: number): boolean {
    if (!this.strict) return true;
    if (this.#matchStart(bytes, start, end) !== StartMatch.yes) return false;
    this.#prove(bytes, start, end);
    return true;
  }

  /** `bytes[start..end)` is a head that the scanner has just read. */
  #take(bytes: Buffer, start: number, end: number): void {
    const owned = Buffer.allocUnsafe(end - start);
    bytes.copy(owned, 0, start, end);
    this.head = new MessageHead(owned, this.#scanner, start);
    if (this.#partial.length > 0) this.#partial.clear();
    this.versionlessAllowed = false;
    this.outcome = 'whole';
  }

  #gather(bytes: Buffer, start: number, end: number): number {
    const partial = this.#partial;
    let at = start;
    while (at < end) {
      const stop = Math.min(end, at + STEP_BYTES);
      const lengthBefore = partial.length;
      const lineBefore = partial.startLineFeed >= 0;
      if (!partial.append(bytes, at, stop)) {
        this.outcome = 'tooLarge';
        return at;
      }
      at = stop;
      const headEnd = partial.findEnd();
      this.outcome = this.#judge(lengthBefore, lineBefore);
      if (this.outcome !== 'more') return at;
      if (headEnd >= 0 && !this.strict) {
        const behind = partial.length - headEnd;
        const found = this.#scanner.scan(this.kind ?? 'request', partial.bytes, 0, headEnd, this.versionlessAllowed);
        if (found !== HeadScan.complete) {
          // What began like another protocol's preface ends like a head and is neither.
          this.outcome = 'none';
          return at;
        }
        this.#take(partial.bytes, 0, headEnd);
        return at - behind;
      }
    }
    return at;
  }

  /** Whether what was gathered may still become a head. */
  #judge(lengthBefore: number, lineBefore: boolean): HeadOutcome {
    const { bytes, length, startLineFeed } = this.#partial;
    if (startLineFeed < 0 && lengthBefore > PROBE_BYTES_MAX) return 'more';
    if (lineBefore && !this.strict) return 'more';
    if (lineBefore && lengthBefore - startLineFeed > FIELD_NAME_BYTES_MAX) return 'none';
    const preface = matchPreface(bytes, 0, length);
    if (preface === Preface.tls) return 'tls';
    if (preface === Preface.http2) return 'http2';
    const possible = this.strict ? this.#judgeStrictly(bytes, length) : this.#judgeStartLine(bytes, length, startLineFeed);
    return possible === 'none' && preface === Preface.prefix ? 'more' : possible;
  }

  #judgeStrictly(bytes: Buffer, length: number): HeadOutcome {
    const match = this.#matchStart(bytes, 0, length);
    if (match === StartMatch.yes) this.#prove(bytes, 0, length);
    return match === StartMatch.no ? 'none' : 'more';
  }

  #judgeStartLine(bytes: Buffer, length: number, startLineFeed: number): HeadOutcome {
    const kind = this.kind ?? 'request';
    if (startLineFeed < 0) {
      const mayBecome = kind === 'request' ? mayBecomeRequestLine : mayBecomeStatusLine;
      return mayBecome(bytes, 0, length) ? 'more' : 'none';
    }
    const found = this.#scanner.scanStartLine(kind, bytes, 0, startLineFeed, this.versionlessAllowed);
    if (found === HeadScan.http2) return 'http2';
    return found === HeadScan.notAMessage ? 'none' : 'more';
  }

  /** The strict match for what this direction may carry. */
  #matchStart(bytes: Buffer, start: number, end: number): StartMatch {
    if (this.kind === 'request') return matchRequestStart(bytes, start, end);
    const response = matchResponseStart(bytes, start, end);
    if (this.kind === 'response' || response === StartMatch.yes) return response;
    const request = matchRequestStart(bytes, start, end);
    return request === StartMatch.no ? response : request;
  }

  /** A strict start was seen whole: it says what this direction carries. */
  #prove(bytes: Buffer, start: number, end: number): void {
    this.strict = false;
    this.kind ??= matchResponseStart(bytes, start, end) === StartMatch.yes ? 'response' : 'request';
  }
}
