/**
 * How https targets are spoken to: certificates are always verified, against the CA file given or the system's store;
 * only HTTP/1.1 is offered. Made once a target, because reading the certificates is slow.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** Options for `tls.connect`. */
export interface Tls {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: true;
  readonly ALPNProtocols: string[];
  /** Absent for IP addresses, which are no server names (RFC 6066 section 3): the certificate must hold the address. */
  readonly servername?: string;
}

/** `ca` is PEM text; throws when it holds no certificate. */
export function createTls(hostname: string, ca: string | undefined): Tls {
  const common = {
    secureContext: createSecureContext({ ca: ca === undefined ? systemCertificates() : checkedPem(ca) }),
    rejectUnauthorized: true as const,
    ALPNProtocols: ['http/1.1'],
  } satisfies Tls;
  return isIP(hostname) !== 0 ? common : { ...common, servername: hostname.replace(/\.$/, '') };
}

/** The system's store with NODE_EXTRA_CA_CERTS; where there is none (a bare container), what Node brings along. */
function systemCertificates(): string[] {
  const system = [...getCACertificates('system'), ...getCACertificates('extra')];
  return system.length > 0 ? system : getCACertificates('bundled');
}

/** Node itself takes any text, and would then trust nobody without saying why. */
function checkedPem(ca: string): string {
  if (!beginsWithCertificate(ca)) throw new Error('the CA file holds no PEM certificate');
  return ca;
}

function beginsWithCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
