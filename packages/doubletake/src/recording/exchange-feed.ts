/**
 * Hands an exchange that is known as bytes to the HTTP stage, as a connection of its own would have brought it: first
 * the request, then the response, then the end. So recorded traffic is framed, judged and paired by the same code as
 * live traffic.
 */
import type { ExchangeAssembler } from '../http/assembler.ts';
import type { Conversation } from '../http/conversation.ts';
import { parseAddress } from '../packets/address.ts';
import { Connection, type Direction } from '../tcp/connection.ts';
import type { RecordedConnection } from './recorded-exchange.ts';

/** A message as bytes; `missing` bytes behind them were on the wire and are not there. */
export interface TimedBytes {
  pieces: readonly Buffer[];
  missing: number;
  startUs: number;
  endUs: number;
}

/** Both sides' first sequence number. */
const firstSequence = 1;

export class ExchangeFeed {
  readonly #assembler: ExchangeAssembler;
  /**
   * Begins anew with each exchange, so that what is broken in one does not spoil those behind it; made once, since that
   * costs as much as reading.
   */
  #conversation: Conversation | null = null;

  constructor(assembler: ExchangeAssembler) {
    this.#assembler = assembler;
  }

  /** Feeds one exchange. The handler of the assembler has all events of it when this returns. */
  feed(connection: Connection<Conversation>, request: TimedBytes, response: TimedBytes | null): void {
    const spare = this.#conversation;
    // Should a handler throw, it is not used again.
    this.#conversation = null;
    const conversation = spare === null ? this.#assembler.open(connection) : this.#assembler.reopen(spare, connection);
    const requestEnd = feedMessage(conversation, 0, request, firstSequence);
    if (response !== null) feedMessage(conversation, 1, response, requestEnd);
    conversation.close(response?.endUs ?? request.endUs, 'closed');
    this.#conversation = conversation;
  }
}

/** Returns the sequence number behind the message. */
function feedMessage(
  conversation: Conversation,
  direction: Direction,
  { pieces, missing, startUs, endUs }: TimedBytes,
  acknowledgement: number,
): number {
  let sequence = firstSequence;
  for (const piece of pieces) {
    let at = 0;
    // The first byte has one time and the last another.
    if (sequence === firstSequence && startUs !== endUs && piece.length > 0) {
      conversation.data(direction, piece, 0, 1, startUs, sequence++, acknowledgement, true);
      at = 1;
    }
    if (at < piece.length) {
      conversation.data(direction, piece, at, piece.length, endUs, sequence, acknowledgement, sequence === firstSequence);
      sequence += piece.length - at;
    }
  }
  if (missing > 0) conversation.gap(direction, missing, endUs, sequence, 'gap');
  return sequence + missing;
}

/** The connection on which exchanges are fed, and by whose identity they keep their order. */
export function openConnection(id: number, { client, server, tunnel, vlan }: RecordedConnection): Connection<Conversation> {
  const addresses = new Int32Array(8);
  parseAddress(client.address, addresses.subarray(0, 4));
  parseAddress(server.address, addresses.subarray(4, 8));
  return new Connection<Conversation>(id, tunnel, vlan, addresses, [client.port, server.port], 0);
}
