/**
 * Reads access logs. Of a request a log holds the line, the client and two headers, so only GET can be sent again. Times
 * are whole seconds: the requests of one second are spread over it evenly, in their order.
 */
import { type AccessLogLine, parseLogLine } from './access-log-line.ts';
import { EntryReader } from './entry-reader.ts';
import { LineSplitter } from './line-splitter.ts';
import { connectionOf, type EntryProblem } from './traffic.ts';

const lineBytesMax = 64 * 1024;

/** Lines of one second that are spread together; more of them are spread in parts. */
const secondMax = 10_000;

interface Placed {
  line: AccessLogLine;
  number: number;
}

export class AccessLogReader extends EntryReader {
  readonly #splitter = new LineSplitter(lineBytesMax);
  #second: Placed[] = [];
  #number = 0;
  /** From which part of the present second on the next requests go, from 0 to 1. */
  #fromPart = 0;

  protected override read(block: Buffer): void {
    this.#splitter.push(block, (line) => this.#line(line));
  }

  protected override end(): void {
    this.#splitter.flush((line) => this.#line(line));
    this.#spread(1);
    if (this.stream.warning !== null) this.#lineProblem(this.stream.warning);
  }

  #line(bytes: Buffer | null): void {
    this.#number++;
    if (bytes === null) return this.#lineProblem(`line is longer than ${lineBytesMax} bytes`);
    if (bytes.length === 0) return;
    const line = parseLogLine(bytes.toString('latin1'));
    if (line === null) return this.#lineProblem('is no line in the combined format');
    if (typeof line === 'string') return this.#lineProblem(line);
    if (line.method !== 'GET') return this.#lineProblem(`${line.method} cannot be sent again from a log`, 'skipped');
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
      this.#exchange(placed, timeUs);
    }
    this.#second = [];
    this.#fromPart = toPart === 1 ? 0 : toPart;
  }

  #exchange({ line: { client, host, method, target, referer, userAgent }, number }: Placed, timeUs: number): void {
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host ?? 'localhost'}`];
    if (userAgent !== null) lines.push(`User-Agent: ${userAgent}`);
    if (referer !== null) lines.push(`Referer: ${referer}`);
    const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    const connection = connectionOf(`${this.stream.path}#${number}`, { address: client, port: 0 });
    const found = this.parser.parse(connection, 0, { pieces: [bytes], missing: 0, startUs: timeUs, endUs: timeUs }, null);
    if (typeof found === 'string') this.problem(`line ${number}`, found);
    else this.items.push(found);
  }

  #lineProblem(text: string, kind?: EntryProblem['kind']): void {
    this.problem(`line ${this.#number}`, text, kind);
  }
}
