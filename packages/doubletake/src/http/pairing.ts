/**
 * Which response answers which request, on one connection. Requests wait in order. While both directions were seen
 * without loss, order alone is right. A response must also fit by sequence numbers: it begins no earlier than what the
 * client had received when it sent the request (`ackAtStart`), and its segment acknowledges the request's first byte.
 * When responses were lost, a response belongs to the newest request that fits; when pipelining or lost requests leave
 * that open, nothing is guessed and the requests in question stay unanswered.
 */
import type { Connection, Direction } from '../tcp/connection.ts';
import { sequenceDistance } from '../tcp/sequence.ts';
import type { Exchange, Message } from './exchange.ts';
import { Fidelity } from './fidelity.ts';

/** An exchange and what pairing needs to know of it. */
export class PendingExchange implements Exchange {
  readonly connection: Connection<unknown>;
  readonly client: Direction;
  readonly index: number;
  readonly request: Message;
  response: Message | null = null;
  fidelity: number = Fidelity.noResponse;
  /** Acknowledgement number of the segment in which the request began, -1 if it had none. */
  readonly ackAtStart: number;
  requestEnded = false;
  /** No response will be paired with it. */
  givenUp = false;
  /** Behind this request the client's stream has a hole in which others may have begun. */
  holeBehind = false;

  constructor(connection: Connection<unknown>, client: Direction, index: number, request: Message, ackAtStart: number) {
    this.connection = connection;
    this.client = client;
    this.index = index;
    this.request = request;
    this.ackAtStart = ackAtStart;
  }

  /** Whether a response that begins at `sequence`, in a segment with this acknowledgement number, can answer it. */
  fits(sequence: number, acknowledgement: number): boolean {
    if (acknowledgement >= 0 && sequenceDistance(this.request.startSequence, acknowledgement) <= 0) return false;
    return this.ackAtStart < 0 || sequenceDistance(this.ackAtStart, sequence) >= 0;
  }
}

export class PendingRequests {
  #waiting: PendingExchange[] = [];
  #first = 0;
  /** Responses may be missing between the oldest waiting request and the next response. */
  #responsesLost = false;
  /** Where the last hole in the server's stream ended, -1 when there was none. */
  #lostUntil = -1;
  readonly #giveUp: (exchange: PendingExchange) => void;

  /** `giveUp` takes each request that can no longer be paired. */
  constructor(giveUp: (exchange: PendingExchange) => void) {
    this.#giveUp = giveUp;
  }

  /** Forgets the connection, on which nothing waits any more. */
  reset(): void {
    this.#waiting.length = 0;
    this.#first = 0;
    this.#responsesLost = false;
    this.#lostUntil = -1;
  }

  get length(): number {
    return this.#waiting.length - this.#first;
  }

  /**
   * Whether `sequence` can be where the server's answers begin: what the client had received when it asked, or unknown
   * because the request came without an acknowledgement number, as in a SYN.
   */
  beginsAt(sequence: number): boolean {
    for (let index = this.#first; index < this.#waiting.length; index++) {
      const { ackAtStart } = this.#waiting[index];
      if (ackAtStart < 0 || ackAtStart === sequence) return true;
    }
    return false;
  }

  /** Whether a request was sent when the client had received exactly what comes before `sequence`. */
  expects(sequence: number, acknowledgement: number): boolean {
    for (let index = this.#waiting.length - 1; index >= this.#first; index--) {
      const exchange = this.#waiting[index];
      if (exchange.ackAtStart === sequence && exchange.fits(sequence, acknowledgement)) return true;
    }
    return false;
  }

  add(exchange: PendingExchange): void {
    this.#waiting.push(exchange);
  }

  /**
   * The server's stream has a hole, which ends at the sequence number `until`, in which responses may have begun; also
   * those to requests that are delivered only later.
   */
  loseResponses(until: number): void {
    this.#lostUntil = until;
    if (this.length > 0) this.#responsesLost = true;
  }

  /** The client's stream has a hole in which requests may have begun. */
  loseRequests(): void {
    for (let index = this.#first; index < this.#waiting.length; index++) this.#waiting[index].holeBehind = true;
  }

  /** The oldest request goes unanswered; its response may still come, so that order alone proves nothing any more. */
  evictOldest(): void {
    this.#responsesLost = true;
    this.#giveUpFirst(1);
  }

  /** The first response that is seen begins at `sequence`: others may have gone by unseen before it. */
  beginResponses(sequence: number): void {
    if (this.#lostUntil < 0) this.#lostUntil = sequence;
  }

  /** No byte of the server is seen at all: requests sent before the client received more than at `ackAtStart`. */
  giveUpBefore(ackAtStart: number): void {
    let count = 0;
    for (let index = this.#first; index < this.#waiting.length; index++) {
      const before = this.#waiting[index].ackAtStart;
      if (before < 0 || sequenceDistance(before, ackAtStart) <= 0) break;
      count++;
    }
    this.#giveUpFirst(count);
  }

  giveUpAll(): void {
    this.#giveUpFirst(this.length);
  }

  /**
   * Takes the request that the response beginning at `sequence` answers, or null. The client's bytes have been read up to
   * `clientSeen`.
   */
  take(sequence: number, acknowledgement: number, clientSeen: number): PendingExchange | null {
    if (this.length === 0) return null;
    const oldest = this.#waiting[this.#first];
    if (this.#responsesLost || this.#mayHaveLost(oldest)) {
      return this.#takeNewest(sequence, acknowledgement, clientSeen);
    }
    if (!oldest.fits(sequence, acknowledgement)) return null;
    this.#first++;
    this.#compact();
    return oldest;
  }

  /** Whether the response to a request may lie in the last hole. */
  #mayHaveLost(exchange: PendingExchange): boolean {
    if (this.#lostUntil < 0) return false;
    return exchange.ackAtStart < 0 || sequenceDistance(exchange.ackAtStart, this.#lostUntil) > 0;
  }

  #takeNewest(sequence: number, acknowledgement: number, clientSeen: number): PendingExchange | null {
    const waiting = this.#waiting;
    let newest = waiting.length - 1;
    while (newest >= this.#first && !waiting[newest].fits(sequence, acknowledgement)) newest--;
    if (newest < this.#first) return null;
    const found = waiting[newest];
    const pipelined = newest > this.#first && waiting[newest - 1].ackAtStart === found.ackAtStart;
    if (pipelined || mayAnswerLost(found, acknowledgement, clientSeen)) {
      // Sent in one go with others, or before a request that was lost: which one this answers is lost too.
      while (newest + 1 < waiting.length && waiting[newest + 1].ackAtStart === found.ackAtStart) newest++;
      this.#giveUpFirst(newest + 1 - this.#first);
      return null;
    }
    this.#giveUpFirst(newest - this.#first);
    this.#first++;
    this.#compact();
    this.#responsesLost = false;
    return found;
  }

  #giveUpFirst(count: number): void {
    for (let left = count; left > 0; left--) {
      const exchange = this.#waiting[this.#first];
      this.#first++;
      this.#giveUp(exchange);
    }
    this.#compact();
  }

  /** Forgets what was taken, so that a long connection holds only what still waits. */
  #compact(): void {
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    } else if (this.#first >= 32) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

/** Whether the response may answer a request that was lost behind `exchange`. */
function mayAnswerLost(exchange: PendingExchange, acknowledgement: number, clientSeen: number): boolean {
  if (acknowledgement < 0) return exchange.holeBehind;
  if (!exchange.requestEnded || sequenceDistance(exchange.request.endSequence, acknowledgement) <= 0) return false;
  return exchange.holeBehind || sequenceDistance(clientSeen, acknowledgement) > 0;
}
