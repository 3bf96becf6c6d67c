/** Reads the values of JSON that hold no others: strings, numbers, words (RFC 8259 sections 3, 6 and 7). */
import { ExactNumber, numberOf } from './json-number.ts';
import type { JsonFlaw } from './json-values.ts';

/** The text is not JSON from where the scanner stands. */
export class Malformed extends Error {}

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
export const MINUS = 0x2d;
export const ZERO = 0x30;
export const NINE = 0x39;
/** Whole numbers of so many digits are doubles. */
const QUICK_DIGITS = 15;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NAN = new ExactNumber('NaN');
const INFINITE = new ExactNumber('Infinity');
const MINUS_INFINITE = new ExactNumber('-Infinity');

export class JsonScanner {
  readonly flaws = new Set<JsonFlaw>();
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  string(): string {
    const text = this.text;
    const start = ++this.at;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) break;
      // Also behind the end, where there is no code.
      if (!(code >= 0x20)) {
        this.at = at;
        this.fail();
      }
      at++;
    }
    return this.#escapedString(start, at);
  }

  /** The string from `start`, whose first backslash is at `at`. */
  #escapedString(start: number, at: number): string {
    const text = this.text;
    let pieces = '';
    let pieceStart = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) {
        this.at = at;
        this.fail();
      }
      if (code !== BACKSLASH) {
        at++;
        continue;
      }
      pieces += text.slice(pieceStart, at);
      const escape = text[at + 1];
      if (escape === 'u') {
        const hex = text.slice(at + 2, at + 6);
        this.at = at;
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail();
        pieces += String.fromCharCode(Number.parseInt(hex, 16));
        at += 6;
      } else {
        const plain = escape === undefined ? undefined : escapes[escape];
        this.at = at;
        if (plain === undefined) this.fail();
        pieces += plain;
        at += 2;
      }
      pieceStart = at;
    }
    const value = pieces + text.slice(pieceStart, at);
    this.at = at + 1;
    if (!value.isWellFormed()) this.flaws.add('lone_surrogate');
    return value;
  }

  number(first: number): number | ExactNumber {
    const text = this.text;
    const start = this.at;
    const negative = first === MINUS;
    let at = negative ? start + 1 : start;
    const digitsStart = at;
    let value = 0;
    let code = text.charCodeAt(at);
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      code = text.charCodeAt(++at);
    }
    const digits = at - digitsStart;
    this.at = at;
    if (digits === 0) return this.#minusInfinity(negative);
    if (digits > 1 && text.charCodeAt(digitsStart) === ZERO) this.fail();
    // '.', 'e', 'E'
    if (code !== 0x2e && code !== 0x65 && code !== 0x45) {
      if (digits > QUICK_DIGITS) return numberOf(text.slice(start, at));
      return negative && value !== 0 ? -value : value;
    }
    const exponent = this.#fractionAndExponent(code);
    const written = text.slice(start, this.at);
    if (exponent || written.length > QUICK_DIGITS) return numberOf(written);
    // Adding nothing makes 0 of -0.
    return Number(written) + 0;
  }

  /** Passes what stands behind the whole part; true when there is an exponent. */
  #fractionAndExponent(code: number): boolean {
    if (code === 0x2e) code = this.#digitsFrom(this.at + 1);
    if (code !== 0x65 && code !== 0x45) return false;
    const sign = this.text.charCodeAt(this.at + 1);
    this.#digitsFrom(this.at + (sign === 0x2b || sign === MINUS ? 2 : 1));
    return true;
  }

  /** Passes at least one digit; the code of what follows. */
  #digitsFrom(start: number): number {
    let at = start;
    let code = this.text.charCodeAt(at);
    while (code >= ZERO && code <= NINE) code = this.text.charCodeAt(++at);
    this.at = at;
    if (at === start) this.fail();
    return code;
  }

  #minusInfinity(negative: boolean): ExactNumber {
    if (!negative || !this.text.startsWith('Infinity', this.at)) this.fail();
    this.at += 'Infinity'.length;
    this.flaws.add('not_a_number');
    return MINUS_INFINITE;
  }

  word(first: number): boolean | null | ExactNumber {
    switch (first) {
      case 0x74:
        return this.#literal('true', true);
      case 0x66:
        return this.#literal('false', false);
      case 0x6e:
        return this.#literal('null', null);
      case 0x4e:
        this.#literal('NaN', NAN);
        this.flaws.add('not_a_number');
        return NAN;
      case 0x49:
        this.#literal('Infinity', INFINITE);
        this.flaws.add('not_a_number');
        return INFINITE;
      default:
        return this.fail();
    }
  }

  #literal<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return value;
  }

  /** Passes whitespace; the code of what follows, NaN at the end. */
  skipSpace(): number {
    const text = this.text;
    let code = text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.at);
    return code;
  }

  fail(): never {
    throw new Malformed();
  }
}
