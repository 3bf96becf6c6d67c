/**
 * Sanitizes header fields and the request target: each becomes the text that replaces it, or stays. Cookies and
 * credentials are taken apart, fields that frame the message are left to the framing.
 */
import { isDigestField } from '../message-edit.ts';
import { copyOf } from './clean-texts.ts';
import { bytesOf, textOf, type Treatment } from './json.ts';
import type { SanitizeAction } from './options.ts';
import type { PathRule } from './path-rule.ts';
import { RecentTexts } from './recent-texts.ts';
import { isPlainPath } from './urlencoded.ts';
import type { Values } from './values.ts';

/** Fields that say how the message is read; their values are bounded by a grammar that has no room for data. */
const structural: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'expect',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'keep-alive',
  'last-modified',
  'te',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
]);
/** Their versions look like addresses. */
const products = /^(?:user-agent|server|via|sec-ch-ua.*|x-amz-user-agent)$/;
const trace: ReadonlySet<string> = new Set(['traceparent', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-request-id', 'x-correlation-id', 'x-amzn-trace-id']);
const TRACE_VALUE = /^(?:(?:Root|Self|Parent|Sampled)=|[0-9a-f;=-])+$/;
/** Cookies that carry sessions, beyond names that are known for it: long and random. */
const RANDOM_COOKIE = /^(?=[^=]*\d)(?=[^=]*[A-Za-z])[\w%+/.:=~-]{16,}$/;
const SESSION_NAME = /sess|sid$|token|auth|jwt|login|remember|csrf|xsrf|secret|ticket|^__(?:host|secure)-/i;

/** How a field is read, by its name alone. */
type FieldKind = 'structural' | 'ruled' | 'cookies' | 'set-cookie' | 'trace' | 'credentials' | 'products' | 'text';

/** What the name of a field says. */
export interface KnownField {
  readonly kind: FieldKind;
  readonly treatment: Treatment;
  readonly contentLength: boolean;
  /** It goes when the body changed. */
  readonly digest: boolean;
}

/** What became of a value: another field may make something else of it. */
interface RecentValue {
  readonly field: KnownField;
  /** Null when it stays. */
  readonly rewritten: string | null;
}

const RECENT_LENGTH_MAX = 1_024;
/** What became of a value is seldom longer by more, and then not kept. */
const GROWTH_MAX = 64;
/** Enough for some ten thousand values. */
const RECENT_BYTES_MAX = 4 << 20;
/** The names of fields that clients send are few, hostile ones are not. */
const KNOWN_MAX = 1_024;
const NAME_LENGTH_MAX = 64;

export class Fields {
  readonly #values: Values;
  readonly #paths: readonly { rule: PathRule; action: SanitizeAction }[];
  readonly #known = new Map<string, KnownField>();
  readonly #recent = new RecentTexts<RecentValue>(RECENT_LENGTH_MAX, RECENT_BYTES_MAX);

  constructor(values: Values, paths: readonly { rule: PathRule; action: SanitizeAction }[]) {
    this.#values = values;
    this.#paths = paths;
  }

  /** The request target, latin1. */
  target(target: string): string {
    if (target === '*') return target;
    if (this.#paths.length === 0) return isPlainPath(target) && this.#values.plainStays ? target : this.#values.url(target, 0);
    const mark = target.indexOf('?');
    const segments = (mark < 0 ? target : target.slice(0, mark)).split('/');
    const treatments = this.#paths.map(({ rule, action }) => ({ marked: rule.match(segments), action }));
    return this.#values.url(target, 0, (text, index) => {
      const ruled = treatments.find(({ marked }) => marked?.[index] === true);
      if (ruled === undefined) return this.#values.text(text, 1);
      return this.#values.removes(ruled.action) ? 'removed' : this.#values.value(text, ruled.action, 1);
    });
  }

  /** What is known about fields of this name, in any case. */
  known(name: string): KnownField {
    return this.#known.get(name) ?? this.#learn(name);
  }

  /** A field's value, latin1; null takes the field out. */
  value(field: KnownField, value: string): string | null {
    if (field.kind === 'structural' || value === '') return value;
    const recent = this.#recent.find(value);
    if (recent !== undefined && recent.field === field) return recent.rewritten ?? value;
    const rewritten = this.#rewrite(field, value);
    // Who wants to hear of every pseudonym would not hear of it again.
    if (rewritten !== null && rewritten.length <= value.length + GROWTH_MAX && !this.#values.isHeard) {
      this.#recent.keep(value, { field, rewritten: rewritten === value ? null : copyOf(rewritten) });
    }
    return rewritten;
  }

  #rewrite({ kind, treatment }: KnownField, value: string): string | null {
    if (kind === 'cookies') return this.#cookies(value);
    if (kind === 'set-cookie') return this.#setCookie(value);
    if (kind === 'trace' && TRACE_VALUE.test(value)) return value;
    if (treatment !== null && this.#values.removes(treatment)) return null;
    if (kind === 'credentials') return this.#credentials(value, treatment);
    if (treatment !== null) return this.#encode(value, treatment);
    return this.#plain(value, kind === 'products');
  }

  #learn(anyCase: string): KnownField {
    const name = anyCase.toLowerCase();
    const rule = structural.has(name) ? null : this.#values.ruleFor('header', name);
    const treatment = rule ?? this.#values.treatmentOf(name);
    const kind = rule === null ? kindOf(name) : 'ruled';
    const field = { kind, treatment, contentLength: name === 'content-length', digest: isDigestField(name) };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    if (name.length <= NAME_LENGTH_MAX) this.#known.set(copyOf(anyCase), field);
    return field;
  }

  #encode(value: string, treatment: Treatment): string {
    const text = textOf(value);
    const rewritten = this.#values.value(text, treatment, 0);
    return rewritten === text ? value : fieldText(rewritten);
  }

  /** Scheme and what follows (RFC 9110 section 11.4); Basic is opened, since it names a user. */
  #credentials(value: string, treatment: Treatment): string {
    const space = value.indexOf(' ');
    if (treatment === null || space < 0) return this.#encode(value, treatment);
    const scheme = value.slice(0, space + 1);
    const rest = value.slice(space + 1).trim();
    if (scheme.toLowerCase() !== 'basic ') return scheme + this.#encode(rest, treatment);
    const pair = Buffer.from(rest, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    const user = this.#values.value(colon < 0 ? pair : pair.slice(0, colon), treatment, 1);
    const password = colon < 0 ? '' : `:${this.#values.value(pair.slice(colon + 1), treatment, 1)}`;
    return scheme + Buffer.from(user + password).toString('base64');
  }

  /** RFC 6265 section 4.2. Null when no cookie is left. */
  #cookies(value: string): string | null {
    const kept: string[] = [];
    let changed = false;
    for (const part of value.split(';')) {
      const rewritten = this.#cookie(part);
      if (rewritten !== part) changed = true;
      if (rewritten !== null) kept.push(rewritten);
    }
    if (!changed) return value;
    return kept.length === 0 ? null : kept.join(';').trimStart();
  }

  #cookie(part: string): string | null {
    const equals = part.indexOf('=');
    if (equals < 0) return this.#plain(part);
    const name = part.slice(0, equals).trim();
    const value = part.slice(equals + 1);
    const treatment = this.#values.ruleFor('cookie', name) ?? this.#cookieTreatment(name, value);
    if (this.#values.removes(treatment)) return null;
    const rewritten = treatment === null ? this.#plain(value) : this.#wholeCookie(value, treatment);
    const newName = this.#plain(part.slice(0, equals));
    return `${newName}=${rewritten}`;
  }

  #cookieTreatment(name: string, value: string): Treatment {
    const known = this.#values.treatmentOf(name);
    if (known !== null || !this.#values.has('auth')) return known;
    return SESSION_NAME.test(name) || RANDOM_COOKIE.test(value.trim()) ? 'auth' : null;
  }

  /** Escapes are opened first, so that a value has the same pseudonym here as elsewhere. */
  #wholeCookie(value: string, treatment: Treatment): string {
    const inner = value.replace(/^\s*"?|"?\s*$/g, '');
    const text = decodeCookie(inner);
    const rewritten = this.#values.value(text, treatment, 1);
    return value.replace(inner, () => (text === inner ? fieldText(rewritten) : encodeURIComponent(rewritten.toWellFormed())));
  }

  #setCookie(value: string): string | null {
    const end = value.indexOf(';');
    const cookie = this.#cookie(end < 0 ? value : value.slice(0, end));
    return cookie === null ? null : cookie + (end < 0 ? '' : this.#plain(value.slice(end)));
  }

  #plain(value: string, hasProducts = false): string {
    const text = textOf(value);
    const rewritten = this.#values.text(text, 0, hasProducts);
    return rewritten === text ? value : fieldText(rewritten);
  }
}

function kindOf(name: string): FieldKind {
  if (structural.has(name) || name === 'content-type') return 'structural';
  if (name === 'cookie') return 'cookies';
  if (name === 'set-cookie') return 'set-cookie';
  if (name === 'authorization' || name === 'proxy-authorization') return 'credentials';
  if (trace.has(name)) return 'trace';
  return products.test(name) ? 'products' : 'text';
}

function decodeCookie(value: string): string {
  if (!value.includes('%')) return textOf(value);
  try {
    return decodeURIComponent(textOf(value));
  } catch {
    // Not percent-encoded after all: taken as it is.
    return textOf(value);
  }
}

/** Text as a field's value: on one line. */
function fieldText(text: string): string {
  return bytesOf(text).replace(/[\r\n\0]/g, ' ');
}
