/**
 * Percent-encoded text: query strings, forms, paths, whole URLs. Parts are decoded to be looked at; only parts that
 * change are encoded again, everything else keeps its bytes. Strings are latin1, a character for a byte.
 */
import { BASE64_MIN } from './base64.ts';
import { bytesOf, textOf } from './json.ts';
import { Has, KINDS } from './text-profile.ts';

/** Decides about one name and value, both decoded; null takes the pair out, a string is the new value. */
export type PairHandler = (name: string, value: string) => string | null;
/** Decides about text that has no name. */
export type TextHandler = (text: string) => string;

const ESCAPE = /%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi;

/** What an encoded part says; escapes that are none stay. `plus`: a plus sign is a space. */
export function decodePart(part: string, plus: boolean): string {
  const spaced = plus && part.includes('+') ? part.replaceAll('+', ' ') : part;
  if (!spaced.includes('%')) return textOf(spaced);
  return textOf(
    spaced.replace(ESCAPE, (_, wide: string | undefined, byte: string) =>
      wide === undefined ? String.fromCharCode(Number.parseInt(byte, 16)) : bytesOf(wideChar(wide)),
    ),
  );
}

function wideChar(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16)).toWellFormed();
}

/** Characters that may stand in a value as they are, beyond those that `encodeURIComponent` leaves. */
const PLAIN = /%(?:40|3A|2F|2C)/g;

export function encodePart(text: string, plus: boolean): string {
  const encoded = encodeURIComponent(text.toWellFormed()).replace(PLAIN, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  );
  return plus ? encoded.replaceAll('%20', '+') : encoded;
}

/** Decides about pairs. */
export interface PairsHandler {
  pair: PairHandler;
  /** A name, or a part that is no pair. */
  text: TextHandler;
  /** Whether a value under this name is replaced as a whole. */
  treats(name: string): boolean;
}

/**
 * Rewrites `a=b&c=d`. A semicolon separates too, as it once did in HTML, but never within a value that is replaced as a
 * whole: there it may be a character of a password.
 */
export function rewritePairs(source: string, plus: boolean, handler: PairsHandler): string {
  let out = '';
  let changed = false;
  let kept = 0;
  for (let start = 0; start <= source.length; ) {
    const end = pairEnd(source, start, plus, handler);
    const part = source.slice(start, end);
    const rewritten = rewritePair(part, plus, handler);
    if (rewritten !== part) changed = true;
    if (rewritten !== null) out += kept++ === 0 ? rewritten : source[start - 1] + rewritten;
    start = end + 1;
  }
  return changed ? out : source;
}

function pairEnd(source: string, start: number, plus: boolean, handler: PairsHandler): number {
  let equals = -1;
  let whole: boolean | null = null;
  for (let at = start; at < source.length; at++) {
    const code = source.charCodeAt(at);
    if (code === 0x26) return at;
    if (code === 0x3d && equals < 0) equals = at;
    if (code !== 0x3b) continue;
    whole ??= equals >= 0 && handler.treats(decodePart(source.slice(start, equals), plus));
    if (!whole) return at;
  }
  return source.length;
}

function rewritePair(part: string, plus: boolean, { pair, text }: PairsHandler): string | null {
  const equals = part.indexOf('=');
  const rawName = equals < 0 ? part : part.slice(0, equals);
  const name = decodePart(rawName, plus);
  const newName = text(name);
  const nameOut = newName === name ? rawName : encodePart(newName, plus);
  if (equals < 0) return nameOut;
  const raw = part.slice(equals + 1);
  const value = decodePart(raw, plus);
  const rewritten = pair(name, value);
  if (rewritten === null) return null;
  return `${nameOut}=${rewritten === value ? raw : encodePart(rewritten, plus)}`;
}

/** Rewrites `/a/b;c=d`, segment by segment; `parameters` gets what stands behind a semicolon (RFC 3986 section 3.3). */
export function rewritePath(
  path: string,
  segment: (text: string, index: number) => string,
  parameters: (source: string) => string,
): string {
  return path
    .split('/')
    .map((whole, index) => {
      const semicolon = whole.indexOf(';');
      const raw = semicolon < 0 ? whole : whole.slice(0, semicolon);
      const rest = semicolon < 0 ? '' : `;${parameters(whole.slice(semicolon + 1))}`;
      const text = decodePart(raw, false);
      const rewritten = text === '' ? text : segment(text, index);
      return (rewritten === text ? raw : encodePart(rewritten, false).replaceAll('/', '%2F')) + rest;
    })
    .join('/');
}

/** Whether a path, with neither query nor fragment, is one of short words, in which nothing can be. */
export function isPlainPath(path: string): boolean {
  let segment = 0;
  let digits = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === 0x2f) {
      segment = digits = 0;
    } else {
      const kinds = code < 128 ? KINDS[code] : Has.percent;
      if (code >= 48 && code <= 57) digits++;
      if (++segment >= BASE64_MIN || digits > 3 || (kinds & ~(Has.digit | Has.notBase64)) !== 0 || code === 0x23) return false;
    }
  }
  return true;
}

/** Takes a URL or request target apart: `before` has scheme and authority, `query` and `fragment` their first character. */
export function splitUrl(url: string): { before: string; path: string; query: string; fragment: string } {
  const hash = url.indexOf('#');
  const fragment = hash < 0 ? '' : url.slice(hash);
  const rest = hash < 0 ? url : url.slice(0, hash);
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark);
  const whole = mark < 0 ? rest : rest.slice(0, mark);
  const authority = whole.indexOf('://');
  if (authority < 0) return { before: '', path: whole, query, fragment };
  const slash = whole.indexOf('/', authority + 3);
  const cut = slash < 0 ? whole.length : slash;
  return { before: whole.slice(0, cut), path: whole.slice(cut), query, fragment };
}

/** A path whose parameters have names. */
const PATH_PARAMETER = /^\/[^\s?#]*;[^\s;=/]+=/;

/** A URL, or a path with a query, parameters or escapes: what has parts with names. `first` and `profile` are those of the text. */
export function isUrl(text: string, first: number, profile: number): boolean {
  if (first === 0x2f || first === 0x3f) {
    return (profile & (Has.question | Has.percent)) !== 0 || ((profile & Has.equals) !== 0 && PATH_PARAMETER.test(text));
  }
  if ((profile & Has.colon) === 0) return false;
  const scheme = text.indexOf('://');
  return scheme > 0 && scheme < 12 && !/\s/.test(text);
}

/** A query or form that stands alone. */
export function isPairs(text: string, first: number, profile: number): boolean {
  if ((profile & Has.equals) === 0 || (profile & Has.ampersand) === 0 || first === 0x2f || first === 0x3f) return false;
  return !/[\s<>]|^[^=&]*(?::\/\/|\?)/.test(text);
}

/** A name and its value, such as `password=…`, as the whole text. */
export const PAIR = /^([A-Za-z_][\w.[\]-]{0,63})=([^=\s<>][^\s<>]*)$/;
