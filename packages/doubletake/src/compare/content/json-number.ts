/**
 * Numbers as JSON writes them, kept exact. JSON has one type of number (RFC 8259 section 6), so that 1, 1.0 and 10e-1 are
 * the same value. Up to 15 significant digits two different decimals are two different doubles: those are numbers of the
 * language. Longer ones, and those beyond its range, are kept as normalised text.
 */

const DIGITS_EXACT = 15;
/** Of normal doubles, with room for the digits. */
const EXPONENT_EXACT = 290;

/** Zeros that are written out. */
const ZEROS_MAX = 40;

/** A number that no double stands for: its text is normalised, so that equal values have equal texts. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Longer exponents are not counted with: they stay as they are written. */
const EXPONENT_LENGTH_MAX = 1_000;

/** The value of a number's text, which is valid JSON. */
export function numberOf(text: string): number | ExactNumber {
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = NUMBER.exec(text) ?? [];
  const digits = stripZeros(whole + fraction);
  if (digits.text === '') return 0;
  const shift = digits.trailing - fraction.length;
  const exponent = Number(exponentText) + shift;
  if (!Number.isSafeInteger(exponent)) {
    const isCounted = exponentText.length <= EXPONENT_LENGTH_MAX;
    return new ExactNumber(`${sign}${digits.text}e${isCounted ? BigInt(exponentText) + BigInt(shift) : exponentText}`);
  }
  if (digits.text.length <= DIGITS_EXACT && Math.abs(exponent) <= EXPONENT_EXACT) {
    return Number(`${sign}${digits.text}e${exponent}`);
  }
  return new ExactNumber(sign + written(digits.text, exponent));
}

/** Digits that are moved by the exponent; written with one where there would be many zeros. */
function written(digits: string, exponent: number): string {
  if (Math.abs(exponent) > ZEROS_MAX) return `${digits}e${exponent}`;
  if (exponent >= 0) return digits + '0'.repeat(exponent);
  const padded = digits.padStart(1 - exponent, '0');
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** The double nearest to it, for tolerances. */
export function approximation(value: number | ExactNumber): number {
  return typeof value === 'number' ? value : Number(value.text);
}

/** Linear, where the regular expressions that say the same would not be. */
function stripZeros(digits: string): { text: string; trailing: number } {
  let start = 0;
  while (start < digits.length && digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  return { text: digits.slice(start, end), trailing: digits.length - end };
}
