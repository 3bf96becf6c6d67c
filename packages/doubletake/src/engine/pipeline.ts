/**
 * The stages from packets to requests for one source, put together: decode, reassemble, parse. What is seen on the way
 * is counted in the worker's row.
 */
import { ExchangeAssembler } from '../http/assembler.ts';
import { canStartStream } from '../http/start.ts';
import { Decoded } from '../packets/decoded.ts';
import { PacketDecoder } from '../packets/decoder.ts';
import { FlowTable } from '../tcp/flow-table.ts';
import { fileFlowLimits } from '../tcp/limits.ts';
import { Intake, type IntakeParts } from './intake.ts';

export interface PipelineOptions {
  vnis: ReadonlySet<number> | null;
  ports: ReadonlySet<number> | null;
  mergeTunnels: boolean;
  /** See `DecoderOptions.ignoreVlans`. */
  ignoreVlans?: boolean;
  /** The packets come from a file: nobody waits for them, and their order may be put right at leisure. */
  fromFile: boolean;
  /** As in `HttpLimits`: production's answers, where they are compared. */
  responseBodyBytesMax: number;
  /** Random for a source that strangers can send to: see `FlowLimits.hashSeed`. */
  hashSeed: number;
}

export class Pipeline extends Intake {
  readonly canWait: boolean;
  readonly #decoder: PacketDecoder;
  readonly #flows: FlowTable<unknown>;
  #lastUs = 0;

  constructor(parts: IntakeParts, options: PipelineOptions) {
    super(parts);
    this.canWait = options.fromFile;
    this.#decoder = new PacketDecoder({ ...options, tunnels: true });
    this.#flows = new FlowTable(new ExchangeAssembler(this, { responseBodyBytesMax: options.responseBodyBytesMax }), {
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
  override flush(): void {
    this.#flows.flush(this.#lastUs);
  }

  /** Writes what the stages count themselves into the row. */
  override measure(kernelDrops: number): void {
    const { counters } = this.#flows;
    const { row, slots } = this;
    row[slots.fragmentsGivenUp] = this.#decoder.fragmentCounters.fragmentsGivenUp;
    row[slots.connections] = counters.opened;
    row[slots.gapCount] = counters.gapsLost + counters.gapsTruncated + counters.gapsEvicted;
    row[slots.gapBytes] = counters.gapBytesLost + counters.gapBytesTruncated + counters.gapBytesEvicted;
    super.measure(kernelDrops);
  }

  #decoded(result: number, timeUs: number): void {
    this.row[this.slots.received]++;
    this.row[this.slots.decoded[result] ?? 0]++;
    this.#lastUs = timeUs;
    if (result === Decoded.segment) this.#flows.push(this.#decoder.segment);
  }
}
