/**
 * Reads GoReplay's files. A response is joined to the request with its id, wherever it stands behind it; a response of a
 * replay is nobody's answer in production, and left out. The format knows of no connections: each request is on one of
 * its own.
 */
import { EntryReader } from './entry-reader.ts';
import { bodyBytesMax, type ExchangeParser } from './exchange-parser.ts';
import { type GorPayload, parsePayload, separator } from './gor-format.ts';
import { connectionOf } from './traffic.ts';

/** A payload is a head and a body. */
const payloadBytesMax = bodyBytesMax + 1024 * 1024;

/** Requests that wait for their responses; beyond either bound the oldest go on without. */
const waitingMax = 10_000;
const waitingBytesMax = 64 * 1024 * 1024;

/** So many go at once: to look for the oldest is to step over all that were taken out before it. */
const releasedMax = 1_000;

interface Waiting {
  payload: GorPayload;
  place: string;
}

export class GorReader extends EntryReader {
  readonly #splitter = new PayloadSplitter();
  readonly #waiting = new Map<string, Waiting>();
  #waitingBytes = 0;
  #exchanges = 0;
  #line = 1;

  protected override read(block: Buffer): void {
    this.#splitter.push(block, (bytes, lines) => this.#payload(bytes, lines));
  }

  protected override end(): void {
    const { rest } = this.#splitter;
    const { warning } = this.stream;
    if (rest > 0 || warning !== null) this.problem(this.#place, `ends inside a payload (${warning ?? `${rest} bytes without the separator`})`);
    for (const waiting of this.#waiting.values()) this.#join(waiting, null);
    this.#waiting.clear();
  }

  /** `bytes` are null for a payload beyond the bound. */
  #payload(bytes: Buffer | null, lines: number): void {
    const payload = bytes === null ? `is longer than ${payloadBytesMax} bytes` : parsePayload(bytes);
    if (typeof payload === 'string') this.problem(this.#place, `payload ${payload}`);
    else if (payload.type === 'request') this.#wait({ payload, place: this.#place });
    else if (payload.type === 'response') this.#answer(payload);
    this.#line += lines;
  }

  #wait(waiting: Waiting): void {
    const { id, bytes } = waiting.payload;
    const same = this.#waiting.get(id);
    if (same !== undefined) this.#release(same, null);
    this.#waiting.set(id, waiting);
    this.#waitingBytes += bytes.length;
    if (this.#waiting.size <= waitingMax && this.#waitingBytes <= waitingBytesMax) return;
    let released = 0;
    for (const oldest of this.#waiting.values()) {
      if (released++ === releasedMax) break;
      this.#release(oldest, null);
    }
  }

  #answer(response: GorPayload): void {
    const waiting = this.#waiting.get(response.id);
    if (waiting !== undefined) this.#release(waiting, response);
    else this.problem(this.#place, 'response without its request before it', 'skipped');
  }

  #release(waiting: Waiting, response: GorPayload | null): void {
    this.#waiting.delete(waiting.payload.id);
    this.#waitingBytes -= waiting.payload.bytes.length;
    this.#join(waiting, response);
  }

  #join({ payload, place }: Waiting, response: GorPayload | null): void {
    const { timeUs, durationUs, id } = payload;
    const connection = connectionOf(`${this.stream.path}#${this.#exchanges++}.${id}`);
    const request = { pieces: [payload.bytes], missing: 0, startUs: timeUs, endUs: timeUs + (durationUs ?? 0) };
    const found = this.parser.parse(connection, 0, request, response === null ? null : answerTo(payload, response));
    if (typeof found === 'string') this.problem(place, `payload ${found}`);
    else this.items.push(found);
  }

  /** Where the payload that is read begins. */
  get #place(): string {
    return `line ${this.#line}`;
  }
}

/** A response with its times, which mean other things in files of before version 1. */
function answerTo(request: GorPayload, { timeUs, durationUs, bytes }: GorPayload): Parameters<ExchangeParser['parse']>[2] {
  const endUs = timeUs + (durationUs ?? 0);
  const startUs = request.durationUs === null && timeUs === request.timeUs ? endUs : timeUs;
  return { pieces: [bytes], missing: 0, startUs, endUs };
}

/** Cuts a stream at the separators, which may lie across blocks. */
class PayloadSplitter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes and lines of a payload beyond the bound that were let go. */
  #dropped = 0;
  #droppedLines = 0;

  /** Bytes behind the last separator. */
  get rest(): number {
    return this.#heldBytes + this.#dropped;
  }

  /** Calls `payload` for each that `block` completes, with the number of lines that it takes. */
  push(block: Buffer, payload: (bytes: Buffer | null, lines: number) => void): void {
    // A separator may have begun in what is held.
    const overlap = this.#tail(separator.length - 1);
    const joined = overlap.length === 0 ? block : Buffer.concat([overlap, block]);
    let from = overlap.length;
    let searched = 0;
    for (let at = joined.indexOf(separator); at >= 0; at = joined.indexOf(separator, searched)) {
      this.#hold(joined.subarray(from, Math.max(from, at)));
      if (at < from) this.#cut(from - at);
      const bytes = this.#dropped > 0 ? null : Buffer.concat(this.#held, this.#heldBytes);
      const lines = this.#droppedLines + countLines(this.#held) + 2;
      this.#clear();
      payload(bytes, lines);
      from = searched = at + separator.length;
    }
    this.#hold(joined.subarray(from));
  }

  /** The last bytes that are held, at most so many. */
  #tail(bytes: number): Buffer {
    const pieces: Buffer[] = [];
    let length = 0;
    for (let index = this.#held.length - 1; index >= 0 && length < bytes; index--) {
      const piece = this.#held[index] ?? Buffer.alloc(0);
      const part = piece.subarray(Math.max(0, piece.length - (bytes - length)));
      pieces.unshift(part);
      length += part.length;
    }
    return Buffer.concat(pieces);
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= payloadBytesMax) return;
    // What a separator might begin with stays.
    const kept = Buffer.from(this.#tail(separator.length - 1));
    this.#droppedLines += countLines(this.#held) - countLines([kept]);
    this.#dropped += this.#heldBytes - kept.length;
    this.#held = [kept];
    this.#heldBytes = kept.length;
  }

  /** Takes away the last bytes, which belong to a separator. */
  #cut(bytes: number): void {
    const all = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [all.subarray(0, all.length - bytes)];
    this.#heldBytes -= bytes;
  }

  #clear(): void {
    this.#held = [];
    this.#heldBytes = this.#dropped = this.#droppedLines = 0;
  }
}

function countLines(pieces: readonly Buffer[]): number {
  let lines = 0;
  for (const piece of pieces) {
    for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, at + 1)) lines++;
  }
  return lines;
}
