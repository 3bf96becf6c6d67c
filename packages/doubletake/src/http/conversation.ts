/**
 * One connection as HTTP sees it: two message parsers, who is the client, and which response answers which request. It
 * turns messages into the events of `ExchangeHandler` in the order promised there, and ends HTTP/1 on the connection
 * when both sides switched to something else.
 */
import type { Connection, Direction } from '../tcp/connection.ts';
import { sequenceDistance } from '../tcp/sequence.ts';
import type { ExchangeHandler, IncompleteReason, Message, OtherProtocol } from './exchange.ts';
import type { MessageKind } from './head-scanner.ts';
import type { MessageOwner, ParserContext } from './message-owner.ts';
import { MessageParser } from './message-parser.ts';
import { PendingExchange, PendingRequests } from './pairing.ts';

/** A response that came, by order of capture, before the request that it acknowledges. */
interface EarlyResponse {
  message: Message;
  acknowledgement: number;
}

const EARLY_RESPONSES_MAX = 4;

export class Conversation implements MessageOwner {
  /** Which endpoint is the client, -1 while unknown. */
  client: Direction | -1 = -1;
  readonly #connection: Connection<unknown>;
  readonly #context: ParserContext;
  readonly #handler: ExchangeHandler;
  readonly #parsers: readonly [MessageParser, MessageParser];
  readonly #pending: PendingRequests;
  #requests = 0;
  /** The exchange whose request is being read. */
  #open: PendingExchange | null = null;
  /** What the response being read answers; null when that was not seen. */
  #answered: PendingExchange | null = null;
  #responseSequence = 0;
  #responseAcknowledgement = -1;
  readonly #early: EarlyResponse[] = [];
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
    if (parser.kind === 'response') this.#parsers[other(direction)].settleVersionless();
    parser.push(bytes, start, end, timeUs, sequence, acknowledgement, segmentStart);
    if (this.#early.length > 0 && direction === this.client) this.#settleEarly(parser);
  }

  gap(direction: Direction, length: number, timeUs: number, sequence: number, reason: IncompleteReason): void {
    const parser = this.#parsers[direction];
    parser.gap(length, timeUs, sequence, reason);
    if (this.#early.length > 0 && direction === this.client) this.#settleEarly(parser);
  }

  end(direction: Direction, timeUs: number): void {
    this.#parsers[direction].finish(true, timeUs, 'closed');
  }

  close(timeUs: number, reason: IncompleteReason): void {
    const client = this.client === -1 ? 0 : this.client;
    this.#parsers[client].finish(false, timeUs, reason);
    this.#parsers[other(client)].finish(false, timeUs, reason);
    this.#pending.giveUpAll();
    for (const early of this.#early.splice(0)) this.#orphan(early.message);
    if (!this.#other && this.#messages === 0 && this.#skipped) this.#handler.other(this.#connection, 'unknown');
  }

  kindFound(parser: MessageParser, kind: MessageKind): void {
    const direction = this.#directionOf(parser);
    this.#setClient(kind === 'request' ? direction : other(direction));
  }

  advanceProves(parser: MessageParser, from: number, to: number): boolean {
    if (parser.kind !== 'request') return true;
    const { interimStart, interimEnd } = this.#parsers[other(this.#directionOf(parser))];
    return sequenceDistance(interimStart, from) < 0 || sequenceDistance(to, interimEnd) < 0;
  }

  pairResponse(sequence: number, acknowledgement: number): string {
    this.#answered = this.#pending.take(sequence, acknowledgement);
    this.#responseSequence = sequence;
    this.#responseAcknowledgement = acknowledgement;
    return this.#answered === null ? '' : this.#answered.request.head.method;
  }

  expectsHeadless(parser: MessageParser): boolean {
    if (parser.kind !== 'response' || this.#tunnel) return false;
    const request = this.#pending.oldest?.request;
    return request !== undefined && request.head.version === 'HTTP/0.9' && request.head.count === 0;
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
    if (this.#pairEarly(exchange)) return;
    const { fresh } = this.#parsers[other(client)];
    if (fresh && acknowledgement >= 0 && this.#pending.length > 0) this.#pending.giveUpBefore(acknowledgement);
    if (this.#pending.length >= this.#context.limits.pendingMax) {
      this.#context.counters.pendingEvicted++;
      this.#pending.evictOldest();
    }
    this.#pending.add(exchange);
  }

  messageEnd(_parser: MessageParser, message: Message): void {
    if (message.head.status === 0) this.#requestEnded();
    else this.#responseEnded(message);
  }

  partialHead(parser: MessageParser, reason: IncompleteReason): void {
    this.#context.counters.partialHeads++;
    this.#handler.partialHead(this.#connection, parser.kind ?? 'request', reason);
  }

  skipped(parser: MessageParser, length: number): void {
    if (length === 0) return;
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
    else if (parser.kind === 'response') this.#pending.loseResponses();
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
    this.#handler.request(exchange);
    if (exchange.response !== null) this.#handler.response(exchange);
    else if (exchange.givenUp) this.#handler.unanswered(exchange);
  }

  #responseEnded(message: Message): void {
    const exchange = this.#answered;
    this.#answered = null;
    if (exchange !== null) this.#answer(exchange, message);
    else if (this.#mayBeEarly()) this.#hold(message);
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

  /** The response acknowledges bytes of the client that were not delivered yet. */
  #mayBeEarly(): boolean {
    const acknowledgement = this.#responseAcknowledgement;
    if (acknowledgement < 0 || this.client === -1) return false;
    const parser = this.#parsers[this.client];
    if (parser.fresh) return this.#connection.initiator >= 0;
    return sequenceDistance(parser.nextSequence, acknowledgement) > 0;
  }

  #hold(message: Message): void {
    this.#early.push({ message, acknowledgement: this.#responseAcknowledgement });
    if (this.#early.length <= EARLY_RESPONSES_MAX) return;
    const oldest = this.#early.shift();
    if (oldest !== undefined) this.#orphan(oldest.message);
  }

  /** A request whose answer was captured before it. */
  #pairEarly(exchange: PendingExchange): boolean {
    const early = this.#early[0];
    if (early !== undefined) {
      if (!exchange.fits(early.message.startSequence, early.acknowledgement)) return false;
      this.#early.shift();
      exchange.response = early.message;
      return true;
    }
    const responding = this.#parsers[other(exchange.client)].inMessage && this.#answered === null;
    if (!responding || !exchange.fits(this.#responseSequence, this.#responseAcknowledgement)) return false;
    this.#answered = exchange;
    return true;
  }

  /** What was acknowledged has been delivered or lost, and no request in it was the one that was answered. */
  #settleEarly(client: MessageParser): void {
    while (this.#early.length > 0 && !client.inMessage) {
      const [early] = this.#early;
      if (sequenceDistance(client.nextSequence, early.acknowledgement) > 0) return;
      this.#early.shift();
      this.#orphan(early.message);
    }
  }
}

function other(direction: Direction): Direction {
  return direction === 0 ? 1 : 0;
}

function upgradeProtocol(message: Message): OtherProtocol {
  const upgrade = message.head.get('upgrade')?.toLowerCase() ?? '';
  if (upgrade === 'websocket') return 'websocket';
  return upgrade.startsWith('h2') ? 'http2' : 'upgrade';
}
