/**
 * Finds personal, payment and credential data inside text by their form, in one pass from left to right. What can begin
 * at a character is decided by looking at most `LOOK_MAX` characters ahead (for tokens: to their end, which is passed
 * once), so the time is linear in the text, whatever it holds.
 */
import { ipv4Length, isDigitAt, isIpv6 } from './addresses.ts';
import {
  isCardNumber,
  isCodiceFiscale,
  isCpf,
  isDniOrNie,
  isIban,
  isNino,
  isNir,
  isPesel,
  isSsn,
  isSteuerId,
} from './checksums.ts';
import { mayMatch, profileOf } from './text-profile.ts';

export type MatchKind = 'email' | 'card' | 'track' | 'iban' | 'national' | 'phone' | 'ipv4' | 'ipv6' | 'jwt';

/** Which kinds are looked for, and what replaces a match; null leaves it. */
export interface MatchHandler {
  wants(kind: MatchKind): boolean;
  replace(kind: MatchKind, match: string): string;
}

const LOOK_MAX = 48;
const EMAIL_LOCAL_MAX = 64;
const EMAIL_DOMAIN_MAX = 255;
const TRACK_MAX = 120;
const UUID_LENGTH = 36;
const NUMBER_DIGITS_MIN = 7;
const NIE_LETTERS = 'XYZxyz';
const SPACE = 32;
const HYPHEN = 45;
const COLON = 58;
const AT_SIGN = 64;

const DIGIT = 1;
const UPPER = 2;
const LOWER = 4;
const WORD = DIGIT | UPPER | LOWER;
/** Stands in the local part of an e-mail address. */
const LOCAL = 8;
/** Stands between the digits of a number. */
const SEPARATOR = 16;

const CLASS = new Uint8Array(128);
for (let code = 48; code < 58; code++) CLASS[code] = DIGIT | LOCAL;
for (let code = 65; code < 91; code++) CLASS[code] = UPPER | LOCAL;
for (let code = 97; code < 123; code++) CLASS[code] = LOWER | LOCAL;
for (const char of "!#$%*+-.^_~'") CLASS[char.charCodeAt(0)] |= LOCAL;
for (const char of ' -./()') CLASS[char.charCodeAt(0)] |= SEPARATOR;

/** Letters beyond ASCII stand in names of people and hosts. */
function classAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  return code < 128 ? CLASS[code] : code >= 0xc0 ? LOWER | LOCAL : 0;
}

function isAt(text: string, at: number, code: number): boolean {
  return at < text.length && text.charCodeAt(at) === code;
}

function isWordAt(text: string, at: number): boolean {
  return at >= 0 && (classAt(text, at) & WORD) !== 0;
}

export class TextScanner {
  readonly #handler: MatchHandler;
  /** What the last look found; the length is 0 when it found nothing. */
  #kind: MatchKind = 'email';
  #length = 0;
  #skipProducts = false;
  /** Tokens are read to their end once: no JWT begins before this offset. */
  #tokenEnd = 0;

  constructor(handler: MatchHandler) {
    this.#handler = handler;
  }

  /** The text with every match replaced; the same string when there is none. `products`: `Name/1.2.3.4` is a version. */
  scan(text: string, products = false, profile = profileOf(text)): string {
    if (!mayMatch(profile, text.length) || isTimestamp(text)) return text;
    this.#skipProducts = products;
    this.#tokenEnd = 0;
    let out = '';
    let copied = 0;
    let at = 0;
    while (at < text.length) {
      const kind = classAt(text, at);
      const code = text.charCodeAt(at);
      this.#length = 0;
      let start = at;
      if ((kind & WORD) !== 0 && isAt(text, at + 8, HYPHEN) && !isWordAt(text, at - 1) && uuidLength(text, at) > 0) {
        at += UUID_LENGTH;
        continue;
      }
      if (code === AT_SIGN) {
        start = this.#email(text, at, copied);
      } else if ((kind & WORD) !== 0) {
        this.#word(text, at, kind);
      } else if (code === 43 || code === 40) {
        this.#number(text, at);
      }
      if (this.#length > 0 && !isAt(text, start + this.#length, AT_SIGN) && this.#handler.wants(this.#kind)) {
        const end = start + this.#length;
        out += text.slice(copied, start) + this.#handler.replace(this.#kind, text.slice(start, end));
        copied = end;
        at = end;
      } else if ((kind & WORD) !== 0) {
        at = this.#pastRun(text, at);
      } else {
        at++;
      }
    }
    return copied === 0 ? text : out + text.slice(copied);
  }

  /** A run of digits, or of letters, is passed whole: what begins inside it is only looked for where it changes. */
  #pastRun(text: string, from: number): number {
    const digits = isDigitAt(text, from);
    let at = from + 1;
    while (isWordAt(text, at) && isDigitAt(text, at) === digits) at++;
    return at;
  }

  #found(kind: MatchKind, length: number): boolean {
    this.#kind = kind;
    this.#length = length;
    return true;
  }

  /** Finds the address around the `@` at `at`; returns where it begins. */
  #email(text: string, at: number, notBefore: number): number {
    let start = at;
    while (start > notBefore && at - start < EMAIL_LOCAL_MAX && (classAt(text, start - 1) & LOCAL) !== 0) start--;
    while (start < at && text[start] === "'") start++;
    let end = at + 1;
    let dot = -1;
    while (end < text.length && end - at <= EMAIL_DOMAIN_MAX) {
      const code = text.charCodeAt(end);
      if (code === 46 && isWordAt(text, end + 1) && end > at + 1) dot = end;
      else if (code !== 45 && !isWordAt(text, end)) break;
      end++;
    }
    // user:password@host is a credential as a whole.
    if (text[start - 1] === ':' && start > notBefore + 1) {
      let user = start - 1;
      while (user > notBefore && start - user < EMAIL_LOCAL_MAX && (classAt(text, user - 1) & LOCAL) !== 0) user--;
      if (text[user - 1] === '/') start = user;
    }
    if (start < at && dot > 0 && end - dot > 2) this.#found('email', end - start);
    return start;
  }

  /** Something that begins with a letter or digit. */
  #word(text: string, at: number, kind: number): boolean {
    const inWord = isWordAt(text, at - 1);
    if ((kind & DIGIT) !== 0) {
      if (inWord && isDigitAt(text, at - 1)) return false;
      return inWord ? this.#cardInWord(text, at) : this.#number(text, at) || this.#letters(text, at);
    }
    if (inWord) return false;
    if (at >= this.#tokenEnd && text.startsWith('eyJ', at) && this.#jwt(text, at)) return true;
    return this.#letters(text, at);
  }

  /** Digits enough for a card with letters before them. */
  #cardInWord(text: string, at: number): boolean {
    let end = at;
    while (end - at < 20 && isDigitAt(text, end)) end++;
    return end - at >= 15 && isCardNumber(text.slice(at, end)) && this.#found('card', end - at);
  }

  #jwt(text: string, at: number): boolean {
    let end = at;
    let dots = 0;
    while (end < text.length) {
      const code = text.charCodeAt(end);
      if (code === 46 && dots < 4) dots++;
      else if (code !== 45 && code !== 95 && (code >= 128 || (CLASS[code] & WORD) === 0)) break;
      end++;
    }
    this.#tokenEnd = end;
    return dots >= 1 && this.#found('jwt', end - at);
  }

  /** IBAN, national numbers with letters, IPv6. */
  #letters(text: string, at: number): boolean {
    let hexEnd = at;
    while (hexEnd - at < 4 && isHexAt(text, hexEnd)) hexEnd++;
    if (hexEnd > at && isAt(text, hexEnd, COLON) && this.#ipv6(text, at)) return true;
    if ((classAt(text, at) & DIGIT) === 0) {
      if (!mayBeIdentifier(text, at)) return false;
    } else if (!isDigitAt(text, at + 7) || !letterFollows(text, at)) {
      return false;
    }
    return this.#identifier(text, at);
  }

  #identifier(text: string, at: number): boolean {
    const end = Math.min(text.length, at + LOOK_MAX);
    let compact = '';
    let words = 0;
    let wordStart = at;
    for (let to = at; to < end; to++) {
      if (isWordAt(text, to)) {
        if (isWordAt(text, to + 1)) continue;
        // The end of a word: what is here so far may be whole.
        words++;
        compact += text.slice(wordStart, to + 1).toUpperCase();
        const kind = identifierKind(compact);
        if (kind !== null) return this.#found(kind, to + 1 - at);
      } else if ((text[to] !== ' ' && text[to] !== '-') || !isWordAt(text, to + 1) || words > 9) {
        break;
      } else {
        wordStart = to + 1;
      }
    }
    return false;
  }

  #ipv6(text: string, at: number): boolean {
    let end = at;
    while (end - at < LOOK_MAX && (isHexAt(text, end) || text[end] === ':' || (text[end] === '.' && isDigitAt(text, end + 1)))) end++;
    while (end > at && text[end - 1] === ':' && text[end - 2] !== ':') end--;
    return isIpv6(text.slice(at, end)) && !isWordAt(text, end) && this.#found('ipv6', end - at);
  }

  /** Digits with separators between them. */
  #number(text: string, at: number): boolean {
    const address = ipv4Length(text, at);
    if (address > 0) return !this.#isProduct(text, at) && !isHarmless(text, at) && this.#found('ipv4', address);
    // Several widths are tried, each group of digits being one more; the widest match counts.
    const end = Math.min(text.length, at + LOOK_MAX);
    let digits = '';
    let groupStart = -1;
    let length = 0;
    let kind: MatchKind = 'phone';
    let separators = 0;
    for (let to = at; to < end; to++) {
      if (isDigitAt(text, to)) {
        if (groupStart < 0) groupStart = to;
        separators = 0;
        if (isDigitAt(text, to + 1)) continue;
        digits += text.slice(groupStart, to + 1);
        groupStart = -1;
        if ((classAt(text, to + 1) & WORD) !== 0 && digits.length < 15) break;
        const found = digits.length < NUMBER_DIGITS_MIN ? null : numberKind(text.slice(at, to + 1), digits);
        if (found !== null && !(length > 0 && found === 'phone' && kind !== 'phone')) {
          kind = found;
          length = to + 1 - at;
        }
        if (digits.length > 19) break;
      } else if (to > at && ((classAt(text, to) & SEPARATOR) === 0 || ++separators > 2)) {
        break;
      }
    }
    if (length === 0) return false;
    if (kind === 'card') return this.#card(text, at, length);
    return this.#found(kind, length);
  }

  /** A card, with the rest of its magnetic stripe when that follows (ISO/IEC 7813). */
  #card(text: string, at: number, length: number): boolean {
    const sign = text[at + length];
    if ((sign === '=' && isDigitAt(text, at + length + 1)) || sign === '^') {
      const stop = Math.min(text.length, at + length + TRACK_MAX);
      let end = at + length;
      while (end < stop && text[end] !== '?' && text[end] !== '"') end++;
      return this.#found('track', end - at);
    }
    return this.#found('card', length);
  }

  #isProduct(text: string, at: number): boolean {
    return this.#skipProducts && (text[at - 1] === '/' || text[at - 1] === '"');
  }
}

const TIMESTAMP = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** A date or time of ISO 8601, with which every other document comes, and in which nothing is found. */
function isTimestamp(text: string): boolean {
  return text.length >= 10 && text.length <= 35 && text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45 && TIMESTAMP.test(text);
}

/** Whether letters at `at` begin as a NIE (Xdd), a NINO or IBAN (LLdd, LL dd), or a codice fiscale (LLLLLLdd). */
function mayBeIdentifier(text: string, at: number): boolean {
  if (isDigitAt(text, at + 1)) return isDigitAt(text, at + 2) && NIE_LETTERS.includes(text[at]);
  if (isDigitAt(text, at + 2)) return true;
  if (isAt(text, at + 2, SPACE)) return isDigitAt(text, at + 3);
  if (!isDigitAt(text, at + 6) && !isDigitAt(text, at + 7) && !isDigitAt(text, at + 9)) return false;
  for (let to = at + 1; to < at + 6; to++) if ((classAt(text, to) & (UPPER | LOWER)) === 0) return false;
  return true;
}

/** Whether eight digits at `at`, with what may stand between them, are followed by a letter, as those of a DNI are. */
function letterFollows(text: string, at: number): boolean {
  let digits = 0;
  for (let to = at; to < at + LOOK_MAX; to++) {
    const kind = classAt(text, to);
    if ((kind & DIGIT) !== 0) digits++;
    else if ((kind & WORD) !== 0) return digits === 8;
    else if (text[to] !== ' ' && text[to] !== '-') return false;
  }
  return false;
}

function identifierKind(compact: string): MatchKind | null {
  const { length } = compact;
  if (length === 9 && (isDniOrNie(compact) || isNino(compact))) return 'national';
  if (length === 16 && isCodiceFiscale(compact)) return 'national';
  return length >= 15 && length <= 34 && isIban(compact) ? 'iban' : null;
}

/** What a number written like `shape` is. */
function numberKind(shape: string, digits: string): MatchKind | null {
  const { length } = digits;
  if (length >= 13 && length <= 19 && isCardNumber(digits)) return 'card';
  if (length === 9 && shape.length === 11 && /^\d{3}([- ])\d\d\1\d{4}$/.test(shape) && isSsn(digits)) return 'national';
  if (length === 11 && (isSteuerId(digits) || isPesel(digits) || isCpf(digits))) return 'national';
  if (length === 15 && isNir(digits)) return 'national';
  if (shape.startsWith('+')) return length >= 7 && length <= 15 ? 'phone' : null;
  if (length === shape.length) return length >= 11 && /^00[1-9]\d{8,12}$/.test(digits) ? 'phone' : null;
  if (length === 10 && /^\(?\d{3}\)?[-. ]{1,2}\d{3}[-. ]\d{4}$/.test(shape)) return 'phone';
  // National form: the leading zero, the area, a separator, the rest.
  if (digits[0] !== '0' || /^\d\d([-/])\d\d\1\d{4}$/.test(shape)) return null;
  return /^\(?0\d{1,5}\)?[-/ ]{1,3}\d/.test(shape) && length >= 8 && length <= 14 && !/[.]/.test(shape) ? 'phone' : null;
}

/** Loopback and unspecified addresses name nobody. */
function isHarmless(text: string, at: number): boolean {
  return text.startsWith('127.', at) || text.startsWith('0.0.0.0', at);
}

function isHexAt(text: string, at: number): boolean {
  if (at >= text.length) return false;
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 102);
}

/** Not 0 when a UUID begins here, whose groups of digits are no numbers. */
function uuidLength(text: string, at: number): number {
  if (text[at + 8] !== '-' || text[at + 13] !== '-' || text[at + 18] !== '-' || text[at + 23] !== '-') return 0;
  for (let to = at; to < at + UUID_LENGTH; to++) if (text[to] !== '-' && !isHexAt(text, to)) return 0;
  return isWordAt(text, at + UUID_LENGTH) ? 0 : UUID_LENGTH;
}
