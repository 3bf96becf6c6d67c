/**
 * The baseline's own latest answers: when the same request comes again soon, its two answers show what differs by
 * itself. Only requests that change nothing are looked at, and none across a request to the same host that may have
 * changed something.
 */
import { readRequest } from '../clusters/request-parts.ts';
import type { Answer, Pair } from '../pair.ts';

/** Of one generation; there are two. */
const targetsMax = 5_000;
const bytesMax = 16_777_216;
/** Of one target: those of the clients that asked last. */
const answersMax = 4;
const hostsMax = 10_000;

/** Headers that are other in every request, and that no answer should depend on. */
const PER_REQUEST =
  /^(?:x-doubletake-.*|x-forwarded-.*|forwarded|x-real-ip|traceparent|tracestate|baggage|b3|x-b3-.*|x-request-id|x-correlation-id|x-amzn-trace-id|x-cloud-trace-context|idempotency-key|date|via|cache-control|pragma|connection)$/;

interface Held {
  answer: Answer;
  request: Buffer;
  /** The request without what is other in every one; made when it is needed. */
  key: string | null;
  timeUs: number;
}

export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

export class OwnAnswers {
  readonly #withinUs: number;
  /** By method, host and target; the latest last. When a generation is full, the one before is forgotten. */
  #young = new Map<string, Held[]>();
  #old = new Map<string, Held[]>();
  #youngBytes = 0;
  #youngSinceUs = 0;
  /** Capture time of the latest request that may have changed something, by host. */
  readonly #changes = new Map<string, number>();

  constructor(withinMs: number) {
    this.#withinUs = withinMs * 1_000;
  }

  /**
   * Remembers the baseline's answer of a pair. Returns its answer to the same request before, when that was not long ago;
   * null also when it is not `wanted`.
   */
  push(pair: Pair, wanted: boolean): Answer | null {
    const { method, host, target, timeUs, baseline: answer, request } = pair;
    if (!isSafe(method)) {
      this.#noteChange(host, timeUs);
      return null;
    }
    if (answer.failure !== null || isCached(answer)) return null;
    this.#makeRoom(timeUs);
    const name = `${method} ${host} ${target}`;
    let known = this.#young.get(name);
    if (known === undefined) {
      known = this.#old.get(name) ?? [];
      this.#young.set(name, known);
      for (const carried of known) this.#youngBytes += bytesOf(carried);
    }
    const held: Held = { answer, request, key: null, timeUs };
    const isSame = (each: Held): boolean => this.#isNear(each.timeUs, timeUs) && keyOf(each) === keyOf(held);
    const before = wanted ? known.findLast(isSame) : undefined;
    known.push(held);
    if (known.length > answersMax) known.shift();
    this.#youngBytes += bytesOf(held);
    if (before === undefined || (this.#changes.get(host) ?? -Infinity) >= Math.min(before.timeUs, timeUs)) return null;
    return before.answer;
  }

  #isNear(timeUs: number, nowUs: number): boolean {
    return Math.abs(nowUs - timeUs) <= this.#withinUs;
  }

  #makeRoom(timeUs: number): void {
    const isFull = this.#young.size >= targetsMax || this.#youngBytes >= bytesMax;
    if (!isFull && this.#isNear(this.#youngSinceUs, timeUs)) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#youngSinceUs = timeUs;
  }

  #noteChange(host: string, timeUs: number): void {
    if (this.#changes.size >= hostsMax && !this.#changes.has(host)) this.#changes.clear();
    this.#changes.set(host, timeUs);
  }
}

function keyOf(held: Held): string {
  if (held.key === null) {
    const { headers, body } = readRequest(held.request);
    const lines = headers.filter(([name]) => !PER_REQUEST.test(name.toLowerCase())).map(([name, value]) => `${name}:${value}\n`);
    held.key = `${lines.join('')}\n${body.toString('latin1')}`;
  }
  return held.key;
}

/** An answer out of a cache is the one before (RFC 9111 section 5.1). */
function isCached({ headers }: Answer): boolean {
  return headers.some(([name]) => name.length === 3 && name.toLowerCase() === 'age');
}

/** About what it takes to hold it. */
function bytesOf({ answer: { body, headers }, request }: Held): number {
  let bytes = 300 + 2 * request.length + (body?.length ?? 0);
  for (const [name, value] of headers) bytes += 50 + name.length + value.length;
  return bytes;
}
