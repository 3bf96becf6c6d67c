/**
 * One text for each address, so that addresses can be compared as text: IPv4 in dots, also where it comes as IPv6
 * (IPv4-mapped, RFC 4291 section 2.5.5.2, and behind NAT64, RFC 6052 section 2.1); other IPv6 as RFC 5952 says, without
 * a zone.
 */
import { isIPv6 } from 'node:net';

/** What is no IPv6 address stays as it is. */
export function plainAddress(text: string): string {
  const [address = ''] = text.split('%', 1);
  if (!isIPv6(address)) return text;
  const { hostname } = new URL(`http://[${address}]`);
  const embedded = /^\[(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (embedded === null) return hostname.slice(1, -1);
  const [high, low] = [embedded[1], embedded[2]].map((group) => Number.parseInt(group ?? '', 16));
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
