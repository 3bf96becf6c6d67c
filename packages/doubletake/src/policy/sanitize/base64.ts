/** Text in base64 (RFC 4648), with the alphabet of section 4 or 5, with padding or without. */
import { isUtf8 } from 'node:buffer';

/** Shorter base64 is not looked into. */
export const BASE64_MIN = 12;

/** The text that base64 says from `start` to the end; null when it is none, or what it says is no text. */
export function textInBase64(text: string, start: number): string | null {
  if (!isBase64(text, start) || !beginsAsText(text, start)) return null;
  const bytes = Buffer.from(text.slice(start), 'base64');
  return bytes.length < 4 || hasControls(bytes) || !isUtf8(bytes) ? null : bytes.toString('utf8');
}

/** Text in the base64 that `model` is in: its alphabet, and its padding or none. */
export function base64Like(model: string, text: string): string {
  const url = /[-_]/.test(model);
  const out = Buffer.from(text).toString(url ? 'base64url' : 'base64');
  if (!model.endsWith('=') && model.length % 4 !== 0) return out.replace(/=+$/, '');
  return url && model.endsWith('=') ? out.padEnd(Math.ceil(out.length / 4) * 4, '=') : out;
}

function isBase64(text: string, start: number): boolean {
  let end = text.length;
  while (end > start && text.charCodeAt(end - 1) === 0x3d && text.length - end < 2) end--;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    const lower = code | 32;
    if (!((lower >= 97 && lower <= 122) || (code >= 47 && code <= 57) || code === 43 || code === 45 || code === 95)) {
      return false;
    }
  }
  return end - start >= BASE64_MIN && (end - start) % 4 !== 1;
}

/** How many base64 characters tell text from random bytes, almost always. */
const BASE64_LOOK = 24;

/** Whether what base64 says begins as UTF-8 without control characters, which the first bytes of an identifier rarely do. */
function beginsAsText(text: string, start: number): boolean {
  const end = Math.min(text.length, start + BASE64_LOOK);
  let bits = 0;
  let count = 0;
  let following = 0;
  for (let at = start; at < end && text.charCodeAt(at) !== 0x3d; at++) {
    bits = ((bits << 6) | base64Value(text.charCodeAt(at))) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const byte = (bits >>> count) & 0xff;
    if (following > 0) {
      if (byte >>> 6 !== 0b10) return false;
      following--;
    } else if (byte >= 0x80) {
      // RFC 3629 section 4; what else is not allowed is seen when the whole is decoded.
      if (byte < 0xc2 || byte > 0xf4) return false;
      following = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    } else if (isControl(byte)) {
      return false;
    }
  }
  return true;
}

function base64Value(code: number): number {
  if (code >= 97) return code - 71;
  if (code === 95) return 63;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 47 ? 63 : 62;
}

/** Whether there are control characters other than white space: bytes that no text has. */
export function hasControls(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) if (isControl(bytes[at])) return true;
  return false;
}

function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d;
}
