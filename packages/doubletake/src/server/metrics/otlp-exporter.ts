/**
 * Sends metrics to an OpenTelemetry collector again and again (OTLP/HTTP, JSON). Nothing is queued and nothing sent
 * twice: numbers are since the start, so the next export says all that a failed one would have said. A collector that
 * fails is asked less and less often, or when it says (Retry-After).
 */
import type { MetricFamily } from './family.ts';
import { otlpRequest, type OtlpResource } from './otlp.ts';

export interface OtlpOptions {
  /** The whole URL, such as `http://collector:4318/v1/metrics`. */
  endpoint: string;
  /** Sent with each request, such as a token. */
  headers: Readonly<Record<string, string>>;
  everyMs: number;
  resource: OtlpResource;
  /** Since when counters count, since the epoch. */
  startMs: number;
}

export interface OtlpEvents {
  /** Exports began to fail, or part of one was refused: told once, not each time. */
  warning(text: string): void;
  /** They arrive again. */
  notice(text: string): void;
}

/** An export that takes longer is given up. */
const timeoutMs = 10_000;
/** What a stop waits for the last numbers. */
const lastTimeoutMs = 2_000;
/** However often it failed, it is tried again after this long at the latest. */
const pauseMsMax = 300_000;
/** Read of an answer. */
const answerBytesMax = 65_536;

export class OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #read: () => readonly MetricFamily[];
  readonly #events: OtlpEvents;
  readonly #loop: Promise<void>;
  #closed = false;
  /** Ends the pause or the export that is under way. */
  #interrupt: () => void = () => {};
  #failures = 0;
  #told = '';

  /** Exports `read()` from now on until `close`. */
  constructor(options: OtlpOptions, read: () => readonly MetricFamily[], events: OtlpEvents) {
    this.#options = options;
    this.#read = read;
    this.#events = events;
    this.#loop = this.#run();
  }

  /** Sends the last numbers, if the collector takes them soon, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return this.#loop;
    this.#closed = true;
    this.#interrupt();
    await this.#loop;
    if (this.#failures === 0) await this.#export(lastTimeoutMs);
  }

  async #run(): Promise<void> {
    let waitMs = this.#options.everyMs;
    while (!this.#closed) {
      await this.#pause(waitMs);
      if (this.#closed) return;
      const askedMs = await this.#export(timeoutMs);
      // Some more or less, so that many mirrors do not come back at once.
      const backoffMs = Math.min(pauseMsMax, this.#options.everyMs * 2 ** this.#failures) * (0.75 + Math.random() / 2);
      waitMs = this.#failures === 0 ? this.#options.everyMs : Math.max(backoffMs, askedMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Resolves with how long the collector wants to be left alone, 0 where it did not say. */
  async #export(giveUpAfterMs: number): Promise<number> {
    const { endpoint, resource, startMs } = this.#options;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error('no answer in time')), giveUpAfterMs);
    const before = this.#closed;
    this.#interrupt = () => abort.abort();
    try {
      const headers = new Headers(this.#options.headers);
      headers.set('content-type', 'application/json');
      const body = JSON.stringify(otlpRequest(this.#read(), resource, { startMs, timeMs: Date.now() }));
      const response = await fetch(endpoint, {
        method: 'POST',
        headers,
        body,
        signal: abort.signal,
        // Headers with a token are for this address alone.
        redirect: 'manual',
      });
      const text = await readSome(response);
      if (!response.ok) {
        this.#failed(`it answers ${response.status}${shown(text)}`);
        return retryAfterMs(response.headers.get('retry-after'));
      }
      this.#arrived(refusal(text));
    } catch (error) {
      // What `close` interrupted did not fail; it sends the last numbers by itself.
      if (this.#closed === before) this.#failed(reasonOf(error));
    } finally {
      clearTimeout(timer);
    }
    return 0;
  }

  #failed(reason: string): void {
    this.#failures++;
    this.#tell(`metrics cannot be exported to ${this.#options.endpoint}: ${reason}; it is tried again`);
  }

  #arrived(refused: string | null): void {
    if (this.#failures > 0 && !this.#closed) this.#events.notice(`metrics are exported to ${this.#options.endpoint} again`);
    this.#failures = 0;
    if (refused === null) this.#told = '';
    else this.#tell(`${this.#options.endpoint} did not take all metrics: ${refused}`);
  }

  /** Once, until it is another thing. */
  #tell(text: string): void {
    if (text !== this.#told) this.#events.warning(text);
    this.#told = text;
  }
}

/** The beginning of a body; the rest is not waited for. */
async function readSome(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= answerBytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, answerBytesMax);
}

/** What a collector that took the request says it left out (`partialSuccess`), or null. */
function refusal(text: string): string | null {
  let partial: unknown;
  try {
    partial = Reflect.get(Object(JSON.parse(text)), 'partialSuccess');
  } catch {
    return null;
  }
  const { rejectedDataPoints: rejected = 0, errorMessage = '' } = Object(partial) as { rejectedDataPoints?: unknown; errorMessage?: unknown };
  if (Number(rejected) === 0 && errorMessage === '') return null;
  return `${Number(rejected) || 0} points refused${shown(String(errorMessage))}`;
}

function shown(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').trim();
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

/** RFC 9110 section 10.2.3; seconds alone, since a date says nothing between clocks that differ. */
function retryAfterMs(value: string | null): number {
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(pauseMsMax, Number(value) * 1_000) : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
