/**
 * Replaces a value by one of the same shape that depends on the value and the key alone: an e-mail address by an e-mail
 * address, a card number by a test card number. What shape a value has is decided here from the value, never from the
 * place it was found in, so that a value has one pseudonym in the path, a header, JSON or a form.
 *
 * No pseudonym reaches anybody: mail goes to example.test (RFC 6761), cards begin with the issuers' test ranges,
 * international telephone numbers with the unassigned code 999, addresses are 10.0.0.0/8 and 2001:db8::/32 (RFC 3849).
 */
import { ipv4Length, isDigitAt, isIpv6 } from './addresses.ts';
import { ibanCheckDigits, isCardNumber, isIban, luhnDigit } from './checksums.ts';
import { KeyedStream } from './keyed-stream.ts';
import { SHORT_TEXT_MAX, ShortTexts } from './short-texts.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DATE = /^(\d{4})([-/.])(\d\d)\2(\d\d)(?=$|[T ])|^(\d\d?)([-/.])(\d\d?)\6(\d{4})$/;
const SEPARATORS = /[ -]/g;
const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const HEX = '0123456789abcdef';
const SALTS_MAX = 8;
/** Pseudonyms are written here: a string made of bytes costs less than one to which each character is added. */
const scratch = Buffer.alloc(256);

/** Test ranges of the issuers, by the first digit of the card. */
const TEST_RANGES: Readonly<Record<string, string>> = {
  2: '222300',
  3: '378282',
  4: '411111',
  5: '555555',
  6: '601111',
};

export class Pseudonyms {
  readonly #stream: KeyedStream;
  readonly #short = new ShortTexts();
  readonly #makeShort = (value: string): string => this.#make(value);

  constructor(key: Buffer) {
    this.#stream = new KeyedStream(key);
  }

  /** The pseudonym of a whole value. */
  of(value: string): string {
    const { length } = value;
    if (length === 0) return value;
    return length > SHORT_TEXT_MAX ? this.#make(value) : this.#short.get(value, this.#makeShort);
  }

  #make(value: string): string {
    const { length } = value;
    let digits = 0;
    let letters = 0;
    let separators = 0;
    let at = -1;
    let wide = false;
    let colons = 0;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      const lower = code | 32;
      if (code >= 48 && code <= 57) digits++;
      else if (lower >= 97 && lower <= 122) letters++;
      else if (code === 32 || code === 45) separators++;
      else if (code === 58) colons++;
      else if (code === 64) at = index;
      else if (code > 127) wide = true;
    }
    if (at >= 0 && isEmail(value, at)) return this.email(value);
    if (length === 36 && separators === 4 && UUID.test(value)) return this.#uuid(value);
    if (value.charCodeAt(0) <= 57 && digits > 3) {
      if (letters === 0 && ipv4Length(value, 0) === length) return this.ipv4(value);
      if (digits + separators === length && digits >= 13 && isCardNumber(digitsOf(value))) return this.card(value);
      const date = length > 5 && digits < length ? DATE.exec(value) : null;
      if (date !== null) return this.#date(value, date);
    }
    if (letters >= 2 && digits >= 2 && length >= 15 && length <= 42 && beginsAsIban(value) && isIban(value.replace(SEPARATORS, '').toUpperCase())) {
      return this.iban(value);
    }
    if (colons > 1 && isIpv6(value)) return this.ipv6(value);
    if (letters > 0 || digits === 0) return this.#text(value, wide);
    return wide && /[^\d\p{P}\p{Z}\p{S}]/u.test(value) ? this.#text(value, true) : this.digits(value);
  }

  email(value: string): string {
    this.#stream.start(value.toLowerCase());
    return `u${this.#hex(16)}@example.test`;
  }

  /** Digits become digits, everything else stays; a leading zero stays one, `+` is followed by 999. */
  digits(value: string): string {
    const digits = digitsOf(value);
    const international = digits.length > 6 && value.trimStart().startsWith('+');
    for (let salt = 0; ; salt++) {
      this.#stream.start(salted(digits, salt));
      const made = this.#newDigits(value, international);
      if (made !== value || salt === SALTS_MAX) return made;
    }
  }

  #newDigits(value: string, international: boolean): string {
    let made = '';
    let index = 0;
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code < 48 || code > 57) made += value[at];
      else if (international && index < 3) made += '9';
      else if (index > 0) made += DIGITS[this.#stream.below(10)];
      else made += code === 48 ? '0' : DIGITS[1 + this.#stream.below(9)];
      if (code >= 48 && code <= 57) index++;
    }
    return made;
  }

  /** So many hexadecimal digits, two of each byte of the stream. */
  #hex(digits: number): string {
    for (let at = 0; at < digits; at += 2) {
      const byte = this.#stream.below(256);
      scratch[at] = HEX.charCodeAt(byte >> 4);
      scratch[at + 1] = HEX.charCodeAt(byte & 15);
    }
    return scratch.toString('latin1', 0, digits);
  }

  card(value: string): string {
    const digits = digitsOf(value);
    const range = TEST_RANGES[digits[0]] ?? digits[0];
    let made = range;
    this.#stream.start(digits);
    while (made.length < digits.length - 1) made += DIGITS[this.#stream.below(10)];
    made += String(luhnDigit(made));
    // The one number in its range that came out as itself.
    if (made === digits) made = flipped(made);
    return refill(value, made);
  }

  iban(value: string): string {
    const plain = value.replace(SEPARATORS, '').toUpperCase();
    const country = plain.slice(0, 2);
    this.#stream.start(plain);
    let rest = '';
    for (let at = 4; at < plain.length; at++) {
      rest += isDigitAt(plain, at)
        ? DIGITS[this.#stream.below(10)]
        : UPPER[this.#stream.below(26)];
    }
    return refill(value, country + ibanCheckDigits(country, rest) + rest);
  }

  ipv4(value: string): string {
    this.#stream.start(value);
    return `10.${this.#stream.below(256)}.${this.#stream.below(256)}.${this.#stream.below(256)}`;
  }

  ipv6(value: string): string {
    this.#stream.start(value.toLowerCase());
    return `2001:db8::${this.#hex(4)}:${this.#hex(4)}:${this.#hex(4)}:${this.#hex(4)}`;
  }

  #uuid(value: string): string {
    this.#stream.start(value.toLowerCase());
    let made = '';
    for (let at = 0; at < 36; at++) {
      if (value[at] === '-') made += '-';
      else if (at === 14) made += '4';
      else if (at === 19) made += HEX[8 + this.#stream.below(4)];
      else made += HEX[this.#stream.below(16)];
    }
    return made;
  }

  /** A date of birth becomes another day of an adult, which is a day whatever the order of its parts. */
  #date(value: string, parts: RegExpExecArray): string {
    const [whole, year, dash, , , first, separator, second] = parts;
    const yearFirst = year !== undefined;
    for (let salt = 0; ; salt++) {
      this.#stream.start(salt === 0 ? whole : `${whole} ${salt}`);
      const newYear = String(1940 + this.#stream.below(60));
      const month = 1 + this.#stream.below(12);
      const day = 1 + this.#stream.below(12);
      const made = yearFirst
        ? `${newYear}${dash}${twoDigits(month)}${dash}${twoDigits(day)}`
        : `${padLike(month, first)}${separator}${padLike(day, second)}${separator}${newYear}`;
      if (made !== whole || salt === SALTS_MAX) return made + value.slice(whole.length);
    }
  }

  /** Letters become letters of the same case, digits digits; what is neither stays. */
  #text(value: string, wide: boolean): string {
    for (let salt = 0; ; salt++) {
      this.#stream.start(salted(value, salt));
      const made = wide ? this.#newWide(value) : this.#newAscii(value);
      if (made !== value || salt === SALTS_MAX) return made;
    }
  }

  #newAscii(value: string): string {
    const { length } = value;
    const out = length <= scratch.length ? scratch : Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) {
      const code = value.charCodeAt(at);
      if (code >= 97 && code <= 122) out[at] = 97 + this.#stream.below(26);
      else if (code >= 48 && code <= 57) out[at] = 48 + this.#stream.below(10);
      else if (code >= 65 && code <= 90) out[at] = 65 + this.#stream.below(26);
      else out[at] = code;
    }
    return out.toString('latin1', 0, length);
  }

  #newWide(value: string): string {
    let made = '';
    for (const char of value) {
      if (char < '\u0080') made += this.#newAscii(char);
      else if (!/[\p{L}\p{N}\p{M}]/u.test(char)) made += char;
      else made += char === char.toLowerCase() ? LOWER[this.#stream.below(26)] : UPPER[this.#stream.below(26)];
    }
    return made;
  }
}

/** The text that gives the stream; another one each time that a pseudonym came out as the value itself. */
function salted(text: string, salt: number): string {
  return salt === 0 ? text : `${text} ${salt}`;
}

function digitsOf(value: string): string {
  let digits = '';
  for (let at = 0; at < value.length; at++) if (isDigitAt(value, at)) digits += value[at];
  return digits.length === value.length ? value : digits;
}

/** Two letters and two digits, with separators or without. */
function beginsAsIban(value: string): boolean {
  let index = 0;
  for (let at = 0; at < value.length && index < 4; at++) {
    const code = value.charCodeAt(at);
    if (code === 32 || code === 45) continue;
    if (isDigitAt(value, at) !== index > 1) return false;
    index++;
  }
  return true;
}

/** `at` is the last at sign. */
function isEmail(value: string, at: number): boolean {
  return at > 0 && at < value.length - 1 && value.indexOf('@') === at && !/[\s<>,;:"()[\]]/.test(value);
}

/** Puts the letters and digits of `made` where those of `value` stand. */
function refill(value: string, made: string): string {
  if (made.length === value.length) return made;
  let out = '';
  let index = 0;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    const lower = code | 32;
    out += (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122) ? made[index++] : value[at];
  }
  return out;
}

/** Another number of the same range that fulfils Luhn's rule. */
function flipped(digits: string): string {
  const at = digits.length - 2;
  const body = digits.slice(0, at) + String((Number(digits[at]) + 1) % 10);
  return body + String(luhnDigit(body));
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

function padLike(number: number, model: string | undefined): string {
  return model?.length === 2 ? twoDigits(number) : String(number);
}
