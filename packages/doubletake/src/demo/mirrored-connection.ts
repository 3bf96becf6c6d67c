/**
 * The packets that a mirror session would show of one TCP connection, told by what happens on it.
 *
 * It keeps both sides' sequence numbers; every call emits the packets of that event at once, in an order in which a
 * network could have carried them. Data are cut into segments and acknowledged by the other side, every second segment
 * and the last one. Each emitted payload is a buffer of its own, which the receiver may keep.
 */
import { TcpFlag } from '../packets/segment.ts';
import { sequenceAdd } from '../tcp/sequence.ts';
import { frameHeaderBytes, reverseFlow, writeFrameHeader, writeSegmentFields, type FrameFlow } from './frames.ts';

/** Who sends. */
export type Side = 'client' | 'server';

interface HalfConnection {
  header: Buffer;
  /** Sequence number of the next byte this side sends. */
  next: number;
  finished: boolean;
}

export class MirroredConnection {
  readonly #client: HalfConnection;
  readonly #server: HalfConnection;
  readonly #segmentBytesMax: number;
  readonly #emit: (packet: Buffer) => void;
  #reset = false;

  /**
   * `flow` is the direction from client to server. `emit` gets the UDP payload of each packet: a VXLAN header and the
   * frame. The initial sequence numbers are given, so that a run can be repeated exactly.
   */
  constructor(
    flow: FrameFlow,
    initialSequences: Record<Side, number>,
    segmentBytesMax: number,
    emit: (packet: Buffer) => void,
  ) {
    this.#client = halfConnection(flow, initialSequences.client);
    this.#server = halfConnection(reverseFlow(flow), initialSequences.server);
    this.#segmentBytesMax = segmentBytesMax;
    this.#emit = emit;
  }

  /** The client asks for a connection. */
  open(): void {
    this.#send(this.#client, TcpFlag.syn);
    this.#client.next = sequenceAdd(this.#client.next, 1);
  }

  /** The server grants it. */
  accept(): void {
    this.#send(this.#server, TcpFlag.syn | TcpFlag.ack);
    this.#server.next = sequenceAdd(this.#server.next, 1);
    this.#send(this.#client, TcpFlag.ack);
  }

  /** One side sends bytes. */
  data(side: Side, bytes: Buffer): void {
    const sender = this.#half(side);
    for (let start = 0, count = 1; start < bytes.length; start += this.#segmentBytesMax, count++) {
      const segment = bytes.subarray(start, start + this.#segmentBytesMax);
      const last = start + segment.length === bytes.length;
      this.#send(sender, last ? TcpFlag.psh | TcpFlag.ack : TcpFlag.ack, segment);
      sender.next = sequenceAdd(sender.next, segment.length);
      if (last || count % 2 === 0) this.#send(this.#peer(sender), TcpFlag.ack);
    }
  }

  /** One side has nothing more to send; the other may go on. */
  finish(side: Side): void {
    const sender = this.#half(side);
    if (sender.finished || this.#reset) return;
    sender.finished = true;
    this.#send(sender, TcpFlag.fin | TcpFlag.ack);
    sender.next = sequenceAdd(sender.next, 1);
    this.#send(this.#peer(sender), TcpFlag.ack);
  }

  /** One side breaks the connection off. Does nothing when it is over already. */
  reset(side: Side): void {
    if (this.#reset || (this.#client.finished && this.#server.finished)) return;
    this.#reset = true;
    this.#send(this.#half(side), TcpFlag.rst | TcpFlag.ack);
  }

  #half(side: Side): HalfConnection {
    return side === 'client' ? this.#client : this.#server;
  }

  #peer(half: HalfConnection): HalfConnection {
    return half === this.#client ? this.#server : this.#client;
  }

  #send(sender: HalfConnection, flags: number, payload?: Buffer): void {
    const length = payload?.length ?? 0;
    const packet = Buffer.allocUnsafe(frameHeaderBytes + length);
    sender.header.copy(packet);
    if (payload) packet.set(payload, frameHeaderBytes);
    const acknowledgement = (flags & TcpFlag.ack) === 0 ? 0 : this.#peer(sender).next;
    writeSegmentFields(packet, 0, sender.next, acknowledgement, flags, length);
    this.#emit(packet);
  }
}

function halfConnection(flow: FrameFlow, initialSequence: number): HalfConnection {
  const header = Buffer.alloc(frameHeaderBytes);
  writeFrameHeader(header, 0, flow);
  return { header, next: initialSequence, finished: false };
}
