/** From what the HTTP stage reports to what a recording holds. */
import type { Exchange, Message } from '../../http/exchange.ts';
import type { RecordedConnection, RecordedExchange, RecordedMessage } from '../recorded-exchange.ts';

/** A request that ended, with the response that it got so far. */
export function recordedExchange(exchange: Exchange, connection: RecordedConnection, index: number): RecordedExchange {
  const { request, response, fidelity } = exchange;
  return {
    connection,
    index,
    request: recordedMessage(request),
    response: response === null ? null : recordedMessage(response),
    fidelity,
    probability: 1,
  };
}

function recordedMessage({ head, body, startUs, endUs, outcome }: Message): RecordedMessage {
  const wire = body.wire === null ? null : body.wire.length === 1 ? (body.wire[0] ?? null) : Buffer.concat(body.wire);
  return { head: head.bytes, body: wire, bodyBytes: body.wireBytes, framing: body.framing, startUs, endUs, outcome };
}
