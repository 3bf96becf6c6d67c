import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

/** Binds a server and tells where it listens; port 0 is chosen by the system. Rejects when the address cannot be had. */
export async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no address');
  return address;
}
