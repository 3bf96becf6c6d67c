/**
 * Whose request it is. X-Forwarded-For says what its sender wants, so it counts only as far as it was written by
 * proxies that are trusted: from the connection's own address leftwards, as long as each address that vouches for the
 * next is a trusted one. The first that is not trusted is the client.
 */
import type { Exchange } from '../http/exchange.ts';
import { type Networks, parseAddress } from './network.ts';

const named = new Int32Array(4);

/** Writes the client's address, as four words, into `out`. Null trusts nobody: the client is the connection's. */
export function readClientAddress(exchange: Exchange, trustedProxies: Networks | null, out: Int32Array): void {
  const { addresses } = exchange.connection;
  for (let word = 0; word < 4; word++) out[word] = addresses[exchange.client * 4 + word];
  if (trustedProxies === null || !trustedProxies.contains(out)) return;
  const entries = exchange.request.head.all('x-forwarded-for').flatMap((value) => value.split(','));
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index].trim();
    if (entry === '') continue;
    // An entry that is no address ends what is known: the proxy that wrote it is the last that can be named.
    if (!parseForwarded(entry, named)) return;
    out.set(named);
    if (!trustedProxies.contains(out)) return;
  }
}

/** Reads an entry of X-Forwarded-For into four words: an address, by some proxies with a port, then IPv6 in brackets. */
export function parseForwarded(entry: string, out: Int32Array): boolean {
  if (entry.startsWith('[')) {
    const end = entry.indexOf(']');
    return end > 0 && /^(?::\d+)?$/.test(entry.slice(end + 1)) && parseAddress(entry.slice(1, end), out);
  }
  const colon = entry.indexOf(':');
  const hasPort = colon >= 0 && colon === entry.lastIndexOf(':');
  if (hasPort && !/^\d+$/.test(entry.slice(colon + 1))) return false;
  return parseAddress(hasPort ? entry.slice(0, colon) : entry, out);
}
