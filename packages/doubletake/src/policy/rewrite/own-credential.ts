/**
 * The test environment's own credential in requests that are kept: it is written over with asterisks, so that nobody reads
 * it in a run, and put in their place again when such a request is sent once more.
 */
import { bytesOf } from '../sanitize/json.ts';
import { fieldOf } from './credential.ts';
import type { Credentials } from './options.ts';

export class OwnCredential {
  readonly #value: string;
  /** Find where it stands, with what stands before it; `masked` the asterisks in its place. */
  readonly #plain: RegExp;
  readonly #masked: RegExp;

  constructor(credentials: Credentials) {
    const { cookie } = credentials;
    const { name, value } = cookie === undefined ? fieldOf(credentials) : { name: 'Cookie', value: bytesOf(cookie.value) };
    const before = cookie === undefined ? String.raw`[ \t]*` : String.raw`(?:[^\r\n]*[;\s])?${escaped(cookie.name)}=`;
    const after = cookie === undefined ? String.raw`(?=[ \t]*\r\n)` : String.raw`(?=[;\s])`;
    const found = (what: string): RegExp => new RegExp(String.raw`(\r\n${anyCase(name)}:${before})${what}${after}`);
    this.#value = value;
    this.#plain = found(escaped(value));
    this.#masked = found(String.raw`\*+`);
  }

  /** Writes over it in the head of `request`. */
  hide(request: Buffer): void {
    const head = `${request.toString('latin1', 0, headEnd(request))}\r\n`;
    const found = this.#plain.exec(head);
    if (found === null) return;
    const start = found.index + (found[1] ?? '').length;
    request.fill('*', start, start + this.#value.length);
  }

  /** The request with what it is now in the place of the asterisks. */
  restore(request: Buffer): Buffer {
    const end = headEnd(request);
    const head = request.toString('latin1', 0, end);
    const restored = `${head}\r\n`.replace(this.#masked, (_, before: string) => before + this.#value).slice(0, -2);
    return restored === head ? request : Buffer.concat([Buffer.from(restored, 'latin1'), request.subarray(end)]);
  }
}

function headEnd(request: Buffer): number {
  const end = request.indexOf('\r\n\r\n', 0, 'latin1');
  return end < 0 ? request.length : end;
}

function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, String.raw`\$&`);
}

/** Names of headers are the same in any case (RFC 9110 section 5.1), those of cookies are not. */
function anyCase(name: string): string {
  return Array.from(name, (character) => `[${escaped(character.toLowerCase())}${escaped(character.toUpperCase())}]`).join('');
}
