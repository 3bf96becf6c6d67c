/**
 * Percent-encoded text: query strings, forms, paths, whole URLs. Parts are decoded to be looked at; only parts that
 * change are encoded again, everything else keeps its bytes. Strings are latin1, a character for a byte.
 */
import { bytesOf, textOf } from './json.ts';

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

/** Rewrites `a=b&c=d`. */
export function rewritePairs(source: string, plus: boolean, pair: PairHandler, text: TextHandler): string {
  if (source === '') return source;
  const parts = source.split('&');
  let changed = false;
  const kept: string[] = [];
  for (const part of parts) {
    const rewritten = rewritePair(part, plus, pair, text);
    if (rewritten !== part) changed = true;
    if (rewritten !== null) kept.push(rewritten);
  }
  return changed ? kept.join('&') : source;
}

function rewritePair(part: string, plus: boolean, pair: PairHandler, text: TextHandler): string | null {
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

/** Rewrites `/a/b;c`, segment by segment. */
export function rewritePath(path: string, segment: (text: string, index: number) => string): string {
  return path
    .split('/')
    .map((raw, index) => {
      const text = decodePart(raw, false);
      const rewritten = text === '' ? text : segment(text, index);
      return rewritten === text ? raw : encodePart(rewritten, false).replaceAll('/', '%2F');
    })
    .join('/');
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
