import { createSegment, type Segment, TcpFlag } from '../../src/packets/segment.ts';
import type { CloseReason, Connection, Direction, StreamHandler } from '../../src/tcp/connection.ts';
import type { GapCause } from '../../src/tcp/counters.ts';

/**
 * Conversations for tests: `Wire` writes the segments of one TCP connection, with places counted from the first byte of
 * each side, and `StreamLog` writes down what the flow table makes of them, one line a call.
 */

export type Side = 'client' | 'server';

interface WireOptions {
  clientPort?: number;
  clientIsn?: number;
  serverIsn?: number;
  tunnel?: number;
  vlan?: number;
  /** Gives the client the higher address, so that it is endpoint 1. */
  clientHigh?: boolean;
}

interface SegmentOptions {
  timeUs?: number;
  /** How many of the other side's bytes are acknowledged; null for a segment without ACK. Default: none yet (0). */
  ack?: number | null;
  fin?: boolean;
  /** Payload bytes that the mirror cut off. */
  missing?: number;
}

export class Wire {
  readonly #options: Required<WireOptions>;

  constructor(options: WireOptions = {}) {
    const defaults = { clientPort: 40_000, clientIsn: 1_000, serverIsn: 5_000, tunnel: 0, vlan: 0, clientHigh: false };
    this.#options = { ...defaults, ...options };
  }

  /** Sequence number of the byte at `offset` of a side's stream. */
  sequence(side: Side, offset: number): number {
    return ((side === 'client' ? this.#options.clientIsn : this.#options.serverIsn) + 1 + offset) >>> 0;
  }

  syn(timeUs = 0, payload = ''): Segment {
    return this.#segment('client', -1, payload, TcpFlag.syn, null, timeUs);
  }

  /** `ack`: how many of the client's bytes it acknowledges besides the SYN. */
  synAck(timeUs = 0, ack = 0): Segment {
    return this.#segment('server', -1, '', TcpFlag.syn, ack, timeUs);
  }

  /** A SYN of the server's own, as in a simultaneous open. */
  serverSyn(timeUs = 0): Segment {
    return this.#segment('server', -1, '', TcpFlag.syn, null, timeUs);
  }

  send(from: Side, offset: number, payload: string | Buffer, options: SegmentOptions = {}): Segment {
    const flags = (options.fin === true ? TcpFlag.fin : 0) | TcpFlag.psh;
    const ack = options.ack === undefined ? 0 : options.ack;
    const segment = this.#segment(from, offset, payload, flags, ack, options.timeUs ?? 0);
    segment.payloadMissing = options.missing ?? 0;
    return segment;
  }

  ack(from: Side, offset: number, ack: number, timeUs = 0): Segment {
    return this.#segment(from, offset, '', 0, ack, timeUs);
  }

  fin(from: Side, offset: number, options: SegmentOptions = {}): Segment {
    return this.send(from, offset, '', { ...options, fin: true });
  }

  rst(from: Side, offset: number, timeUs = 0): Segment {
    return this.#segment(from, offset, '', TcpFlag.rst, null, timeUs);
  }

  #segment(
    from: Side,
    offset: number,
    payload: string | Buffer,
    flags: number,
    ack: number | null,
    timeUs: number,
  ): Segment {
    const { clientPort, tunnel, vlan, clientHigh } = this.#options;
    const segment = createSegment();
    const client = [0, 0, 0xffff, clientHigh ? 0x0a0000ff : 0x0a000001];
    const server = [0, 0, 0xffff, 0x0a000050];
    segment.source.set(from === 'client' ? client : server);
    segment.destination.set(from === 'client' ? server : client);
    segment.sourcePort = from === 'client' ? clientPort : 80;
    segment.destinationPort = from === 'client' ? 80 : clientPort;
    // Bytes around the payload, so that reading beyond it shows.
    const body = Buffer.from(payload);
    segment.bytes = Buffer.concat([Buffer.from('##'), body, Buffer.from('##')]);
    segment.payloadStart = 2;
    segment.payloadEnd = 2 + body.length;
    segment.timeUs = timeUs;
    segment.tunnel = tunnel;
    segment.vlan = vlan;
    segment.sequence = this.sequence(from, offset);
    segment.flags = flags | (ack === null ? 0 : TcpFlag.ack);
    segment.acknowledgement = ack === null ? 0 : this.sequence(from === 'client' ? 'server' : 'client', ack);
    return segment;
  }
}

/** Shows that the table gives each call the state that belongs to its connection. */
interface LoggedState {
  connection: Connection<LoggedState>;
}

/** A `data` call, or with null for `bytes` a `gap` call. */
interface LoggedCall {
  id: number;
  side: Side;
  sequence: number;
  length: number;
  bytes: Buffer | null;
  timeUs: number;
  acknowledgement: number;
  segmentStart: boolean;
}

/**
 * Writes each call as a line: `open 1`, `client "text"`, `server gap 5 truncated`, `client end`, `close fin`. With more
 * than one connection the lines of the later ones begin with their number. The server is the endpoint with port 80.
 */
export class StreamLog implements StreamHandler<LoggedState> {
  readonly lines: string[] = [];
  readonly calls: LoggedCall[] = [];

  open(connection: Connection<LoggedState>): LoggedState {
    this.lines.push(`open ${connection.id}`);
    return { connection };
  }

  data(
    connection: Connection<LoggedState>,
    direction: Direction,
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void {
    const copy = Buffer.from(bytes.subarray(start, end));
    const side = this.#side(connection, direction);
    this.lines.push(`${this.#prefix(connection)}${side} ${JSON.stringify(copy.toString('latin1'))}`);
    const { id } = connection;
    const length = copy.length;
    this.calls.push({ id, side, sequence, length, bytes: copy, timeUs, acknowledgement, segmentStart });
  }

  gap(
    connection: Connection<LoggedState>,
    direction: Direction,
    length: number,
    timeUs: number,
    sequence: number,
    cause: GapCause,
  ): void {
    const side = this.#side(connection, direction);
    const why = cause === 'lost' ? '' : ` ${cause}`;
    this.lines.push(`${this.#prefix(connection)}${side} gap ${length}${why}`);
    const { id } = connection;
    this.calls.push({ id, side, sequence, length, bytes: null, timeUs, acknowledgement: -1, segmentStart: false });
  }

  end(connection: Connection<LoggedState>, direction: Direction): void {
    this.lines.push(`${this.#prefix(connection)}${this.#side(connection, direction)} end`);
  }

  close(connection: Connection<LoggedState>, reason: CloseReason): void {
    this.lines.push(`${this.#prefix(connection)}close ${reason}`);
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }

  #side(connection: Connection<LoggedState>, direction: Direction): Side {
    return connection.ports[direction] === 80 ? 'server' : 'client';
  }

  #prefix(connection: Connection<LoggedState>): string {
    if (connection.state.connection !== connection) throw new Error('the state of another connection');
    return connection.id === 1 ? '' : `${connection.id}: `;
  }
}
