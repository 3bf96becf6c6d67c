/** Exchanges of a recording as rows of a table. */
import type { Exchange, Message } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import { contentOf } from '../policy/message-edit.ts';
import type { RecordedExchange } from '../recording/recorded-exchange.ts';
import type { ExchangeRow, MessageCells } from '../store/exchange-parquet.ts';

export function exchangeRow({ probability }: RecordedExchange, exchange: Exchange): ExchangeRow {
  const { connection, client, index, request, response, fidelity } = exchange;
  const { head, startUs, endUs } = request;
  return {
    connection: connection.label(client),
    index,
    timeUs: startUs,
    method: head.method,
    host: (head.get('host') ?? '').toLowerCase(),
    target: head.target,
    version: head.version,
    request: cellsOf(request),
    response: response && { ...cellsOf(response), status: response.head.status },
    firstByteMs: response && Math.max(0, response.startUs - endUs) / 1_000,
    totalMs: response && Math.max(0, response.endUs - endUs) / 1_000,
    tunnel: connection.tunnel,
    fidelity: fidelityLabels(fidelity).join(','),
    probability,
  };
}

function cellsOf({ head, body, outcome }: Message): MessageCells {
  return {
    headers: Array.from({ length: head.count }, (_, field) => [head.name(field), head.value(field)] as const),
    body: contentOf(body, head)?.bytes ?? null,
    bodyBytes: body.bytes,
    outcome,
  };
}
