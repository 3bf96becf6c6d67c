/** What writers of every format have in common: exchanges in, bytes out. */
import type { RecordedExchange } from '../recorded-exchange.ts';

/** Makes a file of exchanges, piece by piece. Pure: where the bytes go is the caller's. */
export interface TrafficEncoder {
  /** What stands before the first exchange. */
  begin(): Buffer;
  /** One exchange; a text says why it cannot be written in this format. */
  encode(exchange: RecordedExchange): Buffer[] | string;
  /** What stands behind the last exchange. */
  end(): Buffer;
}

/** Why an exchange is in no file of another format than ours: it is not whole. Null when it is. */
export function notWhole({ request }: RecordedExchange): string | null {
  if (request.outcome !== 'complete') return `the request is not whole (${request.outcome})`;
  return request.body === null && request.bodyBytes > 0 ? 'the body of the request was not kept' : null;
}
