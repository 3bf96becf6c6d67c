/** What keeps replay away from production, in the configuration. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { textual } from './values.ts';

export interface ProductionServer {
  /** An address, a network in CIDR notation, or a host name. */
  host: string;
  /** Null for every port. */
  port: number | null;
}

const expected = 'expected an address, a network such as 10.0.0.0/8, or a host name, each with a port or without (10.0.1.2:80, [2001:db8::1]:443)';

const serverSchema = textual('HOST[:PORT]', expected, readServer);

function readServer(text: string): ProductionServer | null {
  // An IPv6 address without brackets has no port.
  if (isNetwork(text)) return { host: text, port: null };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] === undefined ? null : Number(match[3]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  const fits = match?.[1] === undefined ? isNetwork(host) || isHostName(host) : isNetwork(host) && host.includes(':');
  return fits ? { host, port } : null;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** What is all digits and dots was meant to be an address. */
function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?=.*[a-z])[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/i.test(text);
}

/** `guards`. */
export const guardsSchema = z.strictObject({
  production: z
    .array(serverSchema)
    .max(10_000)
    .default([])
    .describe('Production\'s servers: addresses, networks or host names, with a port or for every port. No target may be one of them.'),
  learnProduction: z
    .boolean()
    .default(true)
    .describe('A server that the mirrored traffic shows answering requests counts as listed. Turn it off where the test environment has the same addresses as production.'),
});
