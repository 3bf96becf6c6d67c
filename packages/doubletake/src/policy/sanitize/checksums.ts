/**
 * Check digits of numbers that name people or accounts. Each function takes the digits or letters alone, without
 * separators, and says whether they add up; where a scheme has more rules (number ranges), they are checked too, since
 * each one halves the numbers that are taken for what they are not.
 */

const CODE_0 = 48;

/** Payment cards (ISO/IEC 7812): Luhn, and a length that issuers with this first digit use. */
export function isCardNumber(digits: string): boolean {
  const { length } = digits;
  const first = digits.charCodeAt(0) - CODE_0;
  let known: boolean;
  if (length === 16) known = first >= 2;
  else if (length === 15) known = first >= 1 && first <= 3;
  else if (length === 14) known = first === 3;
  else if (length === 13) known = first === 4;
  else known = length >= 17 && length <= 19 && first >= 4 && first <= 6;
  return known && luhnRemainder(digits, false) === 0;
}

/** The digit that makes `digits` followed by it fulfil Luhn's rule. */
export function luhnDigit(digits: string): number {
  return (10 - luhnRemainder(digits, true)) % 10;
}

/** `doubled` says whether the last digit counts double. */
function luhnRemainder(digits: string, doubled: boolean): number {
  let sum = 0;
  for (let index = digits.length - 1, double = doubled; index >= 0; index--, double = !double) {
    let digit = digits.charCodeAt(index) - CODE_0;
    if (double) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10;
}

/** IBAN (ISO 13616), upper case: country, check digits, 11 to 30 letters or digits. */
export function isIban(text: string): boolean {
  return /^[A-Z]{2}\d\d[A-Z0-9]{11,30}$/.test(text) && ibanRemainder(text.slice(4) + text.slice(0, 4)) === 1;
}

/** The two check digits of an IBAN of this country with this rest. */
export function ibanCheckDigits(country: string, rest: string): string {
  return String(98 - ibanRemainder(`${rest}${country}00`)).padStart(2, '0');
}

function ibanRemainder(text: string): number {
  let remainder = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    remainder = code < 58 ? (remainder * 10 + code - CODE_0) % 97 : (remainder * 100 + code - 55) % 97;
  }
  return remainder;
}

/** German tax identification number: 11 digits, ISO 7064 MOD 11,10, one digit of the first ten two or three times. */
export function isSteuerId(digits: string): boolean {
  if (digits.length !== 11 || digits[0] === '0') return false;
  const counts = new Uint8Array(10);
  let product = 10;
  for (let index = 0; index < 10; index++) {
    const digit = digits.charCodeAt(index) - CODE_0;
    counts[digit]++;
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  const repeated = counts.filter((count) => count > 1);
  if (repeated.length !== 1 || repeated[0] > 3) return false;
  return (11 - product) % 10 === digits.charCodeAt(10) - CODE_0;
}

/** Brazilian CPF: 11 digits of which two check the others. */
export function isCpf(digits: string): boolean {
  if (digits.length !== 11 || /^(\d)\1+$/.test(digits)) return false;
  return cpfDigit(digits, 9) === digits.charCodeAt(9) - CODE_0 && cpfDigit(digits, 10) === digits.charCodeAt(10) - CODE_0;
}

function cpfDigit(digits: string, length: number): number {
  let sum = 0;
  for (let index = 0; index < length; index++) sum += (digits.charCodeAt(index) - CODE_0) * (length + 1 - index);
  return ((sum * 10) % 11) % 10;
}

const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];

/** Polish PESEL: 11 digits that begin with a date of birth. */
export function isPesel(digits: string): boolean {
  if (digits.length !== 11) return false;
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  let sum = 0;
  for (let index = 0; index < 10; index++) sum += (digits.charCodeAt(index) - CODE_0) * PESEL_WEIGHTS[index];
  return (10 - (sum % 10)) % 10 === digits.charCodeAt(10) - CODE_0;
}

/** French NIR: 13 digits and the two of their key, modulo 97 (Corsican departments with a letter are not covered). */
export function isNir(digits: string): boolean {
  if (digits.length !== 15 || (digits[0] !== '1' && digits[0] !== '2')) return false;
  const month = Number(digits.slice(3, 5));
  if (month < 1 || (month > 12 && month < 20)) return false;
  return 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13));
}

/** United States social security number: ranges that are issued; there is no check digit. */
export function isSsn(digits: string): boolean {
  if (digits.length !== 9) return false;
  const area = digits.slice(0, 3);
  return area !== '000' && area !== '666' && area < '900' && digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000';
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** Spanish DNI (8 digits, letter) or NIE (X, Y or Z, 7 digits, letter), upper case. */
export function isDniOrNie(text: string): boolean {
  if (!/^[XYZ\d]\d{7}[A-Z]$/.test(text)) return false;
  const first = 'XYZ'.indexOf(text[0]);
  const number = first >= 0 ? `${first}${text.slice(1, 8)}` : text.slice(0, 8);
  return DNI_LETTERS[Number(number) % 23] === text[8];
}

/** British national insurance number, upper case: there is no check digit, but prefixes that are never issued. */
export function isNino(text: string): boolean {
  return /^[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]\d{6}[A-D]$/.test(text) && !/^(BG|GB|KN|NK|NT|TN|ZZ)/.test(text);
}

const CF_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italian codice fiscale of a person, upper case, with the letters that stand for digits where two would collide. */
export function isCodiceFiscale(text: string): boolean {
  if (!/^[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPR-T][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let index = 0; index < 15; index++) {
    const code = text.charCodeAt(index);
    const value = code < 58 ? code - CODE_0 : code - 65;
    sum += index % 2 === 0 ? CF_ODD[value] : value;
  }
  return sum % 26 === text.charCodeAt(15) - 65;
}
