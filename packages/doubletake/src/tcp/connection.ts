import { formatAddress, formatEndpoint } from '../packets/address.ts';
import type { GapCause } from './counters.ts';

/** Which endpoint sent the bytes: an index into `Connection.addresses` and `Connection.ports`. */
export type Direction = 0 | 1;

/** Why nothing more will come on a connection. */
export type CloseReason =
  /** Both sides (or the only one seen) sent FIN, and all bytes up to it were delivered or given up. */
  | 'fin'
  | 'reset'
  /** The same addresses and ports began a new connection. */
  | 'reused'
  /** A bound on connections or bytes was reached, and this was the oldest. */
  | 'evicted'
  /** Nothing came for longer than the idle limit. */
  | 'idle'
  /** The capture ended. */
  | 'flushed';

/**
 * One TCP connection that carried payload. Made when its first payload byte is seen, not at the SYN, so that half-open
 * connections cost no object. `State` is the consumer's own state, returned by `StreamHandler.open`.
 */
export class Connection<State> {
  /** Unique within its flow table, ascending in order of appearance. */
  readonly id: number;
  readonly tunnel: number;
  readonly vlan: number;
  /** Two addresses of four words each: endpoint 0, then endpoint 1. */
  readonly addresses: Int32Array;
  readonly ports: readonly [number, number];
  /** The endpoint that sent the SYN, or -1 when the beginning was not seen. */
  initiator: Direction | -1;
  /** Set by the flow table right after `StreamHandler.open` returned. */
  state!: State;
  readonly #addressTexts: (string | undefined)[] = [undefined, undefined];
  readonly #endpointTexts: (string | undefined)[] = [undefined, undefined];

  constructor(
    id: number,
    tunnel: number,
    vlan: number,
    addresses: Int32Array,
    ports: readonly [number, number],
    initiator: Direction | -1,
  ) {
    this.id = id;
    this.tunnel = tunnel;
    this.vlan = vlan;
    this.addresses = addresses;
    this.ports = ports;
    this.initiator = initiator;
  }

  /** Text of one endpoint's address; made once, since every replayed request asks for it. */
  address(direction: Direction): string {
    return (this.#addressTexts[direction] ??= formatAddress(this.addresses, direction * 4));
  }

  /** `address:port` of one endpoint, with brackets around an IPv6 address. */
  endpoint(direction: Direction): string {
    return (this.#endpointTexts[direction] ??= formatEndpoint(this.addresses, direction * 4, this.ports[direction]));
  }

  /** `client:port>server:port`, given which endpoint is the client. */
  label(client: Direction): string {
    return `${this.endpoint(client)}>${this.endpoint(client === 0 ? 1 : 0)}`;
  }
}

/**
 * Receives ordered data. Calls come synchronously from `FlowTable.push`, `tick` and `flush`. For each direction the
 * calls describe its sequence space without hole or overlap: every byte is either in `data` once or in a `gap` once.
 */
export interface StreamHandler<State> {
  /** The first payload of a connection is about to be delivered. */
  open(connection: Connection<State>, timeUs: number): State;
  /**
   * Bytes in order: `bytes[start..end)`, valid during the call only.
   * `sequence` is that of `bytes[start]`; `acknowledgement` is that of the segment they came in (-1 if it had none);
   * `segmentStart` says that `bytes[start]` was the first payload byte of the segment as it was sent (false for the
   * rest of a segment whose beginning had been delivered before).
   */
  data(
    connection: Connection<State>,
    direction: Direction,
    bytes: Buffer,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    segmentStart: boolean,
  ): void;
  /** `length` bytes from `sequence` on were sent and will not be seen. */
  gap(
    connection: Connection<State>,
    direction: Direction,
    length: number,
    timeUs: number,
    sequence: number,
    cause: GapCause,
  ): void;
  /** FIN: this direction is complete, the other may go on. Called at most once a direction, before `close`. */
  end(connection: Connection<State>, direction: Direction, timeUs: number): void;
  /** Nothing more will come; called exactly once for each `open`. */
  close(connection: Connection<State>, reason: CloseReason, timeUs: number): void;
}
