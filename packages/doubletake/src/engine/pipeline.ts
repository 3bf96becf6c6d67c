/**
 * The stages from packets to requests for one source, put together: decode, reassemble, parse. Requests that ended go to
 * the dispatcher; what is seen on the way is counted in the worker's row.
 */
import { ExchangeAssembler } from '../http/assembler.ts';
import type { Exchange, ExchangeHandler, Message, OtherProtocol, PartialHeadReason } from '../http/exchange.ts';
import { canStartStream } from '../http/start.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import { SourceSlots } from './source-slots.ts';
import { Tally } from '../ledger/tally.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import type { Connection, Direction } from '../tcp/connection.ts';
import { FlowTable } from '../tcp/flow-table.ts';
import { fileFlowLimits } from '../tcp/limits.ts';
import type { Dispatcher, RequestSource } from './dispatcher.ts';

export interface PipelineOptions {
  vnis: ReadonlySet<number> | null;
  ports: ReadonlySet<number> | null;
  mergeTunnels: boolean;
  /** See `DecoderOptions.ignoreVlans`. */
  ignoreVlans?: boolean;
  /** The packets come from a file: nobody waits for them, and their order may be put right at leisure. */
  fromFile: boolean;
  /** Random for a source that strangers can send to: see `FlowLimits.hashSeed`. */
  hashSeed: number;
}

export class Pipeline implements ExchangeHandler, RequestSource {
  readonly tally: Tally;
  awaiting = 0;
  readonly #dispatcher: Dispatcher;
  readonly #decoder: PacketDecoder;
  readonly #flows: FlowTable<unknown>;
  readonly #row: Float64Array;
  readonly #slots: SourceSlots;
  #lastUs = 0;

  constructor(name: string, options: PipelineOptions, dispatcher: Dispatcher, layout: CounterLayout, row: Float64Array) {
    this.#dispatcher = dispatcher;
    this.#row = row;
    this.#slots = new SourceSlots(layout, name);
    this.tally = new Tally(layout, row, ['sources', name]);
    this.#decoder = new PacketDecoder({ ...options, tunnels: true });
    this.#flows = new FlowTable(new ExchangeAssembler(this, {}), {
      canStart: canStartStream,
      hashSeed: options.hashSeed,
      ...(options.fromFile ? fileFlowLimits : {}),
    });
  }

  /** The payload of a datagram that came to our VXLAN port. */
  vxlan(bytes: Buffer, start: number, end: number, timeUs: number): void {
    this.#decoded(this.#decoder.decodeVxlan(bytes, start, end, timeUs), timeUs);
  }

  /** The payload of a datagram that came to our GENEVE port. */
  geneve(bytes: Buffer, start: number, end: number, timeUs: number): void {
    this.#decoded(this.#decoder.decodeGeneve(bytes, start, end, timeUs), timeUs);
  }

  /** A frame of a capture file or of an interface; `vlan` is the id of a tag that was taken out of it. */
  frame(
    bytes: Buffer,
    start: number,
    end: number,
    originalLength: number,
    linkType: number,
    timeUs: number,
    vlan = 0,
  ): void {
    this.#decoded(this.#decoder.decode(bytes, start, end, originalLength, linkType, timeUs, vlan), timeUs);
  }

  /** Gives up what was waited for long enough, by the clock of the packets. */
  tick(nowUs: number): void {
    this.#flows.tick(nowUs);
  }

  /** The capture ended: everything that was begun ends now. */
  flush(): void {
    this.#flows.flush(this.#lastUs);
  }

  /** Writes what the stages count themselves into the row. */
  measure(kernelDrops: number): void {
    const { counters } = this.#flows;
    const row = this.#row;
    const slots = this.#slots;
    row[slots.kernelDrops] = kernelDrops;
    row[slots.fragmentsGivenUp] = this.#decoder.fragmentCounters.fragmentsGivenUp;
    row[slots.connections] = counters.opened;
    row[slots.gapCount] = counters.gapsLost + counters.gapsTruncated + counters.gapsEvicted;
    row[slots.gapBytes] = counters.gapBytesLost + counters.gapBytesTruncated + counters.gapBytesEvicted;
    this.tally.setInFlight(this.receiving + this.awaiting);
  }

  /** Requests whose head was seen and whose end was not yet. */
  receiving = 0;

  #decoded(result: number, timeUs: number): void {
    this.#row[this.#slots.received]++;
    this.#row[this.#slots.decoded[result] ?? 0]++;
    this.#lastUs = timeUs;
    if (result === Decoded.segment) this.#flows.push(this.#decoder.segment);
  }

  requestHead(): void {
    this.receiving++;
    this.#dispatcher.capture(this);
  }

  request(exchange: Exchange): void {
    this.receiving--;
    this.#dispatcher.dispatch(exchange, this);
  }

  response(exchange: Exchange): void {
    if (exchange.response !== null) this.#countResponse(exchange.response);
  }

  unanswered(): void {}

  orphanResponse(_connection: Connection<unknown>, response: Message): void {
    this.#row[this.#slots.orphans]++;
    this.#countResponse(response);
  }

  partialHead(_connection: Connection<unknown>, kind: 'request' | 'response', reason: PartialHeadReason): void {
    if (kind === 'response') return;
    this.#dispatcher.capture(this);
    this.#dispatcher.end(this, reason === 'too_large' ? 'dropped.too_large' : `incomplete.${reason}`);
  }

  other(_connection: Connection<unknown>, protocol: OtherProtocol): void {
    this.#row[this.#slots.other[protocol]]++;
  }

  skipped(_connection: Connection<unknown>, _direction: Direction, bytes: number): void {
    this.#row[this.#slots.skippedBytes] += bytes;
  }

  keyAbsent(): void {
    this.#row[this.#slots.headerAbsent]++;
  }

  #countResponse(response: Message): void {
    const slot = this.#slots.responses[Math.floor(response.head.status / 100) - 1];
    if (slot !== undefined) this.#row[slot]++;
  }
}
