/** From what the HTTP stage reports to a recorded exchange, for readers of files. */
import type { Exchange } from '../../http/exchange.ts';
import { recordedMessage } from '../exchange-form.ts';
import type { RecordedConnection, RecordedExchange } from '../recorded-exchange.ts';

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
