/**
 * The HTTP stage: ordered bytes and gaps of both directions of every connection in, exchanges out. It makes a
 * `Conversation` for each connection and holds what they share: limits, counters, and the bound on memory.
 */
import type { CloseReason, Connection, Direction, StreamHandler } from '../tcp/connection.ts';
import type { GapCause } from '../tcp/counters.ts';
import { KeptBytes } from './body.ts';
import { Conversation } from './conversation.ts';
import { DEFAULT_HTTP_LIMITS, HttpCounters, type HttpLimits } from './counters.ts';
import type { ExchangeHandler, IncompleteReason } from './exchange.ts';
import { FramingDecision } from './framing.ts';
import { HeadScanner } from './head-scanner.ts';
import type { ParserContext } from './message-owner.ts';

export class ExchangeAssembler implements StreamHandler<Conversation> {
  readonly counters = new HttpCounters();
  readonly #handler: ExchangeHandler;
  readonly #context: ParserContext;

  constructor(handler: ExchangeHandler, limits: Partial<HttpLimits> = {}) {
    this.#handler = handler;
    const all = { ...DEFAULT_HTTP_LIMITS, ...limits };
    this.#context = {
      limits: all,
      counters: this.counters,
      kept: new KeptBytes(all.keptBytesMax),
      scanner: new HeadScanner(),
      decision: new FramingDecision(),
    };
  }

  /** Bytes held by unfinished messages, now and at the most. */
  get keptBytes(): { now: number; peak: number } {
    return { now: this.#context.kept.now, peak: this.#context.kept.peak };
  }

  open(connection: Connection<Conversation>): Conversation {
    this.counters.connections++;
    return new Conversation(connection, this.#context, this.#handler);
  }

  /** As `open`, with a conversation that was closed and that nobody else holds. */
  reopen(closed: Conversation, connection: Connection<Conversation>): Conversation {
    this.counters.connections++;
    closed.reset(connection);
    return closed;
  }

  data(
    connection: Connection<Conversation>,
    direction: Direction,
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void {
    connection.state.data(direction, bytes, start, end, timeUs, sequence, acknowledgement, segmentStart);
  }

  gap(
    connection: Connection<Conversation>,
    direction: Direction,
    length: number,
    timeUs: number,
    sequence: number,
    cause: GapCause = 'lost',
  ): void {
    connection.state.gap(direction, length, timeUs, sequence, cause === 'truncated' ? 'truncated' : 'gap');
  }

  end(connection: Connection<Conversation>, direction: Direction, timeUs: number): void {
    connection.state.end(direction, timeUs);
  }

  close(connection: Connection<Conversation>, reason: CloseReason, timeUs: number): void {
    connection.state.close(timeUs, incompleteReason(reason));
  }
}

function incompleteReason(reason: CloseReason): IncompleteReason {
  return reason === 'idle' || reason === 'flushed' ? 'timeout' : 'closed';
}
