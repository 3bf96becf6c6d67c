/**
 * Reads access logs. Of a request a log holds the line, the client and two headers, so only GET can be sent again. Times
 * are whole seconds: the requests of one second are spread over it evenly, in their order.
 */
import type { ByteStream } from './byte-stream.ts';
import { type AccessLogLine, parseLogLine } from './access-log-line.ts';
import { ExchangeParser } from './exchange-parser.ts';
import { LineSplitter } from './line-splitter.ts';
import { connectionOf, type EntryProblem, type TrafficItem, type TrafficReader } from './traffic.ts';

const lineBytesMax = 64 * 1024;

/** Lines of one second that are spread together; more of them are spread in parts. */
const secondMax = 10_000;

interface Placed {
  line: AccessLogLine;
  number: number;
}

export class AccessLogReader implements TrafficReader {
  readonly #stream: ByteStream;
  readonly #parser = new ExchangeParser();
  #items: TrafficItem[] = [];
  #second: Placed[] = [];
  #number = 0;
  /** From which part of the present second on the next requests go, from 0 to 1. */
  #fromPart = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get done(): number {
    return this.#stream.done;
  }

  get total(): number {
    return this.#stream.total;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    const splitter = new LineSplitter(lineBytesMax);
    try {
      // oxlint-disable-next-line no-await-in-loop -- one piece follows the other
      for (let block = await this.#stream.next(); block !== null; block = await this.#stream.next()) {
        splitter.push(block, (line) => this.#line(line));
        if (this.#items.length > 0) yield this.#taken();
      }
      splitter.flush((line) => this.#line(line));
      this.#spread(1);
      if (this.#stream.warning !== null) this.#problem('malformed', this.#stream.warning);
      yield this.#taken();
    } finally {
      await this.#stream.close();
    }
  }

  #taken(): TrafficItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #line(bytes: Buffer | null): void {
    this.#number++;
    if (bytes === null) return this.#problem('malformed', `line is longer than ${lineBytesMax} bytes`);
    if (bytes.length === 0) return;
    const line = parseLogLine(bytes.toString('latin1'));
    if (line === null) return this.#problem('malformed', 'is no line in the combined format');
    if (typeof line === 'string') return this.#problem('malformed', line);
    if (line.method !== 'GET') return this.#problem('skipped', `${line.method} cannot be sent again from a log`);
    const present = this.#second[0]?.line.timeUs;
    if (present !== undefined && present !== line.timeUs) this.#spread(1);
    else if (this.#second.length >= secondMax) this.#spread((1 + this.#fromPart) / 2);
    this.#second.push({ line, number: this.#number });
  }

  /** Gives the requests of the second times up to `toPart` of it; 1 is its end. */
  #spread(toPart: number): void {
    const step = (toPart - this.#fromPart) / this.#second.length;
    for (const [index, placed] of this.#second.entries()) {
      const timeUs = placed.line.timeUs + Math.floor((this.#fromPart + index * step) * 1_000_000);
      this.#items.push(this.#exchange(placed, timeUs));
    }
    this.#second = [];
    this.#fromPart = toPart === 1 ? 0 : toPart;
  }

  #exchange({ line: { client, host, method, target, referer, userAgent }, number }: Placed, timeUs: number): TrafficItem {
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host ?? 'localhost'}`];
    if (userAgent !== null) lines.push(`User-Agent: ${userAgent}`);
    if (referer !== null) lines.push(`Referer: ${referer}`);
    const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const { path } = this.#stream;
    const connection = connectionOf(`${path}#${number}`, { address: client, port: 0 });
    const found = this.#parser.parse(connection, 0, { pieces: [bytes], missing: 0, startUs: timeUs, endUs: timeUs }, null);
    return typeof found === 'string' ? { file: path, place: `line ${number}`, kind: 'malformed', text: found } : found;
  }

  #problem(kind: EntryProblem['kind'], text: string): void {
    this.#items.push({ file: this.#stream.path, place: `line ${this.#number}`, kind, text });
  }
}
