/** A connection of HTTP/2 to a mirror sink: node:http2 reads it, and each request is handed on as one of HTTP/1.1. */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Http2Request, isTranslatable } from './http2-request.ts';
import { nowUs, type SinkContext, type SinkEnds, type SinkReader, type Watched } from './sink-parts.ts';

export class Http2Connection implements Watched {
  sinceMs = performance.now();
  readonly #sink: SinkContext;
  readonly #socket: Socket;
  readonly #ends: SinkEnds;
  #session: ServerHttp2Session | null = null;
  readonly #exchanges = new Set<Http2Exchange>();
  #streams = 0;

  constructor(sink: SinkContext, socket: Socket, ends: SinkEnds) {
    this.#sink = sink;
    this.#socket = socket;
    this.#ends = ends;
  }

  /** Streams are watched one by one; the connection itself only while it has none. */
  get waitingFor(): 'request' {
    return 'request';
  }

  begin(): void {
    const { streamsMax } = this.#sink.limits;
    const session = performServerHandshake(this.#socket, {
      settings: { maxConcurrentStreams: streamsMax, initialWindowSize: 1_048_576, maxHeaderListSize: 262_144, enablePush: false },
      maxHeaderListPairs: 1_024,
    });
    this.#session = session;
    this.#sink.watched.add(this);
    session.on('error', () => session.destroy());
    session.on('close', () => this.#sink.watched.delete(this));
    this.#socket.on('end', () => {
      // What is not whole by now never will be.
      for (const exchange of this.#exchanges) exchange.cutOff(false);
      session.close();
    });
    session.on('stream', (stream, _headers, flags, rawHeaders) => {
      this.#take(stream, flags, rawHeaders);
    });
  }

  cutOff(): void {
    const session = this.#session;
    if (session?.closed === true) session.destroy();
    else session?.close();
  }

  #take(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    this.#streams++;
    this.#sink.watched.delete(this);
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      this.sinceMs = performance.now();
      if (--this.#streams > 0 || this.#session === null || this.#session.destroyed) return;
      if (this.#sink.closing) this.#session.close();
      this.#sink.watched.add(this);
    });
    if (isTranslatable(rawHeaders)) {
      const exchange = new Http2Exchange(this.#sink, stream, this.#sink.open(this.#ends, true));
      this.#exchanges.add(exchange);
      stream.on('close', () => this.#exchanges.delete(exchange));
      exchange.begin(rawHeaders, flags);
    } else {
      this.#sink.counters.untranslatable++;
      if (canAnswer(stream)) stream.respond({ ':status': 400 }, { endStream: true });
      stream.resume();
    }
  }
}

/** NGHTTP2_FLAG_END_STREAM: the head is all there is. */
const endStream = 1;

/** A stream that its client has reset takes no answer, and asking it to is an error. */
function canAnswer(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed && !stream.headersSent;
}

/** One request on a stream of HTTP/2. */
class Http2Exchange implements Watched {
  sinceMs = performance.now();
  readonly #sink: SinkContext;
  readonly #stream: ServerHttp2Stream;
  readonly #reader: SinkReader;
  #ended = false;

  constructor(sink: SinkContext, stream: ServerHttp2Stream, reader: SinkReader) {
    this.#sink = sink;
    this.#stream = stream;
    this.#reader = reader;
  }

  get waitingFor(): 'body' {
    return 'body';
  }

  begin(rawHeaders: readonly string[], flags: number): void {
    const stream = this.#stream;
    const request = new Http2Request(rawHeaders, (flags & endStream) !== 0);
    this.#sink.watched.add(this);
    stream.on('data', (chunk: Buffer) => {
      const framed = request.data(chunk);
      if (framed === null) this.cutOff(false);
      else for (const piece of framed) this.#read(piece);
    });
    stream.on('trailers', (_trailers, _flags, rawTrailers) => request.trailers(rawTrailers));
    stream.on('end', () => {
      // A stream that was reset ends too.
      if (!stream.aborted && stream.rstCode === 0) this.#read(request.end());
    });
    stream.on('close', () => this.#end(false));
    this.#read(request.head);
  }

  cutOff(timedOut: boolean): void {
    this.#end(timedOut);
    this.#stream.close();
  }

  #read(bytes: Buffer): void {
    const stream = this.#stream;
    if (this.#ended || bytes.length === 0 || this.#reader.over) return;
    const answer = this.#reader.read(bytes, nowUs());
    if (answer === '' || !canAnswer(stream)) return;
    const status = Number(answer.slice(9, 12));
    if (status < 200) stream.additionalHeaders({ ':status': status });
    else stream.respond({ ':status': status }, { endStream: true });
  }

  #end(timedOut: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.watched.delete(this);
    this.#reader.end(timedOut, nowUs());
  }
}
