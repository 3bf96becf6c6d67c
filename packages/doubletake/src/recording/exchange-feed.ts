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

/** Feeds one exchange. The handler of `assembler` has all events of it when this returns. */
export function feedExchange(
  assembler: ExchangeAssembler,
  connection: Connection<Conversation>,
  request: TimedBytes,
  response: TimedBytes | null,
): void {
  // A conversation for each: what is broken in one exchange must not spoil those behind it, and none is kept.
  const conversation = assembler.open(connection);
  const requestEnd = feed(conversation, 0, request, firstSequence);
  if (response !== null) feed(conversation, 1, response, requestEnd);
  conversation.close(response?.endUs ?? request.endUs, 'closed');
}

/** Returns the sequence number behind the message. */
function feed(
  conversation: Conversation,
  direction: Direction,
  { pieces, missing, startUs, endUs }: TimedBytes,
  acknowledgement: number,
): number {
  let sequence = firstSequence;
  const push = (bytes: Buffer, start: number, end: number, timeUs: number): void => {
    if (end > start) conversation.data(direction, bytes, start, end, timeUs, sequence, acknowledgement, sequence === firstSequence);
    sequence += end - start;
  };
  for (const [index, piece] of pieces.entries()) {
    // The first byte has one time and the last another.
    const early = index === 0 && startUs !== endUs ? 1 : 0;
    if (early > 0) push(piece, 0, early, startUs);
    push(piece, early, piece.length, endUs);
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
