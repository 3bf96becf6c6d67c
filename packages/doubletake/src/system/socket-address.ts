/**
 * `struct sockaddr_in` and `sockaddr_in6` (Linux) to text and back. The family is in host order, the rest in network
 * order; an IPv6 scope is the index of its interface, in host order.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SystemError } from './errors.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
/** Room for either structure. */
export const SOCKET_ADDRESS_BYTES = 28;

const ipv4Bytes = 16;

/** The structure for a numeric address, such as `0.0.0.0`, `::1` or `fe80::1%eth0`. Throws `SystemError` for others. */
export function encodeSocketAddress(host: string, port: number): Buffer {
  if (isIPv4(host)) {
    const bytes = Buffer.alloc(ipv4Bytes);
    bytes.writeUInt16LE(AF_INET, 0);
    bytes.writeUInt16BE(port, 2);
    bytes.set(host.split('.').map(Number), 4);
    return bytes;
  }
  const [address = '', zone] = host.split('%');
  if (!isIPv6(address)) throw new SystemError('DT_SOURCE_ADDRESS', `'${host}' is not an IPv4 or IPv6 address`, '');
  const bytes = Buffer.alloc(SOCKET_ADDRESS_BYTES);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  ipv6Groups(address).forEach((group, index) => bytes.writeUInt16BE(group, 8 + index * 2));
  if (zone !== undefined) bytes.writeUInt32LE(scopeOf(zone), 24);
  return bytes;
}

/** Address and port of a structure that the kernel filled in. */
export function decodeSocketAddress(bytes: Buffer): { address: string; port: number } {
  const port = bytes.readUInt16BE(2);
  if (bytes.readUInt16LE(0) === AF_INET) return { address: bytes.subarray(4, 8).join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + index * 2).toString(16));
  return { address: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}

/** The URL parser writes every form (also `::ffff:1.2.3.4`) as hexadecimal groups with at most one `::`. */
function ipv6Groups(address: string): number[] {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = parseGroups(left);
  if (right === undefined) return head;
  const tail = parseGroups(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function parseGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
}

function scopeOf(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const scope = networkInterfaces()[zone]?.find((entry) => entry.family === 'IPv6')?.scopeid;
  if (scope === undefined) {
    throw new SystemError('DT_SOURCE_ADDRESS', `there is no interface '${zone}' with an IPv6 address`, '');
  }
  return scope;
}
