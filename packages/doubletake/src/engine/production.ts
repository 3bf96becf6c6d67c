/** From production's servers as users list them to addresses, and the check that no target is named among them. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { MirrorConfig, TargetConfig } from '../config/schema.ts';
import { productionBehindProxies } from '../config/sources.ts';
import { DoubletakeError } from '../errors.ts';
import { serverOfUrl } from '../host-port.ts';
import type { ListedServer } from '../policy/production-servers.ts';

/** The guards of a configuration, with its proxies and the servers that they stand before among those listed. */
export function listedProduction({ guards, sources }: MirrorConfig): MirrorConfig['guards'] {
  const behind = productionBehindProxies(sources).flatMap(({ host, port }) =>
    (everyAddress.has(host) ? ownNetworks() : [host]).map((one) => ({ host: one, port })),
  );
  return { ...guards, production: [...guards.production, ...behind] };
}

/** Who listens on these listens on every address of this machine. */
const everyAddress: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function ownNetworks(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  return ['127.0.0.0/8', '::1', ...everyAddress, ...addresses];
}

/**
 * Resolves the names. One that is not known here stands for no address that could be reached from here; it still refuses
 * a target of that name.
 */
export async function resolveProduction({ production }: MirrorConfig['guards']): Promise<ListedServer[]> {
  const resolved = await Promise.all(
    production.map(async ({ host, port }) => {
      if (isNetwork(host)) return [{ network: host, port }];
      const found = await lookup(host, { all: true }).catch(() => []);
      return found.map(({ address }) => ({ network: address, port }));
    }),
  );
  return resolved.flat();
}

/** Throws a `DoubletakeError` when a target's URL names a listed server. */
export function refuseProductionNames({ production }: MirrorConfig['guards'], targets: readonly TargetConfig[]): void {
  for (const { name, url } of targets) {
    const { host, port } = serverOfUrl(new URL(url));
    const listed = production.find((server) => server.host.toLowerCase() === host && (server.port ?? port) === port);
    if (listed !== undefined) {
      throw new DoubletakeError('DT_TARGET_PRODUCTION', `target ${name}: ${url} is listed as production (guards.production); give the test environment's address`);
    }
  }
}

function isNetwork(host: string): boolean {
  return isIP(host.split('/', 1)[0] ?? '') !== 0;
}
