/**
 * The stages behind a mirror sink: its connections are parsed by the same parser as production's, each request is
 * answered as soon as it was read, put back as it was before the proxy copied it, and goes to the dispatcher when the
 * event loop has read and answered all that was there. No production response comes this way, and production's servers
 * are not seen.
 */
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Exchange, OtherProtocol, PartialHeadReason } from '../http/exchange.ts';
import { CopiedRequests } from '../policy/copied-request.ts';
import type { OpenReader, SinkCounters } from '../sources/sink-parts.ts';
import type { Connection, Direction } from '../tcp/connection.ts';
import { Intake, type IntakeParts } from './intake.ts';
import { type ReaderOwner, RequestReader } from './sink-reader.ts';

/** Requests that were answered and wait for the turn of the dispatcher; more than these do not wait. */
const waitingRequestsMax = 1_024;
const waitingBytesMax = 16 * 1024 * 1024;

export class SinkIntake extends Intake implements ReaderOwner {
  readonly canWait = false;
  readonly assembler: ExchangeAssembler;
  reading: RequestReader | null = null;
  rejected = 0;
  readonly #copies = new CopiedRequests();
  #waiting: Exchange[] = [];
  #waitingBytes = 0;
  #turnPlanned = false;
  #lastId = 0;
  #counters: Readonly<SinkCounters> = { connections: 0, refused: 0, timedOut: 0, untranslatable: 0 };

  constructor(parts: Omit<IntakeParts, 'learn'>) {
    super({ ...parts, learn: null });
    this.assembler = new ExchangeAssembler(this, { pendingMax: 0 });
  }

  /** The sink whose connections come here says what it counts. */
  countWith(counters: Readonly<SinkCounters>): void {
    this.#counters = counters;
  }

  /** For the sink's connections. */
  readonly open: OpenReader = (ends, http2) => new RequestReader(this, ++this.#lastId, ends, http2);

  override flush(): void {
    this.#dispatchWaiting();
  }

  override measure(kernelDrops: number): void {
    const { row, slots } = this;
    row[slots.connections] = this.#counters.connections;
    row[slots.sinkRefused] = this.#counters.refused;
    row[slots.sinkTimedOut] = this.#counters.timedOut;
    row[slots.sinkRejected] = this.rejected + this.#counters.untranslatable;
    super.measure(kernelDrops);
  }

  override requestHead(exchange: Exchange): void {
    super.requestHead(exchange);
    this.reading?.begin(exchange);
  }

  /** The request stays counted as being received until the dispatcher has it. */
  override request(exchange: Exchange): void {
    this.reading?.answer(exchange);
    this.#waiting.push(exchange);
    this.#waitingBytes += exchange.request.body.wireBytes;
    if (this.#waiting.length >= waitingRequestsMax || this.#waitingBytes >= waitingBytesMax) {
      this.#dispatchWaiting();
    } else if (!this.#turnPlanned) {
      this.#turnPlanned = true;
      // Behind all sockets that can be read now.
      setImmediate(() => this.#dispatchWaiting());
    }
  }

  /** Told when the request is dispatched, with what was restored. */
  override unanswered(): void {}

  override partialHead(connection: Connection<unknown>, kind: 'request' | 'response', reason: PartialHeadReason): void {
    super.partialHead(connection, kind, reason);
    this.reading?.reject(reason === 'too_large' ? '431 Request Header Fields Too Large' : '400 Bad Request');
  }

  override other(connection: Connection<unknown>, protocol: OtherProtocol): void {
    super.other(connection, protocol);
    this.reading?.reject('400 Bad Request');
  }

  override skipped(connection: Connection<unknown>, direction: Direction, bytes: number): void {
    super.skipped(connection, direction, bytes);
    this.reading?.reject('400 Bad Request');
  }

  #dispatchWaiting(): void {
    this.#turnPlanned = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const exchange of waiting) {
      const restored = this.#copies.restore(exchange);
      super.request(restored);
      super.unanswered(restored);
    }
  }
}
