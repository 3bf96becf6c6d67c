/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) of its own for what is replayed: where both environments
 * share a store of keys, production's key would make the replay a retry of production's request. The same key in gives
 * the same key out, so that a retry stays a retry.
 */
import { createHash } from 'node:crypto';
import type { Exchange } from '../../http/exchange.ts';
import type { RewriteOptions } from './options.ts';
import type { RequestDraft } from './request-draft.ts';

const field = 'idempotency-key';
/** Repeating these does no harm (RFC 9110 section 9.2.2), so they take no key. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A random UUID (version 4): what services that look at the form expect. */
const uuidForm = '00000000-0000-4000-8000-000000000000';

/** Null where keys stay: a copy never has the key of another, for it would be answered without being done. */
export function openIdempotencyKeys({ idempotencyKey, copy }: Pick<RewriteOptions, 'idempotencyKey' | 'copy'>): IdempotencyKeys | null {
  return idempotencyKey === 'keep' && copy === 0 ? null : new IdempotencyKeys(idempotencyKey === 'always', copy);
}

export class IdempotencyKeys {
  readonly #addsMissing: boolean;
  readonly #copy: number;

  constructor(addsMissing: boolean, copy: number) {
    this.#addsMissing = addsMissing;
    this.#copy = copy;
  }

  /** Whether there is something to do. */
  concerns({ request: { head } }: Exchange): boolean {
    if (safeMethods.has(head.method)) return false;
    return this.#addsMissing || head.indexOf(field) >= 0;
  }

  /** `original` is the request as it was captured. */
  put(draft: RequestDraft, original: Exchange): void {
    const missing = draft.values(field).length === 0;
    // A key that sanitizing starred is every key: then each request has one of its own.
    draft.change(field, (key) => (/^\**$/.test(key) ? this.#ofRequest(original) : this.#distinct(key)));
    if (missing && this.#addsMissing) draft.add('Idempotency-Key', this.#ofRequest(original));
  }

  /** In the form of the key: a UUID of the same version, in quotes (RFC 9651 section 3.3.3) or not. */
  #distinct(key: string): string {
    const quote = key.length > 1 && key.startsWith('"') && key.endsWith('"') ? '"' : '';
    const text = quote === '' ? key : key.slice(1, -1);
    const digest = this.#digest('key', text);
    return quote + (uuid.test(text) ? asUuid(digest, text) : digest.slice(0, 32)) + quote;
  }

  /** In quotes, as the draft has it (section 2.1). */
  #ofRequest({ connection, client, index, request }: Exchange): string {
    const { startSequence, startUs } = request;
    return `"${asUuid(this.#digest('request', connection.label(client), startSequence, startUs, index), uuidForm)}"`;
  }

  #digest(...parts: (string | number)[]): string {
    return createHash('sha256').update(['doubletake', this.#copy, ...parts].join('\n')).digest('hex');
  }
}

/** A UUID of these hexadecimal digits, with the version and variant of `form` (RFC 9562 section 4). */
function asUuid(hex: string, form: string): string {
  const digits = `${hex.slice(0, 12)}${form[14]}${hex.slice(13, 16)}${form[19]}${hex.slice(17, 32)}`;
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}
