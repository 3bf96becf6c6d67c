/** Reads the exchanges of a capture file (pcap, pcapng), by the stages through which live traffic goes. */
import { ExchangeAssembler } from '../../http/assembler.ts';
import type { Exchange, ExchangeHandler, PartialHeadReason } from '../../http/exchange.ts';
import { canStartStream } from '../../http/start.ts';
import { Decoded } from '../../packets/decoded.ts';
import { PacketDecoder } from '../../packets/decoder.ts';
import type { CaptureFile } from '../../sources/capture-file.ts';
import { FlowTable } from '../../tcp/flow-table.ts';
import { fileFlowLimits } from '../../tcp/limits.ts';
import { recordedConnection } from '../exchange-form.ts';
import type { RecordedConnection } from '../recorded-exchange.ts';
import { recordedExchange } from './from-exchange.ts';
import type { TrafficItem, TrafficReader } from './traffic.ts';

export interface CaptureChoice {
  /** Server ports to take; null takes all. */
  ports: ReadonlySet<number> | null;
  /** Network identifiers of tunnels to take; null takes all, and what is in no tunnel. */
  vnis: ReadonlySet<number> | null;
  mergeTunnels: boolean;
  /** As in `HttpLimits`; 0 where responses are not asked for. */
  responseBodyBytesMax: number;
}

export class CaptureReader implements TrafficReader, ExchangeHandler {
  readonly total: number;
  readonly #path: string;
  readonly #capture: CaptureFile;
  readonly #decoder: PacketDecoder;
  readonly #flows: FlowTable<unknown>;
  readonly #connections = new WeakMap<object, RecordedConnection>();
  #items: TrafficItem[] = [];

  /** `total` is the length of the file, 0 where it is not known. */
  constructor(path: string, capture: CaptureFile, total: number, { responseBodyBytesMax, ...choice }: CaptureChoice) {
    this.#path = path;
    this.#capture = capture;
    this.total = total;
    this.#decoder = new PacketDecoder({ ...choice, tunnels: true });
    this.#flows = new FlowTable(new ExchangeAssembler(this, { responseBodyBytesMax }), { canStart: canStartStream, ...fileFlowLimits });
  }

  get done(): number {
    return this.#capture.offset;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrafficItem[], void, undefined> {
    let timeUs = 0;
    for await (const packets of this.#capture) {
      while (packets.next()) {
        const { bytes, start, end, originalLength, linkType } = packets;
        timeUs = packets.timeUs;
        const result = this.#decoder.decode(bytes, start, end, originalLength, linkType, timeUs);
        if (result === Decoded.segment) this.#flows.push(this.#decoder.segment);
      }
      this.#flows.tick(timeUs);
      if (this.#items.length > 0) yield this.#taken();
    }
    this.#flows.flush(timeUs);
    const { warning } = this.#capture;
    if (warning !== null) this.#items.push({ file: this.#path, place: `byte ${warning.offset}`, kind: 'malformed', text: warning.message });
    yield this.#taken();
  }

  requestHead(): void {}

  request(): void {}

  response(exchange: Exchange): void {
    this.#ended(exchange);
  }

  unanswered(exchange: Exchange): void {
    this.#ended(exchange);
  }

  orphanResponse(): void {}

  partialHead(_connection: unknown, kind: 'request' | 'response', reason: PartialHeadReason): void {
    if (kind === 'response') return;
    const why = reason === 'too_large' ? 'malformed' : reason;
    this.#items.push({ file: this.#path, place: '', kind: why, text: `request without a whole head (${reason})` });
  }

  other(): void {}

  skipped(): void {}

  #taken(): TrafficItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #ended(exchange: Exchange): void {
    const { connection, client, index } = exchange;
    let known = this.#connections.get(connection);
    if (known === undefined) this.#connections.set(connection, (known = recordedConnection(connection, client, `${this.#path}#${connection.id}`)));
    this.#items.push(recordedExchange(exchange, known, index));
  }
}
