/**
 * A worker's end of the relay: reads what was relayed out of the ring and hands it to the pipelines as streams, as
 * reassembled packets would be. While the relay stops, it also tells which connections have nothing under way.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Conversation } from '../http/conversation.ts';
import { CopyKind, CopyReader } from '../relay/copy-ring.ts';
import { decodeEndpoints } from '../relay/endpoints.ts';
import { Connection, type StreamHandler } from '../tcp/connection.ts';
import type { Intake } from './intake.ts';
import { RelayIntake } from './relay-intake.ts';
import type { CopySupply, FromCopyFeed, ToCopyFeed } from './relay-messages.ts';

/** Records handled before other work of the thread gets its turn. */
const batchMax = 256;

/** More usually follows soon, and waking up costs as much as several records. */
const restMs = 1;

export class CopyFeed {
  readonly #reader: CopyReader;
  readonly #port: MessagePort;
  readonly #intakes: readonly Intake[];
  readonly #connections = new Map<number, { connection: Connection<Conversation>; streams: StreamHandler<Conversation> }>();
  #rest: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** `intakes` by their sources' positions in the configuration. */
  constructor({ ring, port }: CopySupply, intakes: readonly Intake[]) {
    this.#reader = new CopyReader(ring);
    this.#port = port;
    this.#intakes = intakes;
    port.on('message', (message: ToCopyFeed) => {
      if (message === 'wake') this.#read();
      else this.#tellIdle();
    });
    this.#read();
  }

  /** Reads what is left; nothing is written any more. */
  close(): void {
    clearTimeout(this.#rest);
    clearImmediate(this.#turn);
    while (this.#reader.next()) this.#handle();
    for (const { connection, streams } of this.#connections.values()) streams.close(connection, 'flushed', this.#reader.timeUs);
    this.#connections.clear();
    this.#port.close();
  }

  #read(): void {
    clearTimeout(this.#rest);
    clearImmediate(this.#turn);
    let count = 0;
    while (count < batchMax && this.#reader.next()) {
      this.#handle();
      count++;
    }
    if (count === batchMax) this.#turn = setImmediate(() => this.#read());
    else if (count > 0 || !this.#reader.sleep()) this.#rest = setTimeout(() => this.#read(), restMs);
  }

  #handle(): void {
    const { kind, connection: id, direction, timeUs, sequence, acknowledgement, bytes, start, end } = this.#reader;
    if (kind === CopyKind.open) return this.#open();
    const known = this.#connections.get(id);
    if (known === undefined) return;
    const { connection, streams } = known;
    switch (kind) {
      case CopyKind.data:
        return streams.data(connection, direction, bytes, start, end, timeUs, sequence, acknowledgement, true);
      case CopyKind.gap:
        return streams.gap(connection, direction, acknowledgement, timeUs, sequence, 'evicted');
      case CopyKind.end:
        return streams.end(connection, direction, timeUs);
      case CopyKind.close:
        this.#connections.delete(id);
        streams.close(connection, direction === 1 ? 'reset' : 'fin', timeUs);
    }
  }

  #open(): void {
    const { connection: id, source, bytes, start, end } = this.#reader;
    const intake = this.#intakes[source];
    if (!(intake instanceof RelayIntake)) throw new Error(`source ${source} is no proxy`);
    const { streams } = intake;
    const { addresses, ports } = decodeEndpoints(bytes.subarray(start, end));
    const connection = new Connection<Conversation>(id, 0, 0, addresses, ports, 0);
    connection.state = streams.open(connection);
    this.#connections.set(id, { connection, streams });
  }

  #tellIdle(): void {
    this.#read();
    const idle: number[] = [];
    const busy: number[] = [];
    for (const [id, { connection }] of this.#connections) {
      const { activity } = connection.state;
      if (activity === 'idle') idle.push(id);
      else if (activity === 'busy') busy.push(id);
    }
    this.#port.postMessage({ position: this.#reader.position, idle, busy } satisfies FromCopyFeed);
  }
}
