/** Turns the bytes of a request and of its response, as file formats hold them, into a recorded exchange. */
import { ExchangeAssembler } from '../../http/assembler.ts';
import type { Exchange, ExchangeHandler, OtherProtocol, PartialHeadReason } from '../../http/exchange.ts';
import { ExchangeFeed, openConnection, type TimedBytes } from '../exchange-feed.ts';
import type { RecordedConnection, RecordedExchange } from '../recorded-exchange.ts';
import { recordedExchange } from './from-exchange.ts';

/** Bodies beyond this are not kept, as in live traffic. */
export const bodyBytesMax = 64 * 1024 * 1024;

export class ExchangeParser implements ExchangeHandler {
  readonly #feed = new ExchangeFeed(new ExchangeAssembler(this, { responseBodyBytesMax: bodyBytesMax }));
  #exchange: Exchange | null = null;
  #requests = 0;
  #problem: string | null = null;

  /** The exchange, or why these bytes are none. What is not whole or is ambiguous in it is in the exchange. */
  parse(connection: RecordedConnection, index: number, request: TimedBytes, response: TimedBytes | null): RecordedExchange | string {
    this.#exchange = null;
    this.#problem = null;
    this.#requests = 0;
    this.#feed.feed(openConnection(0, connection), request, response);
    const exchange: Exchange | null = this.#exchange;
    if (exchange === null) return this.#problem ?? 'holds no HTTP request';
    if (this.#requests > 1) return 'holds more than one request';
    return recordedExchange(exchange, connection, index);
  }

  requestHead(): void {
    this.#requests++;
  }

  request(exchange: Exchange): void {
    this.#exchange ??= exchange;
  }

  response(): void {}

  unanswered(): void {}

  orphanResponse(): void {}

  partialHead(_connection: unknown, kind: 'request' | 'response', reason: PartialHeadReason): void {
    if (kind === 'request') this.#problem = reason === 'too_large' ? 'holds a head that is too long' : 'holds no whole head of a request';
  }

  other(_connection: unknown, protocol: OtherProtocol): void {
    this.#problem ??= protocol === 'unknown' ? null : `holds no HTTP/1 (${protocol})`;
  }

  skipped(): void {}
}
