/** An answer's body as it is to be compared: without its codings, and as text where it is text. */
import { isAscii, isUtf8 } from 'node:buffer';
import { codingsOf, tryToOpenBody } from '../../policy/sanitize/content-coding.ts';
import type { Answer } from '../pair.ts';
import { type ContentKind, kindOf, parseMediaType } from './media-type.ts';

export interface Content {
  bytes: Buffer;
  kind: ContentKind;
  /** As the media type says it, lower case; null when it does not. */
  charset: string | null;
}

/** Why a body cannot be looked into. */
export type Unopened = 'too_large' | 'unknown_coding' | 'undecodable';

/** The values of a field of an answer, in order. `name` is in lower case. */
export function fieldValues(answer: Answer, name: string): string[] {
  return answer.headers
    .filter(([known]) => known.length === name.length && known.toLowerCase() === name)
    .map(([, value]) => value);
}

/** The body without its content codings, at most `bytesMax` long. */
export function openContent(answer: Answer, bytes: Buffer, bytesMax: number): Content | Unopened {
  const codings = codingsOf(fieldValues(answer, 'content-encoding'));
  if (codings === null) return 'unknown_coding';
  const open = codings.length === 0 ? bytes : tryToOpenBody(bytes, codings, bytesMax);
  if (typeof open === 'string') return open;
  if (open.length > bytesMax) return 'too_large';
  const { type, parameters } = parseMediaType(fieldValues(answer, 'content-type')[0] ?? '');
  const kind = kindOf(type);
  const charset = parameters.get('charset')?.toLowerCase() ?? null;
  return { bytes: open, kind: kind === 'unknown' ? sniffedKind(open) : kind, charset };
}

/** How much of a body without a type is looked at. */
const SNIFFED_BYTES = 512;

/** The kind of a body by how it begins. */
export function sniffedKind(bytes: Buffer): ContentKind {
  const head = bytes.subarray(0, SNIFFED_BYTES).toString('latin1').replace(/^(?:\u00ef\u00bb\u00bf)?\s*/, '');
  if (/^[[{]/.test(head)) return 'json';
  if (/^<!doctype html|^<html\b/i.test(head)) return 'html';
  if (/^<[?!A-Za-z]/.test(head)) return 'xml';
  if (/^(?:\u00ff\u00fe|\u00fe\u00ff)/.test(head)) return 'text';
  return isText(bytes) ? 'text' : 'binary';
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.subarray(0, SNIFFED_BYTES).includes(0);
}

export interface DecodedText {
  text: string;
  /** False when bytes do not stand for characters; they are replaced. */
  valid: boolean;
}

/** Null when the character set is not known. */
export function decodeText({ bytes, charset }: Content): DecodedText | null {
  const marked = markedCharset(bytes);
  const name = marked ?? charset ?? 'utf-8';
  if (/^utf-?8$|^(?:us-)?ascii$/.test(name)) return decodeUtf8(bytes);
  const text = decodeAs(name, bytes);
  return text === null ? null : { text, valid: !text.includes('\ufffd') };
}

function decodeUtf8(bytes: Buffer): DecodedText {
  if (isAscii(bytes)) return { text: bytes.toString('latin1'), valid: true };
  const text = bytes.toString('utf8', hasUtf8Mark(bytes) ? 3 : 0);
  return { text, valid: isUtf8(bytes) };
}

function hasUtf8Mark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** What a byte order mark says goes before what the media type says. */
function markedCharset(bytes: Buffer): string | null {
  if (hasUtf8Mark(bytes)) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
}

function decodeAs(charset: string, bytes: Buffer): string | null {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    // A RangeError: there is no such character set.
    return null;
  }
}
