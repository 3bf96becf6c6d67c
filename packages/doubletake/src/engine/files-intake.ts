/**
 * The stages behind recorded traffic: each exchange is read by the same parser as live traffic, out of its bytes, so that
 * what a file says of a request is not believed.
 */
import { ExchangeAssembler } from '../http/assembler.ts';
import { matchesIgnoringCase } from '../http/bytes.ts';
import type { Conversation } from '../http/conversation.ts';
import type { HttpLimits } from '../http/counters.ts';
import type { Exchange } from '../http/exchange.ts';
import { Fidelity } from '../http/fidelity.ts';
import { ExchangeFeed, openConnection, type TimedBytes } from '../recording/exchange-feed.ts';
import type { EntryProblem } from '../recording/formats/traffic.ts';
import type { RecordedExchange, RecordedMessage } from '../recording/recorded-exchange.ts';
import type { Connection } from '../tcp/connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import { Intake, type IntakeParts } from './intake.ts';

/** Connections that are remembered; beyond, those that began first are forgotten. */
const connectionsMax = 65_536;

/** So many at once: to look for the first is to step over all that were forgotten before it. */
const forgottenMax = 4_096;

export class FilesIntake extends Intake {
  readonly canWait = true;
  /** Of production's answers, what somebody looks at. */
  readonly responseBodyBytesMax: number;
  readonly #dispatcher: Dispatcher;
  readonly #feed: ExchangeFeed;
  readonly #connections = new Map<string, Connection<Conversation>>();
  #opened = 0;
  /** Those whose server has been told. */
  readonly #told = new WeakSet<object>();
  #present: RecordedExchange | null = null;
  /** Status of the answer to it where that alone is asked for, else 0. */
  #status = 0;

  constructor(parts: IntakeParts, limits: Pick<HttpLimits, 'responseBodyBytesMax'>) {
    super(parts);
    this.#dispatcher = parts.dispatcher;
    this.#feed = new ExchangeFeed(new ExchangeAssembler(this, limits));
    this.responseBodyBytesMax = limits.responseBodyBytesMax;
  }

  /** Replays an exchange as if it had been `laterUs` later. */
  exchange(recorded: RecordedExchange, laterUs: number): void {
    const { request, response } = recorded;
    if (request.outcome !== 'complete') {
      this.incomplete(`incomplete.${request.outcome}`);
    } else if (request.body === null && request.bodyBytes > 0) {
      this.incomplete('dropped.too_large');
    } else {
      this.#present = recorded;
      this.probability = recorded.probability;
      this.#status = response === null || this.#dispatcher.asksForAnswers ? 0 : statusOf(response);
      const answer = response === null || this.#status > 0 ? null : timed(response, laterUs);
      this.#feed.feed(this.#connection(recorded), timed(request, laterUs), answer);
      this.#present = null;
    }
  }

  /** A request was there, of which not enough is. */
  incomplete(outcome: 'dropped.too_large' | `incomplete.${Exclude<RecordedMessage['outcome'], 'complete'>}`): void {
    this.tally.capture();
    this.#dispatcher.end(this, outcome);
  }

  /** Counts an entry that gave no exchange. */
  problem({ kind }: EntryProblem): void {
    if (kind === 'malformed') this.row[this.slots.filesMalformed]++;
    else if (kind === 'skipped') this.row[this.slots.filesSkipped]++;
    else this.incomplete(`incomplete.${kind}`);
  }

  /** How far the files were read, of how much; 0 of 0 where that is not known. */
  progress(done: number, total: number): void {
    this.row[this.slots.filesDone] = done;
    this.row[this.slots.filesTotal] = total;
  }

  /** The files begin anew, with sessions of their own. */
  forgetConnections(): void {
    this.#connections.clear();
  }

  override requestHead(exchange: Exchange): void {
    exchange.fidelity |= this.#present?.fidelity ?? 0;
    exchange.index = this.#present?.index ?? 0;
    super.requestHead(exchange);
  }

  /** A body that is whole and was not kept, since it is long or nobody asks for it, is no hole in the stream. */
  override response(exchange: Exchange): void {
    const recorded = this.#present?.response;
    const { response } = exchange;
    if (response !== null && recorded?.outcome === 'complete' && recorded.body === null && recorded.bodyBytes > 0) {
      const { framing, bodyBytes } = recorded;
      response.outcome = 'complete';
      response.body = { framing, bytes: bodyBytes, sha256: null, wire: null, wireBytes: bodyBytes, tooLarge: true };
      exchange.fidelity = this.#present?.fidelity ?? 0;
    }
    super.response(exchange);
  }

  /** An answer that nobody looks at is counted and not read. */
  override unanswered(exchange: Exchange): void {
    if (this.#status > 0) {
      exchange.fidelity &= ~Fidelity.noResponse;
      this.countResponse(this.#status);
    }
    super.unanswered(exchange);
  }

  /** A window may begin in the middle of a connection. */
  protected override isFirst({ connection }: Exchange): boolean {
    if (this.#told.has(connection)) return false;
    this.#told.add(connection);
    return true;
  }

  /** Each exchange ends by itself. */
  override flush(): void {}

  override measure(kernelDrops: number): void {
    this.row[this.slots.connections] = this.#opened;
    super.measure(kernelDrops);
  }

  #connection({ connection }: RecordedExchange): Connection<Conversation> {
    const known = this.#connections.get(connection.key);
    if (known !== undefined) return known;
    const opened = openConnection(++this.#opened, connection);
    if (this.#connections.size >= connectionsMax) this.#forgetFirst();
    this.#connections.set(connection.key, opened);
    return opened;
  }

  #forgetFirst(): void {
    let forgotten = 0;
    for (const key of this.#connections.keys()) {
      if (forgotten++ === forgottenMax) break;
      this.#connections.delete(key);
    }
  }
}

/** The status of an answer that is whole, by the first bytes of its head; 0 where it takes a parser to say. */
function statusOf({ head, outcome }: RecordedMessage): number {
  if (outcome !== 'complete' || head.length < 14 || !matchesIgnoringCase(head, 0, 'http/1.')) return 0;
  const status = 100 * digit(head[9]) + 10 * digit(head[10]) + digit(head[11]);
  return head[8] === 0x20 && status >= 200 && status < 600 ? status : 0;
}

/** Not a number where it is no digit. */
function digit(byte = 0): number {
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : Number.NaN;
}

function timed({ head, body, bodyBytes, startUs, endUs }: RecordedMessage, laterUs: number): TimedBytes {
  const pieces = body === null || body.length === 0 ? [head] : [head, body];
  return { pieces, missing: body === null ? bodyBytes : 0, startUs: startUs + laterUs, endUs: endUs + laterUs };
}
