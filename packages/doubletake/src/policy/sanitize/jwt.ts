/**
 * JSON Web Tokens (RFC 7519) made safe: the claims are sanitized, and the token is signed anew with a test key (HS256), so
 * that production's signature, which is the credential, is gone and the token is still one. Encrypted tokens (five
 * parts) cannot be opened and are none here.
 */
import { KeyedStream } from './keyed-stream.ts';

/** Header fields that name production's keys. */
const keyFields: readonly string[] = ['jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'];

export class JwtSigner {
  readonly #mac: KeyedStream;

  /** Without a key of its own, one is derived from the pseudonym key. */
  constructor(signingKey: string | undefined, pseudonymKey: Buffer) {
    const key = signingKey === undefined ? new KeyedStream(pseudonymKey).digest('doubletake jwt') : Buffer.from(signingKey);
    this.#mac = new KeyedStream(key);
  }

  /** The token with claims rewritten (null: not JSON) and a new signature; null when it is no signed token. */
  sign(token: string, claims: (json: Buffer) => Buffer | null): string | null {
    const parts = token.split('.');
    if (parts.length !== 3) return null;
    const header = headerOf(parts[0]);
    if (header === null) return null;
    const payload = claims(Buffer.from(parts[1], 'base64url'));
    if (payload === null) return null;
    for (const field of keyFields) delete header[field];
    header['alg'] = 'HS256';
    const signed = `${encode(Buffer.from(JSON.stringify(header)))}.${encode(payload)}`;
    return `${signed}.${encode(this.#mac.digest(signed))}`;
  }
}

function headerOf(part: string): Record<string, unknown> | null {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof header === 'object' && header !== null && 'alg' in header ? { ...header } : null;
  } catch {
    return null;
  }
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url');
}
