/**
 * One connection as HTTP sees it: two message parsers, who is the client, and which response answers which request. It
 * turns messages into the events of `ExchangeHandler` in the order promised there, and ends HTTP/1 on the connection
 * when both sides switched to something else.
 */
import type { Connection, Direction } from '../tcp/connection.ts';
import { sequenceDistance } from '../tcp/sequence.ts';
import type { ExchangeHandler, IncompleteReason, Message, OtherProtocol, PartialHeadReason } from './exchange.ts';
import { damageOf, Fidelity } from './fidelity.ts';
import type { MessageKind } from './head-scanner.ts';
import { HeldSegments, type Held } from './held-segments.ts';
import type { MessageOwner, ParserContext } from './message-owner.ts';
import { MessageParser } from './message-parser.ts';
import { PendingExchange, PendingRequests } from './pairing.ts';

/**
 * Requests that wait while no byte of the server has been seen: what the mirror delivers late may still answer them, but
 * where only the client is captured nothing ever will.
 */
const unseenPendingMax = 16;

export class Conversation implements MessageOwner {
  /** Which endpoint is the client, -1 while unknown. */
  client: Direction | -1 = -1;
  #connection: Connection<unknown>;
  readonly #context: ParserContext;
  readonly #handler: ExchangeHandler;
  readonly #parsers: readonly [MessageParser, MessageParser];
  readonly #pending: PendingRequests;
  /** Acknowledgement number of the last response that no request was there for. */
  #orphanAcknowledgement = -1;
  /** A response has begun. */
  #serverSeen = false;
  #requests = 0;
  /** The exchange whose request is being read. */
  #open: PendingExchange | null = null;
  /** What the response being read answers; null when that was not seen. */
  #answered: PendingExchange | null = null;
  /** What the server sent and what acknowledges bytes of the client that were not delivered yet; made when needed. */
  #held: HeldSegments | null = null;
  #clientEnded = false;
  /** Both sides agreed to a tunnel: what it holds is read if it is HTTP/1. */
  #tunnel = false;
  #other = false;
  #messages = 0;
  #skipped = false;

  constructor(connection: Connection<unknown>, context: ParserContext, handler: ExchangeHandler) {
    this.#connection = connection;
    this.#context = context;
    this.#handler = handler;
    this.#parsers = [new MessageParser(this, context), new MessageParser(this, context)];
    this.#pending = new PendingRequests((exchange) => this.#unanswered(exchange));
    if (connection.initiator !== -1) this.#beginInStep(connection.initiator);
  }

  /** Begins anew on another connection, as if it were made for it; only behind `close`. */
  reset(connection: Connection<unknown>): void {
    this.client = -1;
    this.#connection = connection;
    this.#parsers[0].reset();
    this.#parsers[1].reset();
    this.#pending.reset();
    this.#orphanAcknowledgement = -1;
    this.#serverSeen = false;
    this.#requests = 0;
    this.#open = null;
    this.#answered = null;
    this.#held = null;
    this.#clientEnded = false;
    this.#tunnel = false;
    this.#other = false;
    this.#messages = 0;
    this.#skipped = false;
    if (connection.initiator !== -1) this.#beginInStep(connection.initiator);
  }

  /**
   * `idle` when everything that was asked has been answered whole and nothing more has begun; `unknown` where that cannot
   * be told, as for other protocols and behind a gap.
   */
  get activity(): 'idle' | 'busy' | 'unknown' {
    const [first, second] = this.#parsers;
    if (this.client === -1 || this.#other || this.#tunnel || first.astray || second.astray) return 'unknown';
    const waits = this.#pending.length > 0 || this.#open !== null || this.#answered !== null || this.#held !== null;
    return !waits && first.idle && second.idle ? 'idle' : 'busy';
  }

  data(
    direction: Direction,
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void {
    const { initiator } = this.#connection;
    if (this.client === -1 && initiator !== -1) this.#setClient(initiator);
    const parser = this.#parsers[direction];
    if (parser.kind === 'response') {
      this.#parsers[other(direction)].settleVersionless();
      if (
        (this.#held !== null || this.#runsAhead(acknowledgement)) &&
        this.#hold({
          kind: 'data',
          bytes: Buffer.from(bytes.subarray(start, end)),
          timeUs,
          sequence,
          acknowledgement,
          segmentStart,
        })
      ) {
        return;
      }
    }
    parser.push(bytes, start, end, timeUs, sequence, acknowledgement, segmentStart);
    if (this.#held !== null) this.#release(false);
  }

  gap(direction: Direction, length: number, timeUs: number, sequence: number, reason: IncompleteReason): void {
    const parser = this.#parsers[direction];
    if (this.#held !== null && direction !== this.client && this.#hold({ kind: 'gap', length, timeUs, sequence, reason })) {
      return;
    }
    parser.gap(length, timeUs, sequence, reason);
    if (this.#held !== null) this.#release(false);
  }

  end(direction: Direction, timeUs: number): void {
    if (direction === this.client) this.#clientEnded = true;
    else if (this.#held !== null && this.#hold({ kind: 'end', timeUs })) return;
    this.#parsers[direction].finish(true, timeUs, 'closed');
    if (this.#held !== null) this.#release(false);
  }

  close(timeUs: number, reason: IncompleteReason): void {
    const client = this.client === -1 ? 0 : this.client;
    this.#parsers[client].finish(false, timeUs, reason);
    if (this.#held !== null) this.#release(true);
    this.#parsers[other(client)].finish(false, timeUs, reason);
    this.#pending.giveUpAll();
    if (!this.#other && this.#messages === 0 && this.#skipped) this.#handler.other(this.#connection, 'unknown');
  }

  kindFound(parser: MessageParser, kind: MessageKind): void {
    const direction = this.#directionOf(parser);
    this.#setClient(kind === 'request' ? direction : other(direction));
  }

  /**
   * The other side has spoken since the last data of this direction, as this segment acknowledges; and it was more than
   * interim responses, which come in the middle of a request. A response also starts where a waiting request says that
   * the client had received everything.
   */
  provesStart(parser: MessageParser, sequence: number, acknowledgement: number, headAlone: boolean): boolean {
    const opposite = this.#parsers[other(this.#directionOf(parser))];
    const isResponse = parser.kind === 'response';
    if (isResponse && this.#pending.expects(sequence, acknowledgement)) return true;
    if (parser.behindGap) {
      return answersGap(opposite, sequence, acknowledgement) || (!isResponse && headAlone && this.#exchangeLost(acknowledgement));
    }
    const from = parser.lastAcknowledgement;
    if (from < 0 || sequenceDistance(from, acknowledgement) <= 0) return false;
    return isResponse || !isInterim(opposite, from, acknowledgement);
  }

  /**
   * The client has received bytes behind the answers to all that it is known to have asked, and we have not: whatever was
   * asked for them was lost, and is over.
   */
  #exchangeLost(acknowledgement: number): boolean {
    if (this.client === -1 || this.#pending.length > 0) return false;
    const server = this.#parsers[other(this.client)];
    return server.wholeAtSeenEnd && sequenceDistance(server.seenEnd, acknowledgement) > 0;
  }

  /** What the server says while requests wait begins where the client, when it asked, had received everything. */
  mayBeginStream(parser: MessageParser, sequence: number): boolean {
    if (parser.kind !== 'response' || this.#pending.length === 0) return true;
    return this.#pending.beginsAt(sequence);
  }

  pairResponse(sequence: number, acknowledgement: number): string {
    if (!this.#serverSeen) {
      this.#serverSeen = true;
      this.#pending.beginResponses(sequence);
    }
    const clientSeen = this.client === -1 ? 0 : this.#parsers[this.client].nextSequence;
    this.#answered = this.#pending.take(sequence, acknowledgement, clientSeen);
    if (this.#answered !== null) return this.#answered.request.head.method;
    this.#orphanAcknowledgement = acknowledgement;
    return '';
  }

  messageHead(parser: MessageParser, message: Message, acknowledgement: number): void {
    this.#messages++;
    if (message.head.status !== 0) {
      this.#context.counters.responses++;
      return;
    }
    this.#context.counters.requests++;
    const client = this.#directionOf(parser);
    const exchange = new PendingExchange(this.#connection, client, this.#requests++, message, acknowledgement);
    this.#open = exchange;
    this.#handler.requestHead(exchange);
    const orphaned = this.#orphanAcknowledgement;
    if (orphaned >= 0 && sequenceDistance(message.startSequence, orphaned) > 0) {
      // Its response has gone by already, unknown whose it was.
      this.#unanswered(exchange);
      return;
    }
    const { pendingMax } = this.#context.limits;
    if (pendingMax === 0) {
      this.#unanswered(exchange);
      return;
    }
    const { fresh } = this.#parsers[other(client)];
    if (fresh && acknowledgement >= 0 && this.#pending.length >= unseenPendingMax) {
      this.#pending.giveUpBefore(acknowledgement);
    }
    if (this.#pending.length >= pendingMax) {
      this.#context.counters.pendingEvicted++;
      this.#pending.evictOldest();
    }
    this.#pending.add(exchange);
  }

  messageEnd(_parser: MessageParser, message: Message): void {
    if (message.head.status === 0) this.#requestEnded();
    else this.#responseEnded(message);
  }

  partialHead(parser: MessageParser, reason: PartialHeadReason): void {
    this.#context.counters.partialHeads++;
    this.#handler.partialHead(this.#connection, parser.kind ?? 'request', reason);
  }

  skipped(parser: MessageParser, length: number): void {
    if (length === 0) return;
    this.#loseMessages(parser);
    this.#skipped = true;
    this.#context.counters.skippedBytes += length;
    this.#handler.skipped(this.#connection, this.#directionOf(parser), length);
  }

  recognised(protocol: OtherProtocol): void {
    this.#parsers[0].switchOff();
    this.#parsers[1].switchOff();
    if (this.#other) return;
    this.#other = true;
    this.#handler.other(this.#connection, protocol);
  }

  lostStep(parser: MessageParser): void {
    if (this.#tunnel) this.recognised('tunnel');
    else this.#loseMessages(parser);
  }

  /** Messages may have begun in bytes that were lost or skipped. */
  #loseMessages(parser: MessageParser): void {
    if (parser.kind === 'response') this.#pending.loseResponses(parser.nextSequence);
    else this.#pending.loseRequests();
  }

  #directionOf(parser: MessageParser): Direction {
    return parser === this.#parsers[0] ? 0 : 1;
  }

  #setClient(client: Direction): void {
    this.client = client;
    this.#parsers[client].kind = 'request';
    this.#parsers[other(client)].kind = 'response';
  }

  #beginInStep(client: Direction): void {
    this.client = client;
    this.#parsers[client].beginInStep('request', true);
    this.#parsers[other(client)].beginInStep('response', false);
  }

  #requestEnded(): void {
    const exchange = this.#open;
    if (exchange === null) return;
    this.#open = null;
    exchange.requestEnded = true;
    exchange.fidelity |= damageOf(exchange.request);
    this.#handler.request(exchange);
    if (exchange.response !== null) this.#handler.response(exchange);
    else if (exchange.givenUp) this.#handler.unanswered(exchange);
  }

  #responseEnded(message: Message): void {
    const exchange = this.#answered;
    this.#answered = null;
    if (exchange !== null) this.#answer(exchange, message);
    else this.#orphan(message);
    const { status } = message.head;
    if (status === 101) {
      this.recognised(upgradeProtocol(message));
    } else if (status < 300 && exchange !== null && exchange.request.head.method === 'CONNECT') {
      this.#tunnel = true;
      this.#parsers[0].beginTunnel();
      this.#parsers[1].beginTunnel();
    }
  }

  #answer(exchange: PendingExchange, message: Message): void {
    exchange.response = message;
    exchange.fidelity = (exchange.fidelity & ~Fidelity.noResponse) | damageOf(message);
    if (exchange.requestEnded) this.#handler.response(exchange);
  }

  #unanswered(exchange: PendingExchange): void {
    exchange.givenUp = true;
    this.#context.counters.unanswered++;
    if (exchange.requestEnded) this.#handler.unanswered(exchange);
  }

  #orphan(message: Message): void {
    this.#context.counters.orphanResponses++;
    this.#handler.orphanResponse(this.#connection, message);
  }

  /** The segment acknowledges bytes of the client that were not delivered yet; one more is that of its FIN. */
  #runsAhead(acknowledgement: number): boolean {
    if (acknowledgement < 0 || this.client === -1 || this.#clientEnded) return false;
    const client = this.#parsers[this.client];
    if (client.fresh) return this.#connection.initiator !== -1;
    return sequenceDistance(client.nextSequence, acknowledgement) > (client.begun ? 0 : 1);
  }

  /** Keeps it for later; when there is no room, everything that waits goes on at once, and so may this. */
  #hold(held: Held): boolean {
    this.#held ??= new HeldSegments(this.#context.kept);
    if (this.#held.add(held)) return true;
    this.#context.counters.heldTooLong++;
    this.#release(true);
    return false;
  }

  /** Goes on with what the server sent, as far as the client's bytes have come. */
  #release(all: boolean): void {
    const held = this.#held;
    if (held === null || this.client === -1) return;
    const server = this.#parsers[other(this.client)];
    for (let next = held.first; next !== undefined; next = held.first) {
      if (next.kind === 'data') {
        if (!all && this.#runsAhead(next.acknowledgement)) return;
        const { bytes, timeUs, sequence, acknowledgement, segmentStart } = next;
        server.push(bytes, 0, bytes.length, timeUs, sequence, acknowledgement, segmentStart);
      } else if (next.kind === 'gap') {
        server.gap(next.length, next.timeUs, next.sequence, next.reason);
      } else {
        server.finish(true, next.timeUs, 'closed');
      }
      held.shift();
    }
    this.#held = null;
  }
}

/**
 * Behind a gap of one side: what the other said last acknowledges that side exactly up to `sequence`, and has been
 * received. That an acknowledgement number advanced proves nothing there: the lost bytes may have carried it already.
 */
function answersGap(opposite: MessageParser, sequence: number, acknowledgement: number): boolean {
  if (opposite.lastAcknowledgement !== sequence) return false;
  if (sequenceDistance(opposite.lastSequence, acknowledgement) <= 0) return false;
  return !isInterim(opposite, opposite.lastSequence, acknowledgement);
}

/** Whether all that the server said in this range was interim responses. */
function isInterim(server: MessageParser, from: number, to: number): boolean {
  return sequenceDistance(server.interimStart, from) >= 0 && sequenceDistance(to, server.interimEnd) >= 0;
}

function other(direction: Direction): Direction {
  return direction === 0 ? 1 : 0;
}

function upgradeProtocol(message: Message): OtherProtocol {
  const upgrade = message.head.get('upgrade')?.toLowerCase() ?? '';
  if (upgrade === 'websocket') return 'websocket';
  return upgrade.startsWith('h2') ? 'http2' : 'upgrade';
}
