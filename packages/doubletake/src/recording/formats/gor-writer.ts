/** Writes GoReplay's files as GoReplay 1 reads them: each request, and behind it production's response. */
import { createHash } from 'node:crypto';
import type { RecordedExchange, RecordedMessage } from '../recorded-exchange.ts';
import { formatPayload, type GorPayload } from './gor-format.ts';
import { notWhole, type TrafficEncoder } from './traffic-encoder.ts';

/** Hex digits of an id, as GoReplay makes them. */
const idLength = 24;

export class GorEncoder implements TrafficEncoder {
  begin(): Buffer {
    return Buffer.alloc(0);
  }

  encode(exchange: RecordedExchange): Buffer[] | string {
    const problem = notWhole(exchange);
    if (problem !== null) return problem;
    const { connection, index, request, response } = exchange;
    const id = createHash('sha256').update(`${connection.key}#${index}`).digest('hex').slice(0, idLength);
    const first = formatPayload(payloadOf('request', id, request));
    if (first === null) return 'the request holds the line that separates requests in this format';
    if (response === null || response.outcome !== 'complete' || (response.body === null && response.bodyBytes > 0)) return first;
    // A request is worth more than its response: it goes alone where that cannot be written.
    return [...first, ...(formatPayload(payloadOf('response', id, response)) ?? [])];
  }

  end(): Buffer {
    return Buffer.alloc(0);
  }
}

function payloadOf(type: GorPayload['type'], id: string, { head, body, startUs, endUs }: RecordedMessage): GorPayload {
  const bytes = body === null ? head : Buffer.concat([head, body]);
  return { type, id, timeUs: startUs, durationUs: Math.max(0, endUs - startUs), bytes };
}
