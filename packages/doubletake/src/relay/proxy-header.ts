/**
 * The header by which proxies tell a server whose connection it is: the PROXY protocol
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Version 2 is written, versions 1 and 2 are read.
 */
import { parseAddress } from '../packets/address.ts';
import type { Endpoint } from './endpoints.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const headBytes = 16;

/** A version 2 header with more than this is not taken: addresses need 36 bytes, what comes behind them is not used. */
const bodyBytesMax = 4_096;
const version1BytesMax = 107;

const Command = { local: 0x20, proxy: 0x21 } as const;
const Family = { tcp4: 0x11, tcp6: 0x21 } as const;

export interface ProxyHeader {
  /** Bytes of the header; what follows is the connection's own. */
  length: number;
  /** Whose connection it is, and to whom it was made; null where the proxy speaks for itself or does not know. */
  client: Endpoint | null;
  server: Endpoint | null;
}

/** Version 2, with IPv4 addresses where both are; version 2 has no room for one of each family. */
export function encodeProxyHeader(client: Endpoint, server: Endpoint): Buffer {
  const narrow = isIpv4(client.address) && isIpv4(server.address);
  const words = narrow ? 1 : 4;
  const header = Buffer.alloc(headBytes + 8 * words + 4);
  signature.copy(header);
  header[12] = Command.proxy;
  header[13] = narrow ? Family.tcp4 : Family.tcp6;
  header.writeUInt16BE(8 * words + 4, 14);
  let at = headBytes;
  for (const { address } of [client, server]) {
    for (const word of address.subarray(4 - words)) at = header.writeInt32BE(word, at);
  }
  at = header.writeUInt16BE(client.port, at);
  header.writeUInt16BE(server.port, at);
  return header;
}

/** The header at the beginning of `bytes`; `more` while it is not whole, `invalid` for what is none. */
export function decodeProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const known = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, known, 0, known) === 0) return decodeVersion2(bytes);
  return decodeVersion1(bytes);
}

function decodeVersion2(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  if (bytes.length < headBytes) return 'more';
  const bodyBytes = bytes.readUInt16BE(14);
  const command = bytes[12];
  if (bodyBytes > bodyBytesMax || (command !== Command.local && command !== Command.proxy)) return 'invalid';
  const length = headBytes + bodyBytes;
  if (bytes.length < length) return 'more';
  const words = bytes[13] === Family.tcp4 ? 1 : bytes[13] === Family.tcp6 ? 4 : 0;
  if (command === Command.local || words === 0) return { length, client: null, server: null };
  if (bodyBytes < 8 * words + 4) return 'invalid';
  const endpoint = (index: 0 | 1): Endpoint => {
    const address = Int32Array.of(0, 0, 0xffff, 0);
    for (let word = 0; word < words; word++) {
      address[4 - words + word] = bytes.readInt32BE(headBytes + 4 * (words * index + word));
    }
    return { address, port: bytes.readUInt16BE(headBytes + 8 * words + 2 * index) };
  };
  return { length, client: endpoint(0), server: endpoint(1) };
}

function decodeVersion1(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const text = bytes.toString('latin1', 0, version1BytesMax);
  const end = text.indexOf('\r\n');
  if (end < 0) return 'PROXY '.startsWith(text.slice(0, 6)) && text.length < version1BytesMax ? 'more' : 'invalid';
  const match = /^PROXY (?:UNKNOWN(?: .*)?|TCP[46] (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/.exec(text.slice(0, end));
  if (match === null) return 'invalid';
  const length = end + 2;
  if (match[1] === undefined) return { length, client: null, server: null };
  const client = endpointFrom(match[1], match[3]);
  const server = endpointFrom(match[2], match[4]);
  return client === null || server === null ? 'invalid' : { length, client, server };
}

function endpointFrom(text: string, digits: string): Endpoint | null {
  const address = new Int32Array(4);
  const port = Number(digits);
  return parseAddress(text, address) && port <= 65_535 ? { address, port } : null;
}

function isIpv4(address: Int32Array): boolean {
  return address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
}
