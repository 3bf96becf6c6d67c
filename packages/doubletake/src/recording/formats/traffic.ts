/** What readers of every format have in common: exchanges, and what could not be used, in batches. */
import { hostPortText } from '../../host-port.ts';
import type { IncompleteReason } from '../../http/exchange.ts';
import type { RecordedConnection, RecordedExchange } from '../recorded-exchange.ts';

/** An entry that gave no exchange; everything before and behind it is read. */
export interface EntryProblem {
  /** The file as it was given. */
  file: string;
  /** `line 12`, `byte 1234` (after decompression), or empty where the place is not known. */
  place: string;
  /** `malformed` is a fault of the file, `skipped` is by intent; a reason says that a request was there and is not whole. */
  kind: 'malformed' | 'skipped' | IncompleteReason;
  text: string;
}

export type TrafficItem = RecordedExchange | EntryProblem;

/** A file of any format, read once, at the pace of whoever reads. Leaving the iteration closes the file. */
export interface TrafficReader extends AsyncIterable<readonly TrafficItem[]> {
  /** How far it was read, in the units of `total`. */
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

export function isExchange(item: TrafficItem): item is RecordedExchange {
  return 'request' in item;
}

/** One line for people: file, place, what. */
export function problemText({ file, place, text }: EntryProblem): string {
  return `${file === '-' ? 'standard input' : file}${place === '' ? '' : `: ${place}`}: ${text}`;
}

const nobody = { address: '0.0.0.0', port: 0 };

/**
 * A connection for formats that know of none: `key` tells those apart that are not to keep an order among them. Unknown
 * ends are 0.0.0.0:0.
 */
export function connectionOf(
  key: string,
  client: RecordedConnection['client'] = nobody,
  server: RecordedConnection['server'] = nobody,
): RecordedConnection {
  return { key, label: `${hostPortText({ host: client.address, port: client.port })}>${hostPortText({ host: server.address, port: server.port })}`, client, server, tunnel: 0, vlan: 0 };
}
