/**
 * The baseline's own latest answers: when the same request comes again soon, its two answers show what differs by
 * itself. Only requests that change nothing are looked at, and none across a request to the same host that may have
 * changed something.
 */
import { hash } from 'node:crypto';
import type { Answer, Pair } from '../pair.ts';
import { readRequest } from '../clusters/request-parts.ts';

const answersMax = 10_000;
const bytesMax = 33_554_432;
const hostsMax = 10_000;

/** Headers that are other in every request, and that no answer should depend on. */
const PER_REQUEST =
  /^(?:x-doubletake-.*|x-forwarded-.*|forwarded|x-real-ip|traceparent|tracestate|baggage|b3|x-b3-.*|x-request-id|x-correlation-id|x-amzn-trace-id|x-cloud-trace-context|idempotency-key|date|via|cache-control|pragma|connection)$/;

interface Held {
  answer: Answer;
  timeUs: number;
  bytes: number;
}

export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

export class OwnAnswers {
  readonly #withinUs: number;
  /** The oldest first. */
  readonly #held = new Map<string, Held>();
  #bytes = 0;
  /** Capture time of the latest request that may have changed something, by host. */
  readonly #changes = new Map<string, number>();

  constructor(withinMs: number) {
    this.#withinUs = withinMs * 1_000;
  }

  /** Remembers the baseline's answer of a pair; returns its answer to the same request before, when that was not long ago. */
  push(pair: Pair): Answer | null {
    if (!isSafe(pair.method)) {
      this.#noteChange(pair.host, pair.timeUs);
      return null;
    }
    if (pair.baseline.failure !== null) return null;
    const key = keyOf(pair);
    const before = this.#held.get(key);
    if (before !== undefined) this.#drop(key, before);
    const { baseline: answer, timeUs } = pair;
    const held = { answer, timeUs, bytes: bytesOf(answer) };
    this.#held.set(key, held);
    this.#bytes += held.bytes;
    for (const [oldest, value] of this.#held) {
      if (this.#held.size <= answersMax && this.#bytes <= bytesMax && value.timeUs >= timeUs - this.#withinUs) break;
      this.#drop(oldest, value);
    }
    if (before === undefined || Math.abs(timeUs - before.timeUs) > this.#withinUs) return null;
    return (this.#changes.get(pair.host) ?? -Infinity) >= Math.min(before.timeUs, timeUs) ? null : before.answer;
  }

  #noteChange(host: string, timeUs: number): void {
    this.#changes.delete(host);
    this.#changes.set(host, timeUs);
    if (this.#changes.size <= hostsMax) return;
    for (const oldest of this.#changes.keys()) {
      this.#changes.delete(oldest);
      return;
    }
  }

  #drop(key: string, held: Held): void {
    this.#held.delete(key);
    this.#bytes -= held.bytes;
  }
}

/** All of the request but what is other in every one. */
function keyOf(pair: Pair): string {
  const { headers, body } = readRequest(pair.request);
  const lines = headers.filter(([name]) => !PER_REQUEST.test(name.toLowerCase())).map(([name, value]) => `${name}:${value}`);
  const head = `${pair.method} ${pair.host} ${pair.target}\n${lines.join('\n')}\n\n`;
  return hash('sha1', body.length === 0 ? head : Buffer.concat([Buffer.from(head), body]), 'base64');
}

/** About what it takes to hold it. */
function bytesOf({ body, headers }: Answer): number {
  let bytes = 200 + (body?.length ?? 0);
  for (const [name, value] of headers) bytes += 50 + name.length + value.length;
  return bytes;
}
