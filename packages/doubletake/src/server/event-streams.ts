/**
 * Server-sent events (HTML Living Standard, section 9.2) to every page that is open: what happens is made into text once and
 * written to all. A reader that does not keep up, or whose session has ended, is let go: its page connects anew.
 */
import type { ServerResponse } from 'node:http';
import type { LiveSession } from './access/sessions.ts';
import { Refusal } from './refusal.ts';

const streamsMax = 64;
/** Written and not yet taken by the reader. */
const behindBytesMax = 1_048_576;
const heartbeatEveryMs = 15_000;
/** After which pages connect anew. */
const retryMs = 2_000;

interface Stream {
  response: ServerResponse;
  session: LiveSession | null;
}

export class EventStreams {
  readonly #streams = new Set<Stream>();
  readonly #heartbeat = setInterval(() => this.#write(': still here\n\n'), heartbeatEveryMs);

  get open(): number {
    return this.#streams.size;
  }

  /** Throws a `Refusal` when there are as many as there may be. */
  checkRoom(): void {
    if (this.#streams.size >= streamsMax) {
      throw new Refusal(503, 'DT_TOO_MANY_STREAMS', `${streamsMax} pages are open already; close some`, { retryAfterS: 10 });
    }
  }

  /** Begins a stream on a response of which nothing has been sent, with these events. */
  begin(response: ServerResponse, headers: Record<string, string>, session: LiveSession | null, first: readonly string[]): void {
    const stream = { response, session };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream)).on('error', () => this.#streams.delete(stream));
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write(`retry: ${retryMs}\n\n${first.join('')}`);
  }

  /** `data` is asked for only when somebody listens. */
  send(event: string, data: () => object): void {
    if (this.#streams.size > 0) this.#write(eventText(event, data()));
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const { response } of this.#streams) response.destroy();
    this.#streams.clear();
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    const nowMs = performance.now();
    for (const stream of this.#streams) {
      const { response, session } = stream;
      if ((session === null || session.endsAtMs > nowMs) && response.writableLength <= behindBytesMax) {
        response.write(bytes);
        continue;
      }
      this.#streams.delete(stream);
      response.destroy();
    }
  }
}

/** JSON has no line breaks of its own. */
export function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
