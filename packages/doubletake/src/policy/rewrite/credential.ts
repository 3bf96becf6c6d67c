/** Puts the test environment's own credential into a request, in the place of what stood there. */
import type { MessageHead } from '../../http/head.ts';
import { bytesOf } from '../sanitize/json.ts';
import type { Credentials } from './options.ts';
import type { RequestDraft } from './request-draft.ts';

export class Credential {
  readonly #onlyWherePresent: boolean;
  readonly #isPresent: (head: MessageHead) => boolean;
  readonly #put: (draft: RequestDraft) => void;

  constructor(credentials: Credentials) {
    this.#onlyWherePresent = credentials.when === 'present';
    const { cookie } = credentials;
    if (cookie === undefined) {
      const { name, value } = fieldOf(credentials);
      const lower = name.toLowerCase();
      this.#isPresent = (head) => head.indexOf(lower) >= 0;
      this.#put = (draft) => draft.set(name, value);
    } else {
      const name = bytesOf(cookie.name);
      this.#isPresent = (head) => head.all('cookie').some((value) => cookies(value).some((part) => nameOf(part) === name));
      this.#put = (draft) => putCookie(draft, name, bytesOf(cookie.value));
    }
  }

  /** Whether the request is to carry the credential; `original` is the request as it was captured. */
  wanted(original: MessageHead): boolean {
    return !this.#onlyWherePresent || this.#isPresent(original);
  }

  put(draft: RequestDraft): void {
    this.#put(draft);
  }
}

/** RFC 6750 section 2.1, RFC 7617 section 2. */
export function fieldOf({ bearer, basic, header }: Exclude<Credentials, { cookie: object }>): { name: string; value: string } {
  if (header !== undefined) return { name: header.name, value: bytesOf(header.value) };
  if (bearer !== undefined) return { name: 'Authorization', value: `Bearer ${bytesOf(bearer)}` };
  return { name: 'Authorization', value: `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}` };
}

/** In the place of the first of that name, else behind the last cookie; the other cookies stay as they are. */
function putCookie(draft: RequestDraft, name: string, value: string): void {
  let placed = false;
  draft.change('cookie', (field) => {
    const parts = cookies(field);
    const kept = parts.flatMap((part) => {
      if (nameOf(part) !== name) return [part];
      if (placed) return [];
      placed = true;
      return [`${/^\s*/.exec(part)?.[0] ?? ''}${name}=${value}`];
    });
    if (kept.length === 0) return null;
    return kept.length === parts.length ? kept.join(';') : kept.join(';').trimStart();
  });
  if (placed) return;
  const last = draft.values('cookie').length - 1;
  if (last < 0) {
    draft.add('Cookie', `${name}=${value}`);
    return;
  }
  let index = 0;
  draft.change('cookie', (field) => {
    if (index++ < last) return field;
    return field === '' ? `${name}=${value}` : `${field.replace(/[\s;]+$/, '')}; ${name}=${value}`;
  });
}

function cookies(field: string): string[] {
  return field.split(';');
}

/** Of `name=value`; cookies without a name have none. */
function nameOf(part: string): string | null {
  const equals = part.indexOf('=');
  return equals < 0 ? null : part.slice(0, equals).trim();
}
