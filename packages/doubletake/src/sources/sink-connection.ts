/** A connection to a mirror sink: its first bytes say whether it is HTTP/1, which is read from the plain socket, or HTTP/2. */
import type { Socket } from 'node:net';
import { Http2Connection } from './sink-http2.ts';
import { nowUs, type SinkContext, type SinkEnds, type SinkReader, type Watched } from './sink-parts.ts';

/** What a client that knows that we speak HTTP/2 begins with (RFC 9113 section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A connection of which too little has come to know whether it is HTTP/1 or HTTP/2. */
export class NewConnection implements Watched {
  waitingFor: Watched['waitingFor'] = 'request';
  sinceMs = performance.now();
  readonly #sink: SinkContext;
  readonly #socket: Socket;
  readonly #ends: SinkEnds;
  #held: Buffer = Buffer.alloc(0);

  constructor(sink: SinkContext, socket: Socket, ends: SinkEnds) {
    this.#sink = sink;
    this.#socket = socket;
    this.#ends = ends;
  }

  begin(): void {
    this.#sink.watched.add(this);
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  cutOff(): void {
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const compared = Math.min(bytes.length, PREFACE.length);
    if (PREFACE.compare(bytes, 0, compared, 0, compared) !== 0) {
      this.#leave();
      new Http1Connection(this.#sink, this.#socket, this.#ends).begin(bytes);
    } else if (compared === PREFACE.length) {
      this.#leave();
      this.#socket.pause();
      this.#socket.unshift(bytes);
      new Http2Connection(this.#sink, this.#socket, this.#ends).begin();
    } else {
      if (this.waitingFor === 'request') this.sinceMs = performance.now();
      this.waitingFor = 'head';
      this.#held = bytes;
    }
  };

  /** A connection that was only opened, as balancers check whether somebody listens. */
  readonly #onEnd = (): void => {
    this.#socket.end();
  };

  readonly #onClose = (): void => {
    this.#leave();
  };

  #leave(): void {
    this.#sink.watched.delete(this);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
  }
}

class Http1Connection implements Watched {
  sinceMs = performance.now();
  readonly #sink: SinkContext;
  readonly #socket: Socket;
  readonly #reader: SinkReader;
  #ended = false;

  constructor(sink: SinkContext, socket: Socket, ends: SinkEnds) {
    this.#sink = sink;
    this.#socket = socket;
    this.#reader = sink.open(ends, false);
  }

  /** Behind the last answer for the client to close, too: what it still sends is read and left. */
  get waitingFor(): Watched['waitingFor'] {
    return this.#reader.over ? 'closing' : this.#reader.waitingFor;
  }

  begin(bytes: Buffer): void {
    const socket = this.#socket;
    this.#sink.watched.add(this);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#end(false));
    this.#read(bytes);
  }

  cutOff(timedOut: boolean): void {
    this.#end(timedOut);
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const reader = this.#reader;
    if (this.#ended || reader.over) return;
    const before = reader.waitingFor;
    const answer = reader.read(bytes, nowUs());
    if (answer !== '') this.#socket.write(answer, 'latin1');
    if (answer !== '' || reader.waitingFor !== before) this.sinceMs = performance.now();
    if (reader.over || (this.#sink.closing && reader.waitingFor === 'request')) this.#socket.end();
    else if (this.#socket.writableLength > this.#sink.limits.unreadBytesMax) this.#socket.pause();
  }

  #end(timedOut: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.watched.delete(this);
    this.#reader.end(timedOut, nowUs());
  }
}
