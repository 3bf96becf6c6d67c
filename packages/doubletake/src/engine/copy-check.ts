/**
 * Tries a proxy that is to copy requests to us: opens a sink, sends marked requests to the proxy, and compares the
 * copies that arrive with what was sent.
 */
import { randomBytes } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { compareCopy, type Findings, type SeenRequest } from '../generate/copy-findings.ts';
import { MARK_HEADER, type Probe, probes } from '../generate/probes.ts';
import { type HostPort, hostPortText, serverOfUrl } from '../host-port.ts';
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Exchange, ExchangeHandler } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import { CopiedRequests } from '../policy/copied-request.ts';
import { contentOf } from '../policy/message-edit.ts';
import { openHttpSink } from '../sources/http-sink.ts';
import { type ReaderOwner, RequestReader } from './sink-reader.ts';

export interface CopyCheckOptions {
  /** Of the proxy, with a path under which the requests may do no harm. */
  url: URL;
  /** Where copies are expected; port 0 lets the system choose. */
  listen: HostPort;
  /** Share of the requests that is to be copied, in percent. */
  percentage: number;
  /** Requests that are sent to see the share, beside the others. */
  shareRequests: number;
  /** How long a copy may take. */
  waitMs: number;
}

export interface ProbeResult extends Findings {
  name: string;
  /** `lost`: sent as often as a copy should surely have come, and none came; `unknown`: it may not have been in the share. */
  outcome: 'ok' | 'changed' | 'lost' | 'twice' | 'unanswered' | 'unknown';
}

export interface CopyCheckReport {
  listening: string;
  probes: ProbeResult[];
  /** Of requests of one kind: how many were sent and answered, and how many copies came. */
  share: { sent: number; copies: number; plausible: boolean };
  /** Copies of requests that were sent one behind the other came in that order. */
  inOrder: boolean;
  /** Requests on the sink that were not ours. */
  others: number;
  ok: boolean;
}

/** Answers of the proxy take this long at most. */
const answerMsMax = 10_000;
/** There are some twenty probes, so that one of them is called lost by chance in far fewer than a hundredth of the checks. */
const missedByChanceMax = 1e-4;
/** Enough for a share of 10 %; of a smaller one it stays unknown whether a copy is lost. */
const triesMax = 100;
/** What the proxy is sending when the check ends is cut off after this long. */
const closeGraceMs = 100;
/** Between two tries. */
const roundMs = 50;

/** Runs the check; rejects with a `SystemError` when the sink cannot listen. */
export async function checkCopies(options: CopyCheckOptions, progress: (listening: string) => void): Promise<CopyCheckReport> {
  const run = randomBytes(4).toString('hex');
  const copies = new CopyCollector(run);
  const { host, port } = options.listen;
  const sink = await openHttpSink({ host, port, open: copies.open });
  const listening = hostPortText({ host: sink.address, port: sink.port });
  progress(listening);
  const client = new ProxyClient(options.url, run);
  try {
    return await check(options, copies, client, listening);
  } finally {
    client.close();
    await sink.close(closeGraceMs);
  }
}

/** One kind of request, and how often it was sent. */
interface Sent {
  probe: Probe;
  numbers: number[];
  answered: number;
  /** As it was sent last; but for their marks all are equal. */
  seen: SeenRequest | null;
}

async function check(options: CopyCheckOptions, copies: CopyCollector, client: ProxyClient, listening: string): Promise<CopyCheckReport> {
  const share = options.percentage / 100;
  const tries = share >= 1 ? 1 : Math.min(triesMax, Math.ceil(Math.log(missedByChanceMax) / Math.log(1 - share)));
  const surelyCopied = (1 - share) ** tries <= missedByChanceMax;
  const sent: Sent[] = probes.map((probe) => ({ probe, numbers: [], answered: 0, seen: null }));
  // In rounds, so that the copies of one arrive while the others are sent.
  for (let round = 0; round < tries; round++) {
    for (const each of sent.filter(({ numbers }) => !numbers.some((number) => copies.of(number).length > 0))) {
      const number = client.next();
      each.numbers.push(number);
      const { sent: seen, answered } = await client.send(each.probe, number);
      each.seen = seen;
      if (answered) each.answered++;
    }
    if (tries > 1) await delay(Math.min(roundMs, options.waitMs));
  }
  const shareNumbers: number[] = [];
  const plain = probes[0];
  for (let index = 0; plain !== undefined && index < options.shareRequests; index++) {
    const number = client.next();
    if ((await client.send(plain, number)).answered) shareNumbers.push(number);
  }
  await copies.settle(options.waitMs, () => share >= 1 && [...sent.flatMap(({ numbers }) => numbers), ...shareNumbers].every((number) => copies.of(number).length > 0));

  const results = sent.map(({ probe, numbers, answered, seen }): ProbeResult => {
    const arrived = numbers.flatMap((number) => copies.of(number));
    const first = arrived[0];
    const twice = numbers.some((number) => copies.of(number).length > 1);
    const none = { changes: [], remarks: [] };
    if (first === undefined || seen === null) {
      const outcome = answered === 0 ? 'unanswered' : surelyCopied ? 'lost' : 'unknown';
      return { name: probe.name, outcome, ...none };
    }
    const findings = compareCopy({ ...seen, headers: withoutMark(seen) }, { ...first.seen, headers: withoutMark(first.seen) }, first.labels);
    const outcome = twice ? 'twice' : findings.changes.length > 0 ? 'changed' : 'ok';
    return { name: probe.name, outcome, ...findings };
  });
  const shareCopies = shareNumbers.filter((number) => copies.of(number).length > 0);
  const arrival = shareCopies.map((number) => copies.of(number)[0]?.position ?? 0);
  const plausible = isPlausible(shareNumbers.length, shareCopies.length, share);
  return {
    listening,
    probes: results,
    share: { sent: shareNumbers.length, copies: shareCopies.length, plausible },
    inOrder: arrival.every((position, index) => index === 0 || position > (arrival[index - 1] ?? 0)),
    others: copies.others,
    ok: plausible && results.every(({ outcome }) => outcome === 'ok' || outcome === 'unknown'),
  };
}

/** Whether so many of `sent` can have been copied where each is with this probability: within four standard deviations. */
function isPlausible(sent: number, copied: number, share: number): boolean {
  if (share >= 1) return copied === sent;
  return Math.abs(copied - sent * share) <= 4 * Math.sqrt(sent * share * (1 - share)) + 1;
}

function withoutMark({ headers }: SeenRequest): SeenRequest['headers'] {
  return headers.filter(([name]) => name.toLowerCase() !== MARK_HEADER.toLowerCase());
}

interface Arrived {
  seen: SeenRequest;
  labels: string[];
  /** Among all copies, in order of arrival. */
  position: number;
}

/** Reads the copies of one check out of what arrives at its sink. */
class CopyCollector implements ReaderOwner, ExchangeHandler {
  readonly assembler = new ExchangeAssembler(this, { pendingMax: 0 });
  reading: RequestReader | null = null;
  rejected = 0;
  others = 0;
  readonly #run: string;
  readonly #copied = new CopiedRequests();
  readonly #arrived = new Map<number, Arrived[]>();
  #lastId = 0;
  #count = 0;

  constructor(run: string) {
    this.#run = run;
  }

  readonly open = (ends: ConstructorParameters<typeof RequestReader>[2], http2: boolean): RequestReader =>
    new RequestReader(this, ++this.#lastId, ends, http2);

  of(number: number): readonly Arrived[] {
    return this.#arrived.get(number) ?? [];
  }

  /** Resolves when `done`, or when no copy has come for `quietMs`. */
  async settle(quietMs: number, done: () => boolean): Promise<void> {
    const stepMs = Math.min(50, quietMs);
    for (let before = -1, quiet = 0; quiet < quietMs && !done(); quiet += stepMs) {
      if (this.#count !== before) quiet = 0;
      before = this.#count;
      await delay(stepMs);
    }
  }

  requestHead(exchange: Exchange): void {
    this.reading?.begin(exchange);
  }

  request(exchange: Exchange): void {
    this.reading?.answer(exchange);
    const copy = this.#copied.restore(exchange);
    const { head } = copy.request;
    const mark = /^([0-9a-f]+)-(\d+)$/.exec(head.get(MARK_HEADER) ?? '');
    if (mark === null || mark[1] !== this.#run || copy.request.outcome !== 'complete') {
      this.others++;
      return;
    }
    const number = Number(mark[2]);
    const list = this.#arrived.get(number) ?? [];
    list.push({ seen: seenRequest(copy), labels: fidelityLabels(copy.fidelity), position: this.#count++ });
    this.#arrived.set(number, list);
  }

  response(): void {}
  unanswered(): void {}
  orphanResponse(): void {}
  partialHead(): void {}

  other(): void {
    this.reading?.reject('400 Bad Request');
  }

  skipped(): void {
    this.reading?.reject('400 Bad Request');
  }
}

function seenRequest({ request: { head, body } }: Exchange): SeenRequest {
  return {
    method: head.method,
    target: head.target,
    headers: Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)] as const),
    body: contentOf(body, head)?.bytes ?? Buffer.alloc(0),
    framing: body.framing,
  };
}

/** Sends probes through the proxy, one behind the other on one kept connection. */
class ProxyClient {
  readonly #url: URL;
  readonly #run: string;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  #last = 0;

  constructor(url: URL, run: string) {
    this.#url = url;
    this.#run = run;
    const secure = url.protocol === 'https:';
    this.#agent = secure ? new HttpsAgent({ keepAlive: true, maxSockets: 1 }) : new HttpAgent({ keepAlive: true, maxSockets: 1 });
    this.#request = secure ? httpsRequest : httpRequest;
  }

  next(): number {
    return ++this.#last;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Resolves when the proxy has answered, or will not. What it answers is no concern of ours. */
  send(probe: Probe, number: number): Promise<{ sent: SeenRequest; answered: boolean }> {
    const { method, framing } = probe;
    const body = probe.body ?? Buffer.alloc(0);
    const base = this.#url.pathname === '/' && probe.suffix.startsWith('/') ? '' : this.#url.pathname;
    const target = base + probe.suffix;
    const headers: (readonly [string, string])[] = [
      ['Host', this.#url.host],
      [MARK_HEADER, `${this.#run}-${number}`],
      ...probe.headers,
      ...(framing === 'length' ? [['Content-Length', String(body.length)] as const] : []),
      ...(framing === 'chunked' ? [['Transfer-Encoding', 'chunked'] as const] : []),
    ];
    const sent: SeenRequest = { method, target, headers, body, framing };
    return new Promise((resolve) => {
      const request = this.#request(
        {
          protocol: this.#url.protocol,
          ...serverOfUrl(this.#url),
          method,
          path: target,
          headers: headers.flat(),
          setHost: false,
          agent: this.#agent,
          timeout: answerMsMax,
        },
        (response) => {
          response.resume().on('close', () => resolve({ sent, answered: true }));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve({ sent, answered: false }));
      if (framing === 'chunked') {
        // In several pieces: each is a chunk.
        for (let at = 0; at < body.length; at += 100) request.write(body.subarray(at, at + 100));
        request.end();
      } else request.end(framing === 'none' ? undefined : body);
    });
  }
}
