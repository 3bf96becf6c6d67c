/** Reads the requests of one connection of a mirror sink, or of one HTTP/2 stream, and says what to answer. */
import type { ExchangeAssembler } from '../http/assembler.ts';
import type { Conversation } from '../http/conversation.ts';
import type { Exchange } from '../http/exchange.ts';
import { Fidelity } from '../http/fidelity.ts';
import type { MessageHead } from '../http/head.ts';
import { parseAddress } from '../policy/network.ts';
import type { SinkEnds, SinkReader } from '../sources/sink-parts.ts';
import { Connection, type Direction } from '../tcp/connection.ts';
import { sequenceAdd } from '../tcp/sequence.ts';

const direction: Direction = 0;

/** What all readers of a sink share. */
export interface ReaderOwner {
  readonly assembler: ExchangeAssembler;
  /** The reader whose bytes are being parsed, to which the assembler's events belong. */
  reading: RequestReader | null;
  /** Connections and streams that were answered with an error. */
  rejected: number;
}

export class RequestReader implements SinkReader {
  over = false;
  waitingFor: SinkReader['waitingFor'] = 'request';
  readonly #owner: ReaderOwner;
  readonly #connection: Connection<Conversation>;
  readonly #http2: boolean;
  #sequence = 0;
  #reply = '';
  /** The request whose head was read and whose body was not. */
  #receiving: Exchange | null = null;
  /** The same until it was looked whether its client waits for a sign to send the body. */
  #beginning: Exchange | null = null;
  /** Sequence number behind the last whole request. */
  #wholeUntil = 0;
  #ending = false;

  constructor(owner: ReaderOwner, id: number, ends: SinkEnds, http2: boolean) {
    this.#owner = owner;
    this.#http2 = http2;
    this.#connection = connectionOf(id, ends);
    this.#connection.state = owner.assembler.open(this.#connection);
  }

  read(bytes: Buffer, timeUs: number): string {
    this.#reply = '';
    this.#owner.reading = this;
    this.#owner.assembler.data(this.#connection, direction, bytes, 0, bytes.length, timeUs, this.#sequence, -1, true);
    this.#owner.reading = null;
    this.#sequence = sequenceAdd(this.#sequence, bytes.length);
    if (this.#receiving === null) {
      this.waitingFor = this.#sequence === this.#wholeUntil ? 'request' : 'head';
      return this.#reply;
    }
    if (this.#beginning !== null && expectsContinue(this.#beginning.request.head)) this.#reply += 'HTTP/1.1 100 Continue\r\n\r\n';
    this.#beginning = null;
    this.waitingFor = 'body';
    return this.#reply;
  }

  end(timedOut: boolean, timeUs: number): void {
    this.#ending = true;
    this.#owner.reading = this;
    this.#owner.assembler.close(this.#connection, timedOut ? 'idle' : 'fin', timeUs);
    this.#owner.reading = null;
  }

  /** A head was read. */
  begin(exchange: Exchange): void {
    if (this.#http2) exchange.fidelity |= Fidelity.fromHttp2;
    this.#receiving = exchange;
    this.#beginning = exchange;
  }

  /** A request was read to its end, or broke off. */
  answer({ request }: Exchange): void {
    this.#receiving = null;
    this.#beginning = null;
    this.#wholeUntil = request.endSequence;
    if (this.#ending || this.over) return;
    const { head } = request;
    if (request.ambiguity !== null) {
      // Where the next request begins is anybody's guess (RFC 9112 section 6.3).
      this.reject('400 Bad Request');
    } else if (head.method === 'CONNECT') {
      this.reject('405 Method Not Allowed');
    } else if (keepsOpen(head)) {
      this.#reply += `HTTP/1.1 204 No Content\r\n${head.version === 'HTTP/1.1' ? '' : 'Connection: keep-alive\r\n'}\r\n`;
    } else {
      this.#close('204 No Content');
    }
  }

  /** Answers with an error and reads no more. */
  reject(status: string): void {
    if (this.#ending || this.over) return;
    this.#owner.rejected++;
    this.#close(status);
  }

  #close(status: string): void {
    this.over = true;
    this.#reply += `HTTP/1.1 ${status}\r\nConnection: close\r\n${status.startsWith('204') ? '' : 'Content-Length: 0\r\n'}\r\n`;
  }
}

/** RFC 9112 section 9.3. */
function keepsOpen(head: MessageHead): boolean {
  const options = head.indexOf('connection') < 0 ? '' : head.all('connection').join(',').toLowerCase();
  if (/(?:^|,)\s*close\s*(?:,|$)/.test(options)) return false;
  return head.version === 'HTTP/1.1' || /(?:^|,)\s*keep-alive\s*(?:,|$)/.test(options);
}

/** RFC 9110 section 10.1.1: not of an HTTP/1.0 client. */
function expectsContinue(head: MessageHead): boolean {
  return head.version === 'HTTP/1.1' && head.get('expect')?.toLowerCase() === '100-continue';
}

function connectionOf(id: number, { remoteAddress, remotePort, localAddress, localPort }: SinkEnds): Connection<Conversation> {
  const addresses = new Int32Array(8);
  parseAddress(remoteAddress.replace(/%.*$/, ''), addresses.subarray(0, 4));
  parseAddress(localAddress.replace(/%.*$/, ''), addresses.subarray(4, 8));
  return new Connection<Conversation>(id, 0, 0, addresses, [remotePort, localPort], direction);
}
