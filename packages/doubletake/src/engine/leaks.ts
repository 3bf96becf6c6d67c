/**
 * Runs the policy of a configuration over a capture file and looks for what is left in its requests and responses that
 * looks like somebody's data. It tells of places, kinds and numbers, never of values.
 */
import type { MirrorConfig } from '../config/schema.ts';
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Exchange, ExchangeHandler, Message } from '../http/exchange.ts';
import { canStartStream } from '../http/start.ts';
import type { Outcome } from '../ledger/outcome.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { ReplayPolicy } from '../policy/policy.ts';
import { Sanitizer } from '../policy/sanitize/sanitizer.ts';
import { CaptureFile } from '../sources/capture-file.ts';
import { FlowTable } from '../tcp/flow-table.ts';
import { fileFlowLimits } from '../tcp/limits.ts';
import { type LeakKind, lookOf } from './leaks-detector.ts';
import { endpointOf, mergedEndpoints } from './leaks-endpoints.ts';
import { fieldsOf, type MessageField } from './leaks-fields.ts';
import { LeakTally } from './leaks-tally.ts';

export interface LeakReport {
  requests: { seen: number; examined: number; notReplayed: { [outcome: string]: number } };
  responses: { examined: number; unreadable: number };
  /** Most frequent first. */
  findings: LeakFinding[];
}

export interface LeakFinding {
  /** `GET /users/{}/orders`. */
  endpoint: string;
  message: 'request' | 'response';
  /** `header:X-Tenant`, `json:$.items[*].owner`, `path segment 2`, `text`. */
  field: string;
  kind: LeakKind;
  count: number;
  /** How many different values; at most 1,000 are told apart. */
  values: number;
}

/** Responses are looked at when they came; a request waits for nothing. */
const responseBodyBytesMax = 8 * 1024 * 1024;

export class LeakSearch implements ExchangeHandler {
  /** Set after `run` when the file was cut: all that it held was looked at. */
  warning: string | null = null;
  readonly #policy: ReplayPolicy;
  readonly #sanitizer: Sanitizer | null;
  /** What the sanitizer put into the message that is looked at. */
  readonly #made = new Set<string>();
  readonly #tally = new LeakTally();
  readonly #requests = { seen: 0, examined: 0 };
  readonly #responses = { examined: 0, unreadable: 0 };
  readonly #notReplayed = new Map<Outcome, number>();

  /** Throws a `DoubletakeError` for a configuration that cannot work. */
  constructor(policy: MirrorConfig['policy']) {
    this.#policy = new ReplayPolicy({ ...policy, sample: { ...policy.sample, percentage: 100 } });
    const { sanitize } = policy;
    this.#sanitizer = sanitize === undefined ? null : new Sanitizer(sanitize, Buffer.from(sanitize.key), (made) => this.#made.add(made));
  }

  /** Reads the whole file; `-` is standard input. Rejects with a `CaptureFileError` when it is no capture. */
  async run(file: string): Promise<LeakReport> {
    const decoder = new PacketDecoder({ vnis: null, ports: null, mergeTunnels: false, tunnels: true });
    const flows = new FlowTable(new ExchangeAssembler(this, { responseBodyBytesMax }), {
      canStart: canStartStream,
      ...fileFlowLimits,
    });
    const capture = await CaptureFile.open(file);
    let timeUs = 0;
    for await (const packets of capture) {
      while (packets.next()) {
        const { bytes, start, end, originalLength, linkType } = packets;
        timeUs = packets.timeUs;
        const result = decoder.decode(bytes, start, end, originalLength, linkType, timeUs);
        if (result === Decoded.segment) flows.push(decoder.segment);
      }
      flows.tick(timeUs);
    }
    flows.flush(timeUs);
    this.warning = capture.warning?.message ?? null;
    return this.#report();
  }

  requestHead(): void {
    this.#requests.seen++;
  }

  request(exchange: Exchange): void {
    const { outcome, body } = exchange.request;
    if (outcome !== 'complete') return this.#count(`incomplete.${outcome}`);
    const verdict = this.#policy.decide(exchange, { keyAbsent: () => {} });
    if (verdict !== 'replay') return this.#count(verdict);
    if (body.wire === null && body.wireBytes > 0) return this.#count('dropped.too_large');
    this.#made.clear();
    const safe = this.#sanitizer === null ? exchange : this.#sanitizer.sanitize(exchange);
    if (safe === null) return this.#count('blocked.unsanitizable');
    this.#requests.examined++;
    this.#examine(exchange, safe.request, 'request');
  }

  response(exchange: Exchange): void {
    const { response } = exchange;
    if (response === null || response.outcome !== 'complete') return;
    this.#made.clear();
    const safe = this.#sanitizer === null ? response : this.#sanitizer.sanitizeResponse(response);
    if (safe === null || !this.#examine(exchange, safe, 'response')) this.#responses.unreadable++;
    else this.#responses.examined++;
  }

  unanswered(): void {}

  orphanResponse(): void {}

  partialHead(): void {}

  other(): void {}

  skipped(): void {}

  #count(outcome: Outcome): void {
    this.#notReplayed.set(outcome, (this.#notReplayed.get(outcome) ?? 0) + 1);
  }

  /** False when the body cannot be read. */
  #examine(exchange: Exchange, message: Message, side: LeakFinding['message']): boolean {
    const { head, startUs } = exchange.request;
    const year = new Date(startUs / 1_000).getUTCFullYear();
    const client = head.get('x-forwarded-for')?.split(',')[0] ?? exchange.connection.address(exchange.client);
    const endpoint = endpointOf(head.method, head.target, (segment) => lookOf({ name: '', text: segment, year }) !== null);
    const { fields, readable } = fieldsOf(message);
    for (const field of fields) {
      const text = this.#left(field);
      if (text === '') continue;
      const place = { endpoint, message: side, field: this.#placeName(field, year) };
      this.#tally.add(place, lookOf({ name: field.name, text, year }), field.text, client);
    }
    return readable;
  }

  /** A field's text without what was put into it. */
  #left({ text }: MessageField): string {
    if (this.#made.has(text)) return '';
    let left = text;
    for (const made of this.#made) if (made !== '' && left.includes(made)) left = left.replaceAll(made, ' ');
    return left.trim();
  }

  /** The place without values that serve as names, as an e-mail address that is the name of a member. */
  #placeName({ place, name }: MessageField, year: number): string {
    if (name === '' || (!this.#made.has(name) && !/\d{3}/.test(name) && lookOf({ name: '', text: name, year }) === null)) return place;
    return place.replaceAll(name, () => '{}');
  }

  #report(): LeakReport {
    const findings = this.#tally.findings();
    const merged = mergedEndpoints(new Set(findings.map(({ endpoint }) => endpoint)));
    return {
      requests: { ...this.#requests, notReplayed: Object.fromEntries(this.#notReplayed) },
      responses: this.#responses,
      findings: summed(findings.map((finding) => ({ ...finding, endpoint: merged.get(finding.endpoint) ?? finding.endpoint }))),
    };
  }
}

/** Findings of one place and kind as one, the most frequent first. */
function summed(findings: readonly LeakFinding[]): LeakFinding[] {
  const sums = new Map<string, LeakFinding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.endpoint, finding.message, finding.field, finding.kind]);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...finding });
    else {
      sum.count += finding.count;
      sum.values += finding.values;
    }
  }
  return [...sums.values()].toSorted((a, b) => b.count - a.count || a.endpoint.localeCompare(b.endpoint) || a.field.localeCompare(b.field));
}
