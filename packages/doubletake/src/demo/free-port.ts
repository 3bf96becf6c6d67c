import { createServer } from 'node:net';
import type { HostPort } from '../host-port.ts';
import { listen } from './listen.ts';

/** How many ports are tried, one after the other, before the system chooses one. */
const triedMax = 20;

/** The wanted port where it is free, else one of those behind it, else one of the system's choosing. */
export async function freePort({ host, port }: HostPort): Promise<number> {
  for (let tried = port; tried < port + triedMax && tried <= 65_535 && port > 0; tried++) {
    if (await isFree(host, tried)) return tried;
  }
  return 0;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port, host);
    return true;
  } catch (error) {
    // Whatever else is wrong with the address, its user is to say.
    return error instanceof Error && 'code' in error && error.code !== 'EADDRINUSE';
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
}
