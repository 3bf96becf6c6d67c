/** A certificate and its key in PEM files, which may be renewed while they are in use. */
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

export interface CertificateFiles {
  certificate: string;
  key: string;
}

/** What tells one version of the files from the next. */
export function certificateVersion({ certificate, key }: CertificateFiles): string {
  return [certificate, key]
    .map((file) => {
      const { mtimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0, ino: 0 };
      return `${mtimeMs} ${size} ${ino}`;
    })
    .join(', ');
}

/** The files' content, of which it is known that it can be used. Throws an error that names the files and the reason. */
export function readCertificate({ certificate, key }: CertificateFiles): { cert: Buffer; key: Buffer } {
  try {
    const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use the certificate ${certificate} with the key ${key}: ${reason}`, { cause: error });
  }
}
