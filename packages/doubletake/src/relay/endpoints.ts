/** The two ends of a relayed connection, and how they travel in a record of the copy. */
import { parseAddress } from '../packets/address.ts';

export interface Endpoint {
  /** Four words, IPv4 as IPv4-mapped IPv6. */
  address: Int32Array;
  port: number;
}

/** A socket's end as Node tells it; a zone is left out, and what is no address is `::`. */
export function endpointOf(address: string | undefined, port: number | undefined): Endpoint {
  const words = new Int32Array(4);
  if (!parseAddress((address ?? '').replace(/%.*$/, ''), words)) words.fill(0);
  return { address: words, port: port ?? 0 };
}

const endpointWords = 5;

/** Payload of a record that opens a connection. */
export function encodeEndpoints(client: Endpoint, server: Endpoint): Uint8Array {
  const words = new Int32Array(2 * endpointWords);
  words.set(client.address);
  words[4] = client.port;
  words.set(server.address, endpointWords);
  words[endpointWords + 4] = server.port;
  return new Uint8Array(words.buffer);
}

/** Addresses (client, then server) and ports, as a `Connection` takes them. */
export function decodeEndpoints(payload: Uint8Array): { addresses: Int32Array; ports: [number, number] } {
  const words = new Int32Array(Uint8Array.from(payload).buffer);
  const addresses = new Int32Array(8);
  addresses.set(words.subarray(0, 4));
  addresses.set(words.subarray(endpointWords, endpointWords + 4), 4);
  return { addresses, ports: [words[4], words[endpointWords + 4]] };
}
