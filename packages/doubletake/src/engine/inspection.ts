/** Reads a capture file through the stages and reports its exchanges in the order in which their requests ended. */
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Exchange, ExchangeHandler, IncompleteReason, OtherProtocol, PartialHeadReason } from '../http/exchange.ts';
import { canStartStream } from '../http/start.ts';
import { decodedResults, Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { CaptureFile } from '../sources/capture-file.ts';
import { fileFlowLimits } from '../tcp/limits.ts';
import { FlowTable } from '../tcp/flow-table.ts';

export interface InspectionOptions {
  /** Network identifiers of tunnels to take; null takes all, and what is in no tunnel. */
  vnis: ReadonlySet<number> | null;
  /** Server ports to take; null takes all. */
  ports: ReadonlySet<number> | null;
  mergeTunnels: boolean;
}

/** The contract of `inspect --summary --json`. */
export interface InspectionSummary {
  packets: number;
  connections: number;
  /** Messages whose head was seen whole. */
  requests: number;
  /** Final heads. */
  responses: number;
  /** Requests and responses that are not whole, by reason. */
  incomplete: { [reason: string]: number };
  gaps: { count: number; bytes: number };
  /** Connections that are not HTTP/1, by protocol. */
  other: { [protocol: string]: number };
  /** Requests without a response, and responses without a request. */
  unpaired: { requests: number; responses: number };
  /** Packets that were not used, by reason. */
  ignored: { [reason: string]: number };
  malformed: { [reason: string]: number };
}

/** An exchange waits for its response; above this many the oldest are reported without. */
const waitingMax = 100_000;

export class Inspection implements ExchangeHandler {
  /** Set after `run` when the file was cut: all that it held was reported. */
  warning: string | null = null;
  readonly #sink: (exchange: Exchange) => void;
  readonly #decoder: PacketDecoder;
  readonly #flows: FlowTable<unknown>;
  readonly #results = new Float64Array(decodedResults.length);
  readonly #summary = { requests: 0, responses: 0, orphans: 0, unanswered: 0 };
  readonly #incomplete = new Map<PartialHeadReason, number>();
  readonly #other = new Map<OtherProtocol, number>();
  /** Exchanges whose request ended, in that order; true: it has all it will get. */
  readonly #waiting = new Map<Exchange, boolean>();
  /** Steps through them; beginning at the front anew each time would be walking over all that was deleted there. */
  #order = this.#waiting.keys();
  #front: Exchange | undefined;

  constructor(options: InspectionOptions, sink: (exchange: Exchange) => void) {
    this.#sink = sink;
    this.#decoder = new PacketDecoder({ ...options, tunnels: true });
    this.#flows = new FlowTable(new ExchangeAssembler(this, { hashBodies: true, requestBodyBytesMax: 0 }), {
      canStart: canStartStream,
      ...fileFlowLimits,
    });
  }

  /** Reads the whole file; `-` is standard input. Rejects with a `CaptureFileError` when it is no capture. */
  async run(file: string): Promise<void> {
    const capture = await CaptureFile.open(file);
    let timeUs = 0;
    for await (const packets of capture) {
      while (packets.next()) {
        const { bytes, start, end, originalLength, linkType } = packets;
        timeUs = packets.timeUs;
        const result = this.#decoder.decode(bytes, start, end, originalLength, linkType, timeUs);
        this.#results[result]++;
        if (result === Decoded.segment) this.#flows.push(this.#decoder.segment);
      }
      this.#flows.tick(timeUs);
    }
    this.#flows.flush(timeUs);
    this.#report(0);
    this.warning = capture.warning?.message ?? null;
  }

  summary(): InspectionSummary {
    const { counters } = this.#flows;
    const { requests, responses, orphans, unanswered } = this.#summary;
    const named = (wanted: string): { [name: string]: number } =>
      Object.fromEntries(
        decodedResults.flatMap((result, index) => {
          const count = this.#results[index] ?? 0;
          return result.class === wanted && count > 0 ? [[result.name, count]] : [];
        }),
      );
    return {
      packets: this.#results.reduce((sum, count) => sum + count, 0),
      connections: counters.opened,
      requests,
      responses,
      incomplete: Object.fromEntries(this.#incomplete),
      gaps: {
        count: counters.gapsLost + counters.gapsTruncated + counters.gapsEvicted,
        bytes: counters.gapBytesLost + counters.gapBytesTruncated + counters.gapBytesEvicted,
      },
      other: { tls: 0, http2: 0, websocket: 0, ...Object.fromEntries(this.#other) },
      unpaired: { requests: unanswered, responses: orphans },
      ignored: named('ignored'),
      malformed: named('malformed'),
    };
  }

  requestHead(): void {
    this.#summary.requests++;
  }

  request(exchange: Exchange): void {
    if (exchange.request.outcome !== 'complete') this.#countIncomplete(exchange.request.outcome);
    this.#waiting.set(exchange, false);
    this.#report(waitingMax);
  }

  response(exchange: Exchange): void {
    this.#countResponse(exchange.response?.outcome ?? 'complete');
    this.#settle(exchange);
  }

  unanswered(exchange: Exchange): void {
    this.#summary.unanswered++;
    this.#settle(exchange);
  }

  orphanResponse(_connection: unknown, response: { outcome: 'complete' | IncompleteReason }): void {
    this.#summary.orphans++;
    this.#countResponse(response.outcome);
  }

  partialHead(_connection: unknown, _kind: string, reason: PartialHeadReason): void {
    this.#countIncomplete(reason);
  }

  other(_connection: unknown, protocol: OtherProtocol): void {
    this.#other.set(protocol, (this.#other.get(protocol) ?? 0) + 1);
  }

  skipped(): void {}

  #settle(exchange: Exchange): void {
    if (!this.#waiting.has(exchange)) return;
    this.#waiting.set(exchange, true);
    this.#report(waitingMax);
  }

  /** Hands on the exchanges at the front that have all they will get, and any beyond `most`. */
  #report(most: number): void {
    for (;;) {
      const front = (this.#front ??= this.#next());
      if (front === undefined) return;
      if (this.#waiting.get(front) === false && this.#waiting.size <= most) return;
      this.#waiting.delete(front);
      this.#front = undefined;
      this.#sink(front);
    }
  }

  #next(): Exchange | undefined {
    const next = this.#order.next();
    if (next.done !== true) return next.value;
    // An iterator that came to the end stays there, whatever is added.
    this.#order = this.#waiting.keys();
    return this.#order.next().value;
  }

  #countResponse(outcome: 'complete' | IncompleteReason): void {
    this.#summary.responses++;
    if (outcome !== 'complete') this.#countIncomplete(outcome);
  }

  #countIncomplete(reason: PartialHeadReason): void {
    this.#incomplete.set(reason, (this.#incomplete.get(reason) ?? 0) + 1);
  }
}
