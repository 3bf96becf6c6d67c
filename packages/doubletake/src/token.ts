/** Tokens of HTTP: methods, and the names of header fields and cookies (RFC 9110 section 5.6.2). */
export const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** 1 for each byte that may stand in a token. */
const tokenBytes = Uint8Array.from({ length: 256 }, (_, byte) => (token.test(String.fromCharCode(byte)) ? 1 : 0));

export function isTokenByte(byte: number): boolean {
  return tokenBytes[byte] === 1;
}
