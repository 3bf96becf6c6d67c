/**
 * What every source does with the exchanges that it finds: requests that ended go to the dispatcher, and what is seen is
 * counted in the worker's row.
 */
import type { Exchange, ExchangeHandler, Message, OtherProtocol, PartialHeadReason } from '../http/exchange.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import { bucketOf } from '../ledger/histogram.ts';
import { Tally } from '../ledger/tally.ts';
import type { Connection, Direction } from '../tcp/connection.ts';
import type { Dispatcher, RequestSource } from './dispatcher.ts';
import { SourceSlots } from './source-slots.ts';

/** What an intake is given by its worker. */
export interface IntakeParts {
  /** The source's, as in the ledger. */
  name: string;
  dispatcher: Dispatcher;
  layout: CounterLayout;
  /** The worker's counters. */
  row: Float64Array;
  /** Hears of each server that is seen, `address:port`, perhaps more than once; null when nobody asks. */
  learn: ((endpoint: string) => void) | null;
}

export abstract class Intake implements ExchangeHandler, RequestSource {
  readonly tally: Tally;
  /** Requests handed to targets and not settled by all of them. */
  awaiting = 0;
  /** It waits for `room` of the dispatcher, as files do; other sources cannot. */
  abstract readonly canWait: boolean;
  probability = 1;
  /** Requests whose head was seen and whose end was not yet. */
  receiving = 0;
  protected readonly row: Float64Array;
  protected readonly slots: SourceSlots;
  readonly #dispatcher: Dispatcher;
  readonly #learn: ((endpoint: string) => void) | null;

  constructor({ name, dispatcher, layout, row, learn }: IntakeParts) {
    this.#dispatcher = dispatcher;
    this.#learn = learn;
    this.row = row;
    this.slots = new SourceSlots(layout, name);
    this.tally = new Tally(layout, row, ['sources', name]);
  }

  /** The capture ended: everything that was begun ends now. */
  abstract flush(): void;

  /** Writes what the stages count themselves into the row. */
  measure(kernelDrops: number): void {
    this.row[this.slots.kernelDrops] = kernelDrops;
    this.tally.setInFlight(this.receiving + this.awaiting);
  }

  requestHead(_exchange: Exchange): void {
    this.receiving++;
    this.tally.capture();
  }

  request(exchange: Exchange): void {
    this.receiving--;
    this.#dispatcher.dispatch(exchange, this);
  }

  response(exchange: Exchange): void {
    this.countFidelity(exchange.fidelity);
    if (exchange.response !== null) {
      this.countResponse(exchange.response.head.status);
      this.#countLatency(exchange.request, exchange.response);
    }
    this.#dispatcher.answered(exchange);
  }

  unanswered(exchange: Exchange): void {
    this.countFidelity(exchange.fidelity);
    this.#dispatcher.answered(exchange);
  }

  orphanResponse(_connection: Connection<unknown>, response: Message): void {
    this.row[this.slots.orphans]++;
    this.countResponse(response.head.status);
  }

  partialHead(_connection: Connection<unknown>, kind: 'request' | 'response', reason: PartialHeadReason): void {
    if (kind === 'response') return;
    this.tally.capture();
    this.#dispatcher.end(this, reason === 'too_large' ? 'dropped.too_large' : `incomplete.${reason}`);
  }

  other(_connection: Connection<unknown>, protocol: OtherProtocol): void {
    this.row[this.slots.other[protocol]]++;
  }

  skipped(_connection: Connection<unknown>, _direction: Direction, bytes: number): void {
    this.row[this.slots.skippedBytes] += bytes;
  }

  answeredBy(exchange: Exchange): void {
    // All requests of a connection go to one server.
    if (this.isFirst(exchange)) this.#learn?.(exchange.connection.endpoint(exchange.client === 0 ? 1 : 0));
  }

  /** Whether it is the first request that is seen of its connection. */
  protected isFirst({ index }: Exchange): boolean {
    return index === 0;
  }

  keyAbsent(): void {
    this.row[this.slots.headerAbsent]++;
  }

  /** Each exchange comes here once, when it has all it will get. */
  protected countFidelity(fidelity: number): void {
    const { row, slots } = this;
    if (fidelity === 0) {
      row[slots.fidelityWhole]++;
      return;
    }
    for (let bit = 0; bit < slots.fidelity.length; bit++) {
      if ((fidelity & (1 << bit)) !== 0) row[slots.fidelity[bit] ?? 0]++;
    }
  }

  /** As production's side of a comparison has it: from the end of the request to the end of the answer. */
  #countLatency(request: Message, response: Message): void {
    if (request.outcome !== 'complete' || response.outcome !== 'complete') return;
    this.row[this.slots.productionLatency + bucketOf((response.endUs - request.endUs) / 1_000)]++;
  }

  protected countResponse(status: number): void {
    const slot = this.slots.responses[Math.floor(status / 100) - 1];
    if (slot !== undefined) this.row[slot]++;
  }
}
