/**
 * One direction of a connection: bytes and gaps in, messages out. The parser is in step while it knows where the next
 * message begins; it loses step at a gap that framing cannot bridge, at bytes that are no message, and it starts out of
 * step when the beginning of the connection was not seen. Out of step it takes up a message only at a provable start:
 * the first byte of a segment, a strict start line, and an acknowledgement number which says that the other side spoke
 * since (so that it cannot be the middle of a message). It never joins bytes across a gap.
 */
import { sequenceAdd } from '../tcp/sequence.ts';
import { BodyReader } from './body-reader.ts';
import { Ascii } from './bytes.ts';
import type { Ambiguity, IncompleteReason, Message } from './exchange.ts';
import { decideRequestFraming, decideResponseFraming } from './framing.ts';
import type { MessageHead } from './head.ts';
import { HeadReader } from './head-reader.ts';
import type { MessageKind } from './head-scanner.ts';
import type { MessageOwner, ParserContext } from './message-owner.ts';
import { matchRequestStart, StartMatch } from './start.ts';

const State = {
  /** In step, between messages. */
  between: 0,
  /** Inside a head of which a part is gathered. */
  head: 1,
  body: 2,
  /** Out of step. */
  lost: 3,
  /** Left alone. */
  off: 4,
} as const;
type State = (typeof State)[keyof typeof State];

export class MessageParser {
  /** No byte of this direction was seen, and none is known to be lost. */
  fresh = true;
  /** Sequence number behind what was seen; meaningful once `fresh` is false. */
  nextSequence = 0;
  /** Sequence number of the last data, and whether a gap followed it. */
  lastSequence = 0;
  behindGap = false;
  /** Sequence number behind the last data, and whether a message ended with it. */
  seenEnd = 0;
  wholeAtSeenEnd = false;
  /** Acknowledgement number of the last data, -1 for none. */
  lastAcknowledgement = -1;
  /** Sequence range of the interim responses seen last in a row. */
  interimStart = 0;
  interimEnd = 0;

  readonly #owner: MessageOwner;
  readonly #context: ParserContext;
  readonly #body: BodyReader;
  readonly #heads: HeadReader;
  #state: State = State.lost;
  /** Ambiguity of the message before, which leaves open whether the next one was meant to be one. */
  #taint: Ambiguity | null = null;
  #message: Message | null = null;
  /** The body may have been refused before its first byte (RFC 9110 section 10.1.1). */
  #mayBeRefused = false;
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
  /** The other side spoke since this one did, so that no message can be in its middle. */
  #proved = false;

  constructor(owner: MessageOwner, context: ParserContext) {
    this.#owner = owner;
    this.#context = context;
    this.#body = new BodyReader(context.kept);
    this.#heads = new HeadReader(context.scanner, context.kept, context.limits.headBytesMax);
  }

  /** Forgets the stream, which was finished: the next one begins as if this parser were new. */
  reset(): void {
    this.fresh = true;
    this.nextSequence = 0;
    this.lastSequence = 0;
    this.behindGap = false;
    this.seenEnd = 0;
    this.wholeAtSeenEnd = false;
    this.lastAcknowledgement = -1;
    this.interimStart = 0;
    this.interimEnd = 0;
    this.#heads.reset();
    this.#state = State.lost;
    this.#taint = null;
    this.#message = null;
    this.#mayBeRefused = false;
    this.#sure = true;
    this.#proved = false;
  }

  /** The stream begins here with messages of this kind. */
  beginInStep(kind: MessageKind, versionlessAllowed: boolean): void {
    this.kind = kind;
    this.#state = State.between;
    this.#heads.strict = false;
    this.#heads.versionlessAllowed = versionlessAllowed;
  }

  /** The next bytes may begin a conversation of their own, if they look like it. */
  beginTunnel(): void {
    if (this.#state !== State.between && this.#state !== State.lost) return;
    this.#state = State.between;
    this.#heads.strict = this.kind === 'request';
  }

  /** Everything from here on is left alone. */
  switchOff(): void {
    if (this.#message !== null) this.#breakOff(this.nextSequence, 'closed');
    this.#heads.clear();
    this.#state = State.off;
  }

  get kind(): MessageKind | null {
    return this.#heads.kind;
  }

  set kind(kind: MessageKind) {
    this.#heads.kind = kind;
  }

  /** A message, or what may become one, has begun and not ended. */
  get begun(): boolean {
    return this.#message !== null || this.#state === State.head;
  }

  /** In step, and between two messages. */
  get idle(): boolean {
    return this.#state === State.between;
  }

  /** It is not known where messages begin, or there are none. */
  get astray(): boolean {
    return this.#state === State.lost || this.#state === State.off;
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
    const inDoubt = this.#state === State.lost || this.#taint !== null || this.#mayBeRefused;
    this.#proved =
      inDoubt &&
      segmentStart &&
      acknowledgement >= 0 &&
      this.#owner.provesStart(this, sequence, acknowledgement, isHeadAlone(bytes, start, end));
    let at = start;
    const { fresh } = this;
    this.fresh = false;
    // The beginning of the connection was seen, but not of this side of it.
    if (fresh && this.#state === State.between && !this.#owner.mayBeginStream(this, sequence)) {
      this.#state = State.lost;
    }
    if (this.#mayBeRefused) this.#settleRefused(bytes, start, end);
    if (this.#state === State.lost) {
      const begins = fresh ? this.#owner.mayBeginStream(this, sequence) : this.#proved;
      at = this.#takeUp(bytes, start, end, segmentStart && begins);
    }
    // A lone zero byte is how some systems keep an idle connection alive: it repeats a byte that was sent long before.
    if (fresh && at === end && end - start === 1 && bytes[start] === 0) this.fresh = true;
    while (at < end) {
      switch (this.#state) {
        case State.between:
          if (bytes[at] === Ascii.cr || bytes[at] === Ascii.lf) at++;
          else at = this.#beginHead(bytes, at, end, at === start);
          break;
        case State.head:
          at = this.#readHead(bytes, at, end);
          break;
        case State.body:
          at = this.#readBody(bytes, at, end);
          break;
        case State.lost:
          this.#owner.skipped(this, end - at);
          at = end;
          break;
        default:
          at = end;
      }
    }
    this.lastSequence = sequence;
    this.behindGap = false;
    this.seenEnd = this.nextSequence;
    this.wholeAtSeenEnd = this.#state === State.between;
    if (acknowledgement >= 0) this.lastAcknowledgement = acknowledgement;
  }

  /** `length` bytes from `sequence` on will never be seen. */
  gap(length: number, timeUs: number, sequence: number, reason: IncompleteReason): void {
    this.#timeUs = timeUs;
    this.fresh = false;
    this.behindGap = true;
    this.nextSequence = sequenceAdd(sequence, length);
    switch (this.#state) {
      case State.off:
        return;
      case State.lost:
        this.#owner.lostStep(this);
        return;
      case State.body:
        if (!this.#body.skip(length)) break;
        this.#damage(reason);
        if (this.#body.outcome === 'whole') this.#endMessage(this.nextSequence, timeUs);
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
    if (fin && this.#state === State.body && this.#body.endsAtClose) this.#endMessage(this.nextSequence, timeUs);
    else this.#breakOff(this.nextSequence, reason);
    this.switchOff();
  }

  /** The other side spoke, or this one ended: a request line without a version that stands alone is whole. */
  settleVersionless(): void {
    if (this.#state === State.head && this.#heads.settleVersionless()) this.#headWhole(this.nextSequence);
  }

  /** Out of step: whether a message may begin with this data. Returns where to read on. */
  #takeUp(bytes: Buffer, start: number, end: number, possible: boolean): number {
    if (possible && this.#heads.canStart(bytes, start, end)) {
      this.#state = State.between;
      this.#heads.strict = true;
      this.#taint = null;
      return start;
    }
    this.#owner.skipped(this, end - start);
    return end;
  }

  /** Where the body should begin, another request does, and the server has answered: the body was never sent. */
  #settleRefused(bytes: Buffer, start: number, end: number): void {
    this.#mayBeRefused = false;
    const message = this.#message;
    if (message === null || !this.#proved || matchRequestStart(bytes, start, end) !== StartMatch.yes) return;
    message.outcome = 'closed';
    this.#endMessage(message.endSequence, message.endUs);
  }

  #beginHead(bytes: Buffer, at: number, end: number, first: boolean): number {
    this.#startUs = this.#timeUs;
    this.#startSequence = (this.#sequenceBase + at) >>> 0;
    this.#startAcknowledgement = this.#acknowledgement;
    if (first && this.#proved) this.#taint = null;
    this.#state = State.head;
    return this.#readHead(bytes, at, end);
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const heads = this.#heads;
    const kindBefore = heads.kind;
    const at = heads.read(bytes, start, end);
    if (kindBefore === null && heads.kind !== null) this.#owner.kindFound(this, heads.kind);
    switch (heads.outcome) {
      case 'more':
        return at;
      case 'whole':
        this.#headWhole((this.#sequenceBase + at) >>> 0);
        return at;
      case 'tls':
      case 'http2':
        this.#owner.recognised(heads.outcome);
        return at;
      case 'tooLarge':
        this.#context.counters.headsTooLarge++;
        this.#giveUpHead();
        return at;
      default:
        this.#rejectHead();
        return at;
    }
  }

  /** What had come of a head turns out to be none. */
  #rejectHead(): void {
    const { length } = this.#heads.gathered;
    this.#heads.clear();
    this.#owner.skipped(this, length);
    this.#loseStep();
  }

  /** A head outgrew the limit: a message was seen, and it will never be whole. */
  #giveUpHead(): void {
    if (this.kind === null || this.#heads.strict) {
      this.#rejectHead();
      return;
    }
    this.#heads.clear();
    this.#owner.partialHead(this, 'too_large');
    this.#loseStep();
  }

  /** A head is whole that ends before `endSequence`; the scanner has just read it. */
  #headWhole(endSequence: number): void {
    const { scanner, decision, counters } = this.#context;
    const { head } = this.#heads;
    if (head === null) throw new Error('a whole head without its bytes');
    this.#heads.head = null;
    const { status } = scanner;
    if (status >= 100 && status < 200 && status !== 101) {
      counters.interimResponses++;
      if (this.interimEnd !== this.#startSequence) this.interimStart = this.#startSequence;
      this.interimEnd = endSequence;
      this.#state = State.between;
      return;
    }
    if (status === 0) {
      decideRequestFraming(scanner.framing, scanner.beforeHttp11, decision);
    } else {
      const method = this.#owner.pairResponse(this.#startSequence, this.#startAcknowledgement);
      decideResponseFraming(scanner.framing, scanner.beforeHttp11, status, method, decision);
    }
    const bodiless = decision.framing === 'none' || (decision.framing === 'length' && decision.length === 0);
    this.#beginMessage(head);
    this.#touch(endSequence);
    if (bodiless) this.#endMessage(endSequence, this.#timeUs);
  }

  /** A message with the framing that was just decided. */
  #beginMessage(head: MessageHead): void {
    const { scanner, decision, limits } = this.#context;
    const { framing, length } = decision;
    const bytesMax = scanner.status === 0 ? limits.requestBodyBytesMax : limits.responseBodyBytesMax;
    const message: Message = {
      head,
      body: this.#body.begin(framing, length, bytesMax, limits.hashBodies),
      startUs: this.#startUs,
      endUs: this.#timeUs,
      startSequence: this.#startSequence,
      endSequence: this.#startSequence,
      outcome: 'complete',
      ambiguity: decision.ambiguity ?? scanner.ambiguity ?? this.#taint,
    };
    this.#message = message;
    this.#sure = decision.sure;
    this.#mayBeRefused = scanner.status === 0 && scanner.expects;
    this.#state = framing === 'none' ? State.off : State.body;
    this.#owner.messageHead(this, message, this.#startAcknowledgement);
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const body = this.#body;
    const stop = body.read(bytes, start, end);
    const sequence = (this.#sequenceBase + stop) >>> 0;
    if (body.outcome === 'more') this.#touch(sequence);
    else this.#bodyEnded(sequence, body.outcome === 'broken');
    return stop;
  }

  #bodyEnded(endSequence: number, broken: boolean): void {
    if (broken) this.#sure = false;
    this.#endMessage(endSequence, this.#timeUs);
    if (broken) this.#loseStep();
  }

  /** What was seen of the message goes up to here. */
  #touch(sequence: number): void {
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
    if (this.#body.odd) message.ambiguity ??= 'invalid_chunk';
    message.endSequence = endSequence;
    message.endUs = timeUs;
    this.#message = null;
    this.#taint = message.ambiguity;
    this.#heads.strict = !this.#sure;
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
      if (reason === 'gap' || reason === 'truncated') this.#damage(reason);
      else if (this.#message.outcome === 'complete') this.#message.outcome = reason;
      this.#endMessage(endSequence, this.#message.endUs);
    } else if (this.#state === State.head) {
      const { length } = this.#heads.gathered;
      this.#heads.clear();
      if (this.kind === null) this.#owner.skipped(this, length);
      else this.#owner.partialHead(this, reason);
    }
  }

  #loseStep(): void {
    if (this.#state === State.off) return;
    this.#state = State.lost;
    this.#taint = null;
    this.#heads.versionlessAllowed = false;
    this.#owner.lostStep(this);
  }
}

/** Whether the bytes can be one head and nothing else: an empty line ends them, and there is none before. */
function isHeadAlone(bytes: Buffer, start: number, end: number): boolean {
  const emptyLine = bytes.indexOf('\r\n\r\n', start, 'latin1');
  return emptyLine >= 0 && emptyLine + 4 === end;
}
