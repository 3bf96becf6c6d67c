/**
 * One direction of a connection: bytes and gaps in, messages out. The parser is in step while it knows where the next
 * message begins; it loses step at a gap that framing cannot bridge, at bytes that are no message, and it starts out of
 * step when the beginning of the connection was not seen. Out of step it takes up a message only at a provable start:
 * the first byte of a segment, a strict start line, and an acknowledgement number which says that the other side spoke
 * since (so that it cannot be the middle of a message). It never joins bytes across a gap.
 */
import { sequenceAdd, sequenceDistance } from '../tcp/sequence.ts';
import { BodyCollector, type KeptBytes } from './body.ts';
import { Ascii } from './bytes.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { HttpCounters, HttpLimits } from './counters.ts';
import type { Ambiguity, IncompleteReason, Message, OtherProtocol } from './exchange.ts';
import { decideRequestFraming, decideResponseFraming, FramingDecision } from './framing.ts';
import { MessageHead } from './head.ts';
import { HeadScan, HeadScanner, type MessageKind } from './head-scanner.ts';
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

/** What a parser tells the conversation that it is one half of, and asks it. */
export interface MessageOwner {
  /** A provable start says which kind of message this direction carries. */
  kindFound(parser: MessageParser, kind: MessageKind): void;
  /** Whether the advance of the acknowledgement number proves that the message before is over. */
  advanceProves(parser: MessageParser, from: number, to: number): boolean;
  /** The method of the request that the response beginning here answers; empty when that was not seen. */
  pairResponse(sequence: number, acknowledgement: number): string;
  /** Whether the response may be one without a head (HTTP/0.9). */
  expectsHeadless(parser: MessageParser): boolean;
  messageHead(parser: MessageParser, message: Message, acknowledgement: number): void;
  messageEnd(parser: MessageParser, message: Message): void;
  partialHead(parser: MessageParser, reason: IncompleteReason): void;
  skipped(parser: MessageParser, length: number): void;
  recognised(protocol: OtherProtocol): void;
  /** The parser no longer knows where the next message begins. */
  lostStep(parser: MessageParser): void;
}

/** What all parsers of a pipeline share. */
export interface ParserContext {
  readonly limits: HttpLimits;
  readonly counters: HttpCounters;
  readonly kept: KeptBytes;
  readonly scanner: HeadScanner;
  readonly decision: FramingDecision;
}

const State = {
  /** In step, between messages. */
  between: 0,
  /** Inside a head of which a part waits in `#partial`. */
  head: 1,
  length: 2,
  chunked: 3,
  close: 4,
  /** Out of step. */
  lost: 5,
  /** Left alone. */
  off: 6,
} as const;
type State = (typeof State)[keyof typeof State];

/** A head in pieces is copied in steps of this size, so that little of what follows it is copied too. */
const HEAD_STEP_BYTES = 2_048;
/** The start line is looked at again with every piece only while it is this short. */
const START_PROBE_BYTES_MAX = 128;
/** Behind a start line that must be proved, the colon of the first field comes within this. */
const FIELD_NAME_BYTES_MAX = 1_024;
const NO_BYTES = Buffer.alloc(0);

export class MessageParser {
  kind: MessageKind | null = null;
  /** No byte of this direction was seen, and none is known to be lost. */
  fresh = true;
  /** Sequence number behind what was seen; meaningful once `fresh` is false. */
  nextSequence = 0;
  /** Acknowledgement number of the last data, -1 for none. */
  lastAcknowledgement = -1;
  /** Sequence range of the interim responses seen last in a row. */
  interimStart = 0;
  interimEnd = 0;

  readonly #owner: MessageOwner;
  readonly #context: ParserContext;
  readonly #body: BodyCollector;
  readonly #partial: PartialHead;
  #chunks: ChunkedDecoder | null = null;
  #state: State = State.lost;
  /** The start of the current or next message must be proved by its looks. */
  #strict = true;
  /** A request line without a version may come: nothing came before it. */
  #versionlessAllowed = false;
  /** Ambiguity of the message before, which leaves open whether the next one was meant to be one. */
  #taint: Ambiguity | null = null;
  #message: Message | null = null;
  /** Where the body has a length: bytes still to come. */
  #remaining = 0;
  /** The end of the current message is known; else the next start must be looked for. */
  #sure = true;
  /** Of the first byte of the current head. */
  #startUs = 0;
  #startSequence = 0;
  #startAcknowledgement = -1;
  /** Of the data being read. */
  #timeUs = 0;
  #sequenceBase = 0;
  #acknowledgement = -1;
  #advanced = false;

  constructor(owner: MessageOwner, context: ParserContext) {
    this.#owner = owner;
    this.#context = context;
    this.#body = new BodyCollector(context.kept);
    this.#partial = new PartialHead(context.kept, context.limits.headBytesMax);
  }

  /** The stream begins here with messages of this kind. */
  beginInStep(kind: MessageKind, versionlessAllowed: boolean): void {
    this.kind = kind;
    this.#state = State.between;
    this.#strict = false;
    this.#versionlessAllowed = versionlessAllowed;
  }

  /** The next bytes may begin a conversation of their own, if they look like it. */
  beginTunnel(): void {
    if (this.#state !== State.between && this.#state !== State.lost) return;
    this.#state = State.between;
    this.#strict = this.kind === 'request';
  }

  /** Everything from here on is left alone. */
  switchOff(): void {
    if (this.#message !== null) this.#breakOff(this.nextSequence, 'closed');
    this.#partial.clear();
    this.#state = State.off;
  }

  get inMessage(): boolean {
    return this.#message !== null;
  }

  push(
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void {
    this.#timeUs = timeUs;
    this.#sequenceBase = sequence - start;
    this.#acknowledgement = acknowledgement;
    this.nextSequence = sequenceAdd(sequence, end - start);
    this.#advanced = segmentStart && this.#hasAdvanced(acknowledgement);
    let at = start;
    if (this.#state === State.lost) at = this.#takeUp(bytes, start, end, segmentStart);
    this.fresh = false;
    while (at < end) {
      switch (this.#state) {
        case State.between:
          if (bytes[at] === Ascii.cr || bytes[at] === Ascii.lf) at++;
          else at = this.#beginHead(bytes, at, end, at === start);
          break;
        case State.head:
          at = this.#continueHead(bytes, at, end);
          break;
        case State.length:
          at = this.#readLength(bytes, at, end);
          break;
        case State.chunked:
          at = this.#readChunks(bytes, at, end);
          break;
        case State.close:
          this.#body.wire(bytes, at, end);
          this.#body.decoded(bytes, at, end);
          this.#touch(end);
          at = end;
          break;
        case State.lost:
          this.#owner.skipped(this, end - at);
          at = end;
          break;
        default:
          at = end;
      }
    }
    if (acknowledgement >= 0) this.lastAcknowledgement = acknowledgement;
  }

  /** `length` bytes from `sequence` on will never be seen. */
  gap(length: number, timeUs: number, sequence: number, reason: IncompleteReason): void {
    this.#timeUs = timeUs;
    this.fresh = false;
    this.nextSequence = sequenceAdd(sequence, length);
    switch (this.#state) {
      case State.lost:
      case State.off:
        return;
      case State.length:
        if (length > this.#remaining) break;
        this.#damage(reason);
        this.#remaining -= length;
        if (this.#remaining === 0) this.#endMessage(this.nextSequence, timeUs);
        return;
      case State.chunked:
        if (this.#chunks === null || !this.#chunks.skip(length)) break;
        this.#damage(reason);
        return;
      case State.close:
        this.#damage(reason);
        return;
      default:
    }
    this.#breakOff(sequence, reason);
    this.#loseStep();
  }

  /** The stream ended in order (`fin`), or nothing more will come. */
  finish(fin: boolean, timeUs: number, reason: IncompleteReason): void {
    if (this.#state === State.off) return;
    this.#timeUs = timeUs;
    this.settleVersionless();
    if (this.#state === State.head && this.#owner.expectsHeadless(this)) this.#beginHeadless();
    if (this.#state === State.close && fin) this.#endMessage(this.nextSequence, timeUs);
    else this.#breakOff(this.nextSequence, reason);
    this.switchOff();
  }

  /** The other side spoke, or this one ended: a request line without a version that stands alone is whole. */
  settleVersionless(): void {
    const partial = this.#partial;
    if (this.#state !== State.head || !this.#versionlessAllowed || partial.startLineFeed !== partial.length - 1) return;
    const { scanner } = this.#context;
    const found = scanner.scanStartLine('request', partial.bytes, 0, partial.startLineFeed, true);
    if (found !== HeadScan.complete || !scanner.versionless) return;
    scanner.alone();
    this.#headWhole(partial.bytes, 0, partial.length, sequenceAdd(this.#startSequence, partial.length));
  }

  #hasAdvanced(acknowledgement: number): boolean {
    const last = this.lastAcknowledgement;
    if (last < 0 || acknowledgement < 0 || sequenceDistance(last, acknowledgement) <= 0) return false;
    return this.#owner.advanceProves(this, last, acknowledgement);
  }

  /** Out of step: whether a message may begin with this data. Returns where to read on. */
  #takeUp(bytes: Buffer, start: number, end: number, segmentStart: boolean): number {
    if (segmentStart && (this.fresh || this.#advanced) && this.#startsLikeSomething(bytes, start, end)) {
      this.#state = State.between;
      this.#strict = true;
      this.#taint = null;
      return start;
    }
    this.#owner.skipped(this, end - start);
    return end;
  }

  #startsLikeSomething(bytes: Buffer, start: number, end: number): boolean {
    return this.#matchStart(bytes, start, end) !== StartMatch.no || matchPreface(bytes, start, end) !== Preface.no;
  }

  /** The strict match for what this direction may carry. */
  #matchStart(bytes: Buffer, start: number, end: number): StartMatch {
    if (this.kind === 'request') return matchRequestStart(bytes, start, end);
    if (this.kind === 'response') return matchResponseStart(bytes, start, end);
    return Math.max(matchRequestStart(bytes, start, end), matchResponseStart(bytes, start, end)) as StartMatch;
  }

  #beginHead(bytes: Buffer, at: number, end: number, first: boolean): number {
    this.#startUs = this.#timeUs;
    this.#startSequence = (this.#sequenceBase + at) >>> 0;
    this.#startAcknowledgement = this.#acknowledgement;
    if (first && this.#advanced) this.#taint = null;
    if (!this.#strict || this.#matchStart(bytes, at, end) === StartMatch.yes) {
      if (this.#strict) this.#proved(bytes, at, end);
      const { scanner } = this.#context;
      const found = scanner.scan(this.kind ?? 'request', bytes, at, end, this.#versionlessAllowed);
      if (found === HeadScan.complete) {
        return this.#headWhole(bytes, at, scanner.headEnd, (this.#sequenceBase + scanner.headEnd) >>> 0);
      }
    }
    this.#state = State.head;
    return this.#continueHead(bytes, at, end);
  }

  /** A strict start was seen whole: it says what this direction carries. */
  #proved(bytes: Buffer, start: number, end: number): void {
    this.#strict = false;
    if (this.kind !== null) return;
    const response = matchResponseStart(bytes, start, end) === StartMatch.yes;
    this.#owner.kindFound(this, response ? 'response' : 'request');
  }

  /** Adds to a head in pieces. Returns the offset behind what belongs to it. */
  #continueHead(bytes: Buffer, start: number, end: number): number {
    const partial = this.#partial;
    let at = start;
    while (at < end) {
      const stop = Math.min(end, at + HEAD_STEP_BYTES);
      if (!partial.append(bytes, at, stop)) {
        this.#context.counters.headsTooLarge++;
        this.#rejectHead();
        return at;
      }
      const lengthBefore = partial.length - (stop - at);
      at = stop;
      const lineWasSeen = partial.startLineFeed >= 0;
      const headEnd = partial.findEnd();
      if (!this.#startHolds(lengthBefore, lineWasSeen)) {
        this.#rejectHead();
        return at;
      }
      if (this.#state === State.off) return end;
      if (headEnd >= 0 && !this.#strict) return at - this.#partialWhole(headEnd);
    }
    return at;
  }

  /** The head in pieces is whole. Returns how many bytes behind it were taken with it. */
  #partialWhole(headEnd: number): number {
    const { scanner } = this.#context;
    const { bytes, length } = this.#partial;
    scanner.scan(this.kind ?? 'request', bytes, 0, headEnd, this.#versionlessAllowed);
    this.#headWhole(bytes, 0, headEnd, sequenceAdd(this.#startSequence, headEnd));
    return length - headEnd;
  }

  /** Whether the head in pieces may still become a message; recognises other protocols. */
  #startHolds(lengthBefore: number, lineWasSeen: boolean): boolean {
    const { bytes, length, startLineFeed } = this.#partial;
    if (startLineFeed < 0 && lengthBefore > START_PROBE_BYTES_MAX) return true;
    if (lineWasSeen && !this.#strict) return true;
    if (lineWasSeen && lengthBefore - startLineFeed > FIELD_NAME_BYTES_MAX) return false;
    const preface = matchPreface(bytes, 0, length);
    if (preface >= Preface.tls) {
      this.#owner.recognised(preface === Preface.tls ? 'tls' : 'http2');
      return true;
    }
    if (this.#strict) {
      const match = this.#matchStart(bytes, 0, length);
      if (match === StartMatch.yes) this.#proved(bytes, 0, length);
      return match !== StartMatch.no || preface === Preface.prefix;
    }
    const kind = this.kind ?? 'request';
    if (startLineFeed < 0) {
      if (preface === Preface.prefix) return true;
      return kind === 'request' ? mayBecomeRequestLine(bytes, 0, length) : mayBecomeStatusLine(bytes, 0, length);
    }
    const { scanner } = this.#context;
    const found = scanner.scanStartLine(kind, bytes, 0, startLineFeed, this.#versionlessAllowed);
    if (found === HeadScan.http2) this.#owner.recognised('http2');
    return found !== HeadScan.notAMessage;
  }

  /** What had come of a head turns out to be none. */
  #rejectHead(): void {
    if (this.#owner.expectsHeadless(this)) {
      this.#beginHeadless();
      return;
    }
    const { length } = this.#partial;
    this.#partial.clear();
    this.#owner.skipped(this, length);
    this.#loseStep();
  }

  /** The answer to an HTTP/0.9 request: all bytes up to the end of the stream (RFC 1945 section 6). */
  #beginHeadless(): void {
    const { bytes, length } = this.#partial;
    const { scanner, decision } = this.#context;
    this.#partial.clear();
    scanner.headless();
    this.#owner.pairResponse(this.#startSequence, this.#startAcknowledgement);
    decision.set('close', 0, null);
    this.#beginMessage(new MessageHead(NO_BYTES, scanner, 0));
    this.#body.wire(bytes, 0, length);
    this.#body.decoded(bytes, 0, length);
    this.#touchAt(sequenceAdd(this.#startSequence, length));
  }

  /** `bytes[start..headEnd)` is a whole head, which ends before `endSequence`, and the scanner has just read it. */
  #headWhole(bytes: Buffer, start: number, headEnd: number, endSequence: number): number {
    const { scanner, decision, counters } = this.#context;
    const owned = Buffer.allocUnsafe(headEnd - start);
    bytes.copy(owned, 0, start, headEnd);
    const head = new MessageHead(owned, scanner, start);
    if (this.#partial.length > 0) this.#partial.clear();
    const { status } = scanner;
    this.#versionlessAllowed = false;
    if (status >= 100 && status < 200 && status !== 101) {
      counters.interimResponses++;
      if (this.interimEnd !== this.#startSequence) this.interimStart = this.#startSequence;
      this.interimEnd = endSequence;
      this.#state = State.between;
      return headEnd;
    }
    if (status === 0) {
      decideRequestFraming(scanner.framing, scanner.beforeHttp11, decision);
    } else {
      const method = this.#owner.pairResponse(this.#startSequence, this.#startAcknowledgement);
      decideResponseFraming(scanner.framing, scanner.beforeHttp11, status, method, decision);
    }
    this.#beginMessage(head);
    this.#touchAt(endSequence);
    if (decision.framing === 'none' || (decision.framing === 'length' && decision.length === 0)) {
      this.#endMessage(endSequence, this.#timeUs);
    }
    return headEnd;
  }

  /** A message with the framing that was just decided. */
  #beginMessage(head: MessageHead): void {
    const { scanner, decision, limits } = this.#context;
    const { framing, length } = decision;
    const bytesMax = scanner.status === 0 ? limits.requestBodyBytesMax : limits.responseBodyBytesMax;
    const body =
      framing === 'none'
        ? BodyCollector.none(bytesMax > 0, limits.hashBodies)
        : this.#body.begin(framing, bytesMax, length, limits.hashBodies);
    const message: Message = {
      head,
      body,
      startUs: this.#startUs,
      endUs: this.#timeUs,
      startSequence: this.#startSequence,
      endSequence: this.#startSequence,
      outcome: 'complete',
      ambiguity: decision.ambiguity ?? scanner.ambiguity ?? this.#taint,
    };
    this.#message = message;
    this.#sure = decision.sure;
    this.#remaining = length;
    this.#state = State.off;
    if (framing === 'length') this.#state = State.length;
    else if (framing === 'close') this.#state = State.close;
    else if (framing === 'chunked') this.#beginChunks();
    this.#owner.messageHead(this, message, this.#startAcknowledgement);
  }

  #beginChunks(): void {
    this.#state = State.chunked;
    if (this.#chunks === null) this.#chunks = new ChunkedDecoder();
    else this.#chunks.reset();
  }

  #readLength(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#remaining);
    this.#remaining -= stop - start;
    this.#body.wire(bytes, start, stop);
    this.#body.decoded(bytes, start, stop);
    if (this.#remaining === 0) this.#endMessage((this.#sequenceBase + stop) >>> 0, this.#timeUs);
    else this.#touch(stop);
    return stop;
  }

  #readChunks(bytes: Buffer, start: number, end: number): number {
    const chunks = this.#chunks;
    const message = this.#message;
    if (chunks === null || message === null) throw new Error('a chunked body without its message');
    const stop = chunks.read(bytes, start, end, this.#body);
    this.#body.wire(bytes, start, stop);
    if (chunks.odd || chunks.failed) message.ambiguity ??= 'invalid_chunk';
    if (chunks.failed) this.#sure = false;
    if (chunks.done || chunks.failed) this.#endMessage((this.#sequenceBase + stop) >>> 0, this.#timeUs);
    else this.#touch(stop);
    if (chunks.failed) this.#loseStep();
    return stop;
  }

  #touch(at: number): void {
    this.#touchAt((this.#sequenceBase + at) >>> 0);
  }

  #touchAt(sequence: number): void {
    if (this.#message === null) return;
    this.#message.endUs = this.#timeUs;
    this.#message.endSequence = sequence;
  }

  #damage(reason: IncompleteReason): void {
    if (this.#message !== null && this.#message.outcome === 'complete') this.#message.outcome = reason;
    this.#body.lose();
  }

  #endMessage(endSequence: number, timeUs: number): void {
    const message = this.#message;
    if (message === null) return;
    this.#body.finish();
    message.endSequence = endSequence;
    message.endUs = timeUs;
    this.#message = null;
    this.#taint = message.ambiguity;
    this.#strict = !this.#sure;
    this.#state = State.between;
    this.#count(message);
    this.#owner.messageEnd(this, message);
  }

  #count(message: Message): void {
    const { counters } = this.#context;
    if (message.body.tooLarge) {
      if (this.#body.crowdedOut) counters.bodiesCrowdedOut++;
      else counters.bodiesTooLarge++;
    }
    if (message.head.status === 0) {
      if (message.outcome !== 'complete') counters.incompleteRequests++;
      if (message.ambiguity !== null) counters.ambiguousRequests++;
    } else if (message.outcome !== 'complete') {
      counters.incompleteResponses++;
    }
  }

  /** Ends whatever has begun as incomplete. */
  #breakOff(endSequence: number, reason: IncompleteReason): void {
    if (this.#message !== null) {
      if (this.#message.outcome === 'complete') this.#message.outcome = reason;
      this.#endMessage(endSequence, this.#message.endUs);
    } else if (this.#state === State.head) {
      const { length } = this.#partial;
      this.#partial.clear();
      if (this.kind === null) this.#owner.skipped(this, length);
      else this.#owner.partialHead(this, reason);
    }
  }

  #loseStep(): void {
    if (this.#state === State.off) return;
    this.#state = State.lost;
    this.#taint = null;
    this.#versionlessAllowed = false;
    this.#owner.lostStep(this);
  }
}
