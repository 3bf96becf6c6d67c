/**
 * What a value looks like: enough to say that a UUID has become a number, and that two values which differ are of a kind
 * that is made anew for every answer. It goes by the value alone.
 */
import { endpointOf } from '../../policy/endpoint.ts';

/** What a `format` rule can ask for. */
export const formats = ['uuid', 'timestamp', 'number', 'integer', 'hex', 'token', 'jwt', 'email', 'url', 'text'] as const;
export type Format = (typeof formats)[number];

export interface Shape {
  /** In words; values of the same format have the same: `timestamp in UTC`, `hex of 32 digits`. */
  name: string;
  format: Format | null;
  /** Such values are often made anew for every answer. */
  fresh: boolean;
  /** Milliseconds since the epoch that a timestamp stands for; null for what is none. */
  timeMs: number | null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const ISO = /^\d{4}-\d\d-\d\d(?:([T ])\d\d:\d\d(?::\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
const NUMBER = /^-?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,4})?$/;
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*/;
/** W3C Trace Context section 3.2. */
const TRACE = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const HEX = /^(?:[0-9a-f]{8,128}|[0-9A-F]{8,128})$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const TOKEN = /^[\w+/=.~:-]{12,}$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/;
const WORD = /^[A-Za-z][A-Za-z_-]*$/;

/** By digits: seconds, milliseconds, microseconds and nanoseconds, from 2001 to 2033. */
const epochUnits: Readonly<Record<number, readonly [name: string, perMs: number]>> = {
  10: ['seconds', 0.001],
  13: ['milliseconds', 1],
  16: ['microseconds', 1_000],
  19: ['nanoseconds', 1_000_000],
};

function shape(name: string, format: Format | null, fresh = false, timeMs: number | null = null): Shape {
  return { name, format, fresh, timeMs };
}

const nothing = shape('nothing', null);
const empty = shape('empty text', 'text');
const uuid = shape('UUID', 'uuid', true);
const jwt = shape('JWT', 'jwt', true);
const trace = shape('trace context', 'token', true);
const ulid = shape('ULID', 'token', true);
const token = shape('token', 'token', true);
const email = shape('e-mail address', 'email');
const word = shape('word', 'text');
const text = shape('text', 'text');

/** The shape of a value. `type` is its JSON type, where it has one: a number in quotes is a text. */
export function shapeOf(value: string | null, type: string | null): Shape {
  if (value === null) return nothing;
  if (type === 'null' || type === 'boolean' || type === 'object' || type === 'array') return shape(type, null);
  if (type === 'number') return numberShape(value, '');
  if (value === '') return empty;
  const first = value.charCodeAt(0);
  if (first === 45 || (first >= 48 && first <= 57)) {
    if (NUMBER.test(value)) return numberShape(value, type === 'string' ? ' as text' : '');
    if (ISO.test(value)) return isoShape(value);
  }
  if (value.length === 36 && UUID.test(value)) return uuid;
  if (HTTP_DATE.test(value)) return shape('HTTP date', 'timestamp', true, Date.parse(value));
  if (/[\s<>]/.test(value)) return text;
  if (WORD.test(value)) return word;
  if (JWT.test(value)) return jwt;
  if (TRACE.test(value)) return trace;
  if (HEX.test(value) && /[a-f]/i.test(value)) return shape(`hex of ${value.length} digits`, 'hex', true);
  if (ULID.test(value)) return ulid;
  if (EMAIL.test(value)) return email;
  if (value.startsWith('/') || /^https?:\/\//.test(value)) return urlShape(value);
  return TOKEN.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value) ? token : text;
}

/** Whether a value is what a `format` rule asks for. */
export function hasFormat(value: string | null, type: string | null, format: Format): boolean {
  const found = shapeOf(value, type).format;
  if (found === format) return true;
  if (format === 'number') return found === 'integer' || (found === 'timestamp' && NUMBER.test(value ?? ''));
  if (format === 'integer') return found === 'timestamp' && /^\d+$/.test(value ?? '');
  if (format === 'token') return found === 'hex' || found === 'uuid' || found === 'jwt' || (found === 'text' && !/\s/.test(value ?? ''));
  return format === 'text' && found !== null && type !== 'number';
}

function numberShape(value: string, suffix: string): Shape {
  const unit = /^\d+$/.test(value) ? epochUnits[value.length] : undefined;
  if (unit !== undefined && value[0] === '1') {
    return shape(`${unit[0]} since 1970${suffix}`, 'timestamp', true, Number(value) / unit[1]);
  }
  const integer = /^-?\d+$/.test(value);
  return shape((integer ? 'integer' : 'decimal number') + suffix, integer ? 'integer' : 'number');
}

function isoShape(value: string): Shape {
  const [, separator, fraction, zone] = ISO.exec(value) ?? [];
  const time = separator === undefined || zone !== undefined ? value : `${value}Z`;
  const timeMs = Date.parse(time.replace(' ', 'T').replace(',', '.'));
  if (Number.isNaN(timeMs)) return text;
  if (separator === undefined) return shape('date', 'timestamp', false, timeMs);
  const zoneWords = zone === undefined ? 'without a zone' : zone === 'Z' ? 'in UTC' : 'with an offset';
  return shape(`timestamp ${zoneWords}${fraction === undefined ? '' : ', with fractions'}`, 'timestamp', true, timeMs);
}

/** Where it leads, with identifiers left out. */
function urlShape(value: string): Shape {
  const path = value.replace(/^https?:\/\/[^/?#]*/, '').replace(/[?#].*$/s, '');
  const template = endpointOf('', path === '' ? '/' : path).trim();
  return shape(`URL like ${template.slice(0, 100)}`, 'url');
}
