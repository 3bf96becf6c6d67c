/** Lists what recordings hold: exchanges of the HTTP stage, in the order in which the requests began. */
import type { Exchange } from '../http/exchange.ts';
import { ExchangeMaker } from '../recording/exchange-form.ts';
import type { RecordedExchange } from '../recording/recorded-exchange.ts';
import { openRecording, type Recording, type RecordingOptions } from '../recording/recording.ts';

export interface RecordingFilter extends RecordingOptions {
  /** Server ports to take; null takes all. */
  ports: ReadonlySet<number> | null;
  /** Network identifiers of tunnels to take; null takes all, and what was in no tunnel. */
  vnis: ReadonlySet<number> | null;
}

/** The contract of `inspect --summary --json` for recordings. */
export interface RecordingSummary {
  /** Files, and bytes in them. */
  segments: number;
  bytes: number;
  /** At most `connectionsMax` are told apart. */
  connections: number;
  requests: number;
  responses: number;
  /** Requests and responses that are not whole, by reason. */
  incomplete: { [reason: string]: number };
  unpaired: { requests: number };
  /** When the first and the last request began, microseconds since the epoch; null when there is none. */
  firstUs: number | null;
  lastUs: number | null;
}

const connectionsMax = 1_000_000;

export class RecordingInspection {
  readonly #filter: RecordingFilter;
  readonly #recording: Recording;
  readonly #summary: RecordingSummary;
  readonly #connections = new Set<string>();

  /** Throws RecordingError as `openRecording`. */
  static async open(paths: readonly string[], filter: RecordingFilter): Promise<RecordingInspection> {
    return new RecordingInspection(await openRecording(paths, filter), filter);
  }

  private constructor(recording: Recording, filter: RecordingFilter) {
    this.#recording = recording;
    this.#filter = filter;
    const { segments, bytes } = recording;
    this.#summary = { segments, bytes, connections: 0, requests: 0, responses: 0, incomplete: {}, unpaired: { requests: 0 }, firstUs: null, lastUs: null };
  }

  /** Every exchange that the filter takes. */
  async *exchanges(): AsyncGenerator<{ recorded: RecordedExchange; exchange: Exchange }, void, void> {
    const { ports, vnis } = this.#filter;
    const maker = new ExchangeMaker(true);
    for await (const recorded of this.#recording) {
      const { server, tunnel } = recorded.connection;
      if ((ports !== null && !ports.has(server.port)) || (vnis !== null && !vnis.has(tunnel))) continue;
      const exchange = maker.make(recorded);
      if (exchange === null) continue;
      this.#count(recorded, exchange);
      yield { recorded, exchange };
    }
  }

  /** Of the exchanges listed so far. */
  summary(): RecordingSummary {
    return { ...this.#summary, connections: this.#connections.size };
  }

  /** What could not be read, a line each. */
  get warnings(): readonly string[] {
    return this.#recording.warnings;
  }

  #count({ connection }: RecordedExchange, { request, response }: Exchange): void {
    const summary = this.#summary;
    if (this.#connections.size < connectionsMax) this.#connections.add(connection.key);
    summary.requests++;
    if (response === null) summary.unpaired.requests++;
    else summary.responses++;
    for (const message of [request, response]) {
      const outcome = message?.outcome ?? 'complete';
      if (outcome !== 'complete') summary.incomplete[outcome] = (summary.incomplete[outcome] ?? 0) + 1;
    }
    summary.firstUs ??= request.startUs;
    summary.lastUs = request.startUs;
  }
}
