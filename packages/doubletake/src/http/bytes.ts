/**
 * Byte classes and comparisons that the HTTP reader shares. Everything works on ranges `[start, end)` of a buffer, so
 * that nothing is copied or turned into a string to be looked at.
 */

export const Ascii = { tab: 9, lf: 10, cr: 13, space: 32, comma: 44, colon: 58, semicolon: 59, delete: 127 } as const;

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Space or tab: optional whitespace (RFC 9110 section 5.6.3). */
export function isBlank(byte: number): boolean {
  return byte === Ascii.space || byte === Ascii.tab;
}

/** `A`-`Z` as `a`-`z`, every other byte as it is. */
export function toLower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

/** Whether the bytes from `start` on spell `lower` (lower case) in any case; the caller made sure they are there. */
export function matchesIgnoringCase(bytes: Uint8Array, start: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    if (toLower(bytes[start + index]) !== lower.charCodeAt(index)) return false;
  }
  return true;
}

/** Offset of the first byte in `[start, end)` that is neither space nor tab, else `end`. */
export function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

/** Offset behind the last byte in `[start, end)` that is neither space nor tab, else `start`. */
export function trimBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1])) at--;
  return at;
}
