/**
 * What a text is made of, found in one pass: which characters that matter stand in it, and how many digits. Most values
 * of most requests are words; that nothing can be in them is seen from their profile, before anything is searched for or
 * decoded.
 */
import { BASE64_MIN } from './base64.ts';

export const Has = {
  percent: 1,
  equals: 1 << 1,
  ampersand: 1 << 2,
  colon: 1 << 3,
  question: 1 << 4,
  at: 1 << 5,
  /** With which JSON opens. */
  bracket: 1 << 6,
  /** The last letter of `eyJ`, with which tokens begin. */
  capitalJ: 1 << 7,
  /** What is neither in the alphabets of base64 (RFC 4648 sections 4 and 5) nor its padding. */
  notBase64: 1 << 8,
  digit: 1 << 9,
  dot: 1 << 10,
} as const;

/** The digits are counted above the bits. */
const DIGITS_SHIFT = 11;
/** More are not counted, so that a profile stays a small integer. */
const DIGITS_MAX = 1 << 19;
/** Nothing that is looked for has fewer digits, unless it has a clue of another kind. */
const DIGITS_MIN = 4;
/** So few have only IPv4 addresses, with dots, and codici fiscali, which are longer than this; all else has more. */
const SHORT_LENGTH_MAX = 15;
const SHORT_DIGITS_MIN = 6;

const CLUES = Has.at | Has.colon | Has.capitalJ;
const OPENINGS = CLUES | Has.percent | Has.equals | Has.ampersand | Has.question | Has.bracket;

/** What a latin1 character is, as bits of `Has`. */
export const KINDS = new Uint16Array(256).fill(Has.notBase64);
for (let code = 48; code < 58; code++) KINDS[code] = Has.digit;
for (let code = 65; code < 91; code++) KINDS[code] = KINDS[code + 32] = 0;
for (const char of '/+-_') KINDS[char.charCodeAt(0)] = 0;
KINDS[0x25] |= Has.percent;
KINDS[0x26] |= Has.ampersand;
KINDS[0x3a] |= Has.colon;
KINDS[0x3f] |= Has.question;
KINDS[0x40] |= Has.at;
KINDS[0x5b] |= Has.bracket;
KINDS[0x7b] |= Has.bracket;
KINDS[0x3d] = Has.equals;
KINDS[0x4a] = Has.capitalJ;
KINDS[0x2e] |= Has.dot;

export function profileOf(text: string): number {
  let kinds = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) digits++;
    else kinds |= code < 256 ? KINDS[code] : Has.notBase64;
  }
  return profileFrom(kinds, digits);
}

/** A profile from the kinds of a text's characters and the number of its digits. */
export function profileFrom(kinds: number, digits: number): number {
  return kinds | (Math.min(digits, DIGITS_MAX) << DIGITS_SHIFT);
}

/** Whether there can be a match of `TextScanner` in a text of this length with this profile. */
export function mayMatch(profile: number, length: number): boolean {
  if ((profile & CLUES) !== 0) return true;
  const short = length <= SHORT_LENGTH_MAX && (profile & Has.dot) === 0;
  return profile >>> DIGITS_SHIFT >= (short ? SHORT_DIGITS_MIN : DIGITS_MIN);
}

/** Whether neither a match nor an encoding can be in a text of this length with this profile. */
export function holdsNothing(profile: number, length: number): boolean {
  return (
    (profile & OPENINGS) === 0 && !mayMatch(profile, length) && (length < BASE64_MIN || (profile & Has.notBase64) !== 0)
  );
}
