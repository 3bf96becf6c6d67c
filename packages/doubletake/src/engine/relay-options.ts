/** From a proxy in the configuration to what the relay's thread is told. */
import { readFileSync } from 'node:fs';
import type { ProxyConfig } from '../config/proxy-schema.ts';
import { DoubletakeError } from '../errors.ts';
import type { RelayOptions } from '../relay/options.ts';

/** Throws a `DoubletakeError` when the authorities cannot be read. */
export function relayOptions({ upstream, ca, tls, ...rest }: ProxyConfig): RelayOptions {
  const { host, port, secure } = upstream;
  return { ...rest, upstream: { host, port, tls: secure ? { ca: ca === undefined ? null : readAuthorities(ca) } : null }, tls: tls ?? null };
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoubletakeError('DT_PROXY_TLS', `cannot read the certificate authorities in ${file}: ${reason}`);
  }
}
