/**
 * Records what the policy lets through: a request, made safe, waits for production's answer, which is then made safe in
 * the same way. What cannot be is left out: of an answer with a body that cannot be read, the head alone is recorded.
 */
import type { Exchange, Message } from '../http/exchange.ts';
import type { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import { recordedConnection, recordedMessage } from '../recording/exchange-form.ts';
import type { RecordedConnection, RecordedMessage } from '../recording/recorded-exchange.ts';
import type { Connection } from '../tcp/connection.ts';
import type { RecordSender, Settle } from './record-sender.ts';

/** Requests that wait for their answers; beyond them the oldest is recorded without. */
const waitingMax = 20_000;
const waitingBytesMax = 67_108_864;

interface Waiting {
  safe: Exchange;
  /** Null leaves answers as they came. */
  sanitizer: Sanitizer | null;
  probability: number;
  settle: Settle | null;
}

export class ExchangeRecorder {
  readonly #sender: RecordSender;
  readonly #keyPrefix: string;
  /** Oldest first. */
  readonly #waiting = new Map<Exchange, Waiting>();
  #waitingBytes = 0;
  readonly #connections = new WeakMap<Connection<unknown>, { safe: Connection<unknown>; recorded: RecordedConnection }>();
  #lastConnection = 0;

  /** `keyPrefix` makes the keys of this worker's connections distinct from those of every other worker and run. */
  constructor(sender: RecordSender, keyPrefix: string) {
    this.#sender = sender;
    this.#keyPrefix = keyPrefix;
  }

  /** A request is to be recorded, as `safe`; `settle` as in `RecordSender.add`. */
  begin(exchange: Exchange, safe: Exchange, sanitizer: Sanitizer | null, probability: number, settle: Settle | null): void {
    this.#waiting.set(exchange, { safe, sanitizer, probability, settle });
    this.#waitingBytes += bytesOf(safe);
    if (this.#waiting.size > waitingMax || this.#waitingBytes > waitingBytesMax) this.#recordOldest();
  }

  /** Production's answer ended, or will not come: `exchange.response` is what there is of it. */
  answered(exchange: Exchange): void {
    this.#record(exchange, exchange.response);
  }

  get room(): boolean {
    return this.#sender.room;
  }

  waitForRoom(): Promise<void> {
    return this.#sender.waitForRoom();
  }

  #recordOldest(): void {
    for (const [oldest] of this.#waiting) {
      this.#record(oldest, null);
      if (this.#waiting.size <= waitingMax && this.#waitingBytes <= waitingBytesMax) return;
    }
  }

  #record(exchange: Exchange, response: Message | null): void {
    const waiting = this.#waiting.get(exchange);
    if (waiting === undefined) return;
    this.#waiting.delete(exchange);
    const { safe, sanitizer, probability, settle } = waiting;
    this.#waitingBytes -= bytesOf(safe);
    const recorded = {
      connection: this.#connection(exchange, safe),
      index: exchange.index,
      request: recordedMessage(safe.request),
      response: response === null ? null : recordedAnswer(response, sanitizer),
      fidelity: exchange.fidelity,
      probability,
    };
    this.#sender.add(recorded, settle);
  }

  #connection({ connection }: Exchange, { connection: safe, client }: Exchange): RecordedConnection {
    const known = this.#connections.get(connection);
    if (known?.safe === safe) return known.recorded;
    // After a reload the client may have another pseudonym; it is the same connection.
    const key = known?.recorded.key ?? `${this.#keyPrefix}-${this.#lastConnection++}`;
    const recorded = recordedConnection(safe, client, key);
    this.#connections.set(connection, { safe, recorded });
    return recorded;
  }
}

function bytesOf({ request: { head, body } }: Exchange): number {
  return head.bytes.length + body.wireBytes;
}

/** Null when not even its head can be made safe. */
function recordedAnswer(response: Message, sanitizer: Sanitizer | null): RecordedMessage | null {
  if (sanitizer === null) return recordedMessage(response);
  const safe = sanitizer.sanitizeResponse(response);
  if (safe !== null) return recordedMessage(safe);
  const { body } = response;
  const head = sanitizer.sanitizeResponse({ ...response, body: { ...body, bytes: 0, wire: null, wireBytes: 0, tooLarge: false } });
  return head === null ? null : { ...recordedMessage(head), body: null, bodyBytes: body.wireBytes };
}
