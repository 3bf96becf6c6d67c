/**
 * Encryption at rest: AES-256-GCM, each block by itself. Every segment has a key of its own, derived from the user's and
 * a random salt (HKDF, RFC 5869); within a segment the block's number is the nonce, so that no nonce is used twice under
 * a key. The block's header is authenticated with it: blocks cannot be swapped or renumbered.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

export const tagBytes = 16;

export class BlockCipher {
  /** Stands in the segment's header: equal for the same key. */
  readonly check: Buffer;
  readonly #key: Buffer;

  constructor(key: string, salt: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', key, salt, 'doubletake recording', 32));
    this.check = createHmac('sha256', this.#key).update('check').digest().subarray(0, 16);
  }

  /** The ciphertext, and the tag behind it. */
  seal(plain: Buffer, sequence: number, header: Buffer): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce(sequence), { authTagLength: tagBytes });
    cipher.setAAD(header);
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws when anything was changed. */
  open(sealed: Buffer, sequence: number, header: Buffer): Buffer {
    const end = sealed.length - tagBytes;
    if (end < 0) throw new RangeError('too short to be encrypted');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce(sequence), { authTagLength: tagBytes });
    decipher.setAAD(header);
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  }
}

/** Twelve bytes: the block's number and zeros. */
function nonce(sequence: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(sequence);
  return bytes;
}
