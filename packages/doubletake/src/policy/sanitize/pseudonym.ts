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

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DATE = /^(\d{4})([-/.])(\d\d)\2(\d\d)(?=$|[T ])|^(\d\d?)([-/.])(\d\d?)\6(\d{4})$/;
const SEPARATORS = /[ -]/g;
const NOT_DIGITS = /\D+/g;
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const HEX = '0123456789abcdef';
const SALTS_MAX = 8;

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

  constructor(key: Buffer) {
    this.#stream = new KeyedStream(key);
  }

  /** The pseudonym of a whole value. */
  of(value: string): string {
    if (value.length === 0) return value;
    const first = value.charCodeAt(0);
    if (value.includes('@') && isEmail(value)) return this.email(value);
    if (value.length === 36 && UUID.test(value)) return this.#uuid(value);
    if (first <= 57) {
      if (ipv4Length(value, 0) === value.length) return this.ipv4(value);
      const compact = value.replace(SEPARATORS, '');
      if (/^\d+$/.test(compact) && isCardNumber(compact)) return this.card(value);
      if (DATE.test(value)) return this.#date(value);
    }
    if (value.length >= 15 && value.length <= 42 && isIban(value.replace(SEPARATORS, '').toUpperCase())) {
      return this.iban(value);
    }
    if (value.includes(':') && isIpv6(value)) return this.ipv6(value);
    return /\d/.test(value) && !/[^\d\p{P}\p{Z}\p{S}]/u.test(value) ? this.digits(value) : this.#text(value);
  }

  email(value: string): string {
    const digest = this.#stream.digest(value.toLowerCase());
    return `u${digest.toString('hex', 0, 8)}@example.test`;
  }

  /** Digits become digits, everything else stays; a leading zero stays one, `+` is followed by 999. */
  digits(value: string): string {
    const digits = value.replace(NOT_DIGITS, '');
    const international = value.trimStart().startsWith('+') && digits.length > 6;
    return this.#differing(value, digits, (at, char) => {
      if (international && at < 3) return '9';
      if (at === 0) return char === '0' ? '0' : String(1 + this.#stream.below(9));
      return String(this.#stream.below(10));
    });
  }

  card(value: string): string {
    const digits = value.replace(NOT_DIGITS, '');
    const range = TEST_RANGES[digits[0]] ?? digits[0];
    let made = range;
    this.#stream.start(digits);
    while (made.length < digits.length - 1) made += String(this.#stream.below(10));
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
        ? String(this.#stream.below(10))
        : LOWER[this.#stream.below(26)].toUpperCase();
    }
    return refill(value, country + ibanCheckDigits(country, rest) + rest);
  }

  ipv4(value: string): string {
    const digest = this.#stream.digest(value);
    return `10.${digest[0]}.${digest[1]}.${digest[2]}`;
  }

  ipv6(value: string): string {
    const hex = this.#stream.digest(value.toLowerCase()).toString('hex', 0, 8);
    return `2001:db8::${hex.slice(0, 4)}:${hex.slice(4, 8)}:${hex.slice(8, 12)}:${hex.slice(12, 16)}`;
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
  #date(value: string): string {
    const parts = DATE.exec(value);
    if (parts === null) return this.#text(value);
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
  #text(value: string): string {
    return this.#differing(value, value, (_, char) => {
      if (char >= '0' && char <= '9') return String(this.#stream.below(10));
      if (char >= 'a' && char <= 'z') return LOWER[this.#stream.below(26)];
      if (char >= 'A' && char <= 'Z') return LOWER[this.#stream.below(26)].toUpperCase();
      if (char < '\u0080' || !/[\p{L}\p{N}\p{M}]/u.test(char)) return char;
      return char === char.toLowerCase() ? LOWER[this.#stream.below(26)] : LOWER[this.#stream.below(26)].toUpperCase();
    });
  }

  /** Replaces each character of `value` that also stands in `replaced`, and never comes out with `value` itself. */
  #differing(value: string, canonical: string, replacement: (at: number, char: string) => string): string {
    const onlyDigits = canonical.length !== value.length || canonical === '';
    let made = value;
    for (let salt = 0; salt <= SALTS_MAX && made === value; salt++) {
      this.#stream.start(salt === 0 ? canonical : `${canonical} ${salt}`);
      made = '';
      let at = 0;
      for (const char of value) {
        if (onlyDigits && (char < '0' || char > '9')) made += char;
        else made += replacement(at++, char);
      }
    }
    return made;
  }
}

function isEmail(value: string): boolean {
  const at = value.lastIndexOf('@');
  return at > 0 && at < value.length - 1 && value.indexOf('@') === at && !/[\s<>,;:"()[\]]/.test(value);
}

/** Puts the letters and digits of `made` where those of `value` stand. */
function refill(value: string, made: string): string {
  let out = '';
  let at = 0;
  for (const char of value) out += /[A-Za-z0-9]/.test(char) ? made[at++] : char;
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
