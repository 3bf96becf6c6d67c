/**
 * Says what a value looks like that went through the sanitizer: broader and simpler than the sanitizer's own detectors,
 * and without their code, so that what those overlook has a chance to be seen. It errs on the side of speaking up.
 */

/** What something looks like, in the words of the report. */
export type LeakKind =
  | 'e-mail address'
  | 'card number'
  | 'phone number'
  | 'IP address'
  | 'date of birth'
  | 'name of a person'
  | 'token'
  | 'identifier'
  | 'long number'
  | 'by its name'
  | 'tells clients apart';

const EMAIL = /[^\s@<>"'=&;,]+ ?(?:@|\(at\)|\[at\]) ?[^\s@<>"'=&;,]+\.[a-z\u00a1-\uffff]{2,}/i;
const NUMBER = /\+?\(?\d(?:[ \-./()]{0,2}\d){8,18}/g;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;
const ADDRESS = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/;
const YEAR_FIRST = /^(\d{4})[-/.](\d\d?)[-/.](\d\d?)$/;
const YEAR_LAST = /^(\d\d?)[-/.](\d\d?)[-/.](\d{4})$/;
const CAPITALISED = /^\p{Lu}[\p{Ll}'’]+(?:[ -]\p{Lu}[\p{L}'’.]*){1,3}$/u;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const OBJECT_ID = /^(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/;
const TOKEN = /^[\w+/=.~-]{20,}$/;
/** Bits for each character; words of a language and slugs have less. */
const TOKEN_ENTROPY_MIN = 3.6;
const ADULT_YEARS = 14;
/** Parts of names of fields that hold something about somebody. */
const TELLING_NAME =
  /mail|phone|mobil|telef|passw|kennwort|geheim|secret|(?:first|last|sur|given|family|full|user|nick|birth|vor|nach|kunden?|customer|holder|owner|author|contact|recipient)_?-?name|birth|geburt|street|strasse|stra\u00dfe|addr|anschrift|postal|zip_?-?code|ssn|social|steuer|tax_?-?id|passport|iban|konto|account_?-?n|card_?-?n|karte|cvv|cvc|insur|patient|diagnos|salary|gehalt|religion|gender|geschlecht|latitude|longitude|imei|licen[cs]e_?-?plate/i;

export interface LookedAt {
  /** Name of the field; empty when it has none. */
  name: string;
  /** Decoded, and without what the sanitizer put in. */
  text: string;
  /** Year in which it was captured. */
  year: number;
}

/** What a value looks like; null for nothing in particular. */
export function lookOf({ name, text, year }: LookedAt): LeakKind | null {
  const value = text.trim();
  if (value.length < 3) return null;
  if (EMAIL.test(value)) return 'e-mail address';
  if (ADDRESS.test(value) && !/^(?:127|0)\./.test(value)) return 'IP address';
  if (UUID.test(value) || OBJECT_ID.test(value)) return 'identifier';
  const number = TIME.test(value) ? null : numberIn(value);
  if (number !== null) return number;
  if (isBirthDate(value, year)) return 'date of birth';
  if (CAPITALISED.test(value)) return 'name of a person';
  if (TOKEN.test(value) && /\d/.test(value) && /[a-z]/i.test(value) && entropy(value) >= TOKEN_ENTROPY_MIN) return 'token';
  return TELLING_NAME.test(name) && !/^(?:true|false|null|none|unknown|\*+)$/i.test(value) ? 'by its name' : null;
}

/** Rows of 9 to 19 digits, apart from times. */
function numberIn(text: string): LeakKind | null {
  for (const [shape] of text.matchAll(NUMBER)) {
    const digits = shape.replace(/\D/g, '');
    if (digits.length >= 13 && addsUp(digits)) return 'card number';
    if (/^\+|^\(?0/.test(shape) && digits.length <= 15 && !/^0{4}/.test(digits)) return 'phone number';
    if (!isTime(digits)) return 'long number';
  }
  return null;
}

/** Seconds, milliseconds or microseconds since 1970, from 2001 to 2065. */
function isTime(digits: string): boolean {
  return /^[12]\d{9}(?:\d{3}|\d{6})?$/.test(digits);
}

/** Luhn's rule. */
function addsUp(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits.at(-1 - index));
    const twice = digit * 2;
    sum += index % 2 === 0 ? digit : twice - (twice > 9 ? 9 : 0);
  }
  return sum % 10 === 0;
}

function isBirthDate(text: string, capturedYear: number): boolean {
  const year = Number(YEAR_FIRST.exec(text)?.[1] ?? YEAR_LAST.exec(text)?.[3] ?? 0);
  return year >= 1900 && year <= capturedYear - ADULT_YEARS;
}

/** Shannon's, in bits for each character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
