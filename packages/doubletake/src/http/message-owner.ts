/**
 * What a message parser needs from outside: the conversation that it is one half of, which it tells and asks, and the
 * things that all parsers of a pipeline share.
 */
import type { KeptBytes } from './body.ts';
import type { HttpCounters, HttpLimits } from './counters.ts';
import type { Message, OtherProtocol, PartialHeadReason } from './exchange.ts';
import type { FramingDecision } from './framing.ts';
import type { HeadScanner, MessageKind } from './head-scanner.ts';
import type { MessageParser } from './message-parser.ts';

export interface MessageOwner {
  /** A provable start says which kind of message this direction carries. */
  kindFound(parser: MessageParser, kind: MessageKind): void;
  /**
   * Whether these numbers prove that the message before the data which begins here is over. `headAlone` says that the data
   * is one head and nothing else, as a piece of a body hardly ever is.
   */
  provesStart(parser: MessageParser, sequence: number, acknowledgement: number, headAlone: boolean): boolean;
  /** The method of the request that the response beginning here answers; empty when that was not seen. */
  pairResponse(sequence: number, acknowledgement: number): string;
  messageHead(parser: MessageParser, message: Message, acknowledgement: number): void;
  messageEnd(parser: MessageParser, message: Message): void;
  /** Whether the first bytes of a stream that are seen, at `sequence`, may begin a message, should they look like it. */
  mayBeginStream(parser: MessageParser, sequence: number): boolean;
  partialHead(parser: MessageParser, reason: PartialHeadReason): void;
  skipped(parser: MessageParser, length: number): void;
  recognised(protocol: OtherProtocol): void;
  /** The parser does not know where the next message begins, and bytes were lost. */
  lostStep(parser: MessageParser): void;
}

/** The scanner and the decision are overwritten by each head. */
export interface ParserContext {
  readonly limits: HttpLimits;
  readonly counters: HttpCounters;
  readonly kept: KeptBytes;
  readonly scanner: HeadScanner;
  readonly decision: FramingDecision;
}
