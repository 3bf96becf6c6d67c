/**
 * The normal form in which paths are compared (RFC 3986 section 6.2.2), so that a rule about `/admin/**` cannot be
 * passed by as `/%61dmin/x`, `//admin/x` or `/a/../admin/x`: percent-encoded unreserved characters are decoded, other
 * encodings have upper-case digits, everything outside of visible ASCII and every stray `%` is encoded, dot segments are resolved and runs
 * of slashes are one. `%2F` stays what it is.
 */

const SPECIAL = /%|[^!-~]|\/[./]/;
const ENCODING_OR_BYTE = /%(?:[0-9a-f]{2})?|[^!-~]/gi;
const UNRESERVED = /[\w.~-]/;

/** Path of a request target without its query, in the normal form; `target` is latin1. */
export function normalPath(target: string): string {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return SPECIAL.test(path) ? withoutDotSegments(normalEncoding(path)) : path;
}

/** A pattern for paths, as a user wrote it, with its percent-encodings in the normal form. */
export function normalPathPattern(pattern: string): string {
  return normalEncoding(Buffer.from(pattern, 'utf8').toString('latin1'));
}

function normalEncoding(latin1: string): string {
  return latin1.replace(ENCODING_OR_BYTE, (match) => {
    const code = match.length === 3 ? Number.parseInt(match.slice(1), 16) : match.charCodeAt(0);
    const character = String.fromCharCode(code);
    if (code < 0x80 && UNRESERVED.test(character)) return character;
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function withoutDotSegments(path: string): string {
  if (!path.startsWith('/')) return path;
  const segments = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  const last = segments[segments.length - 1];
  const endsInSlash = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return `/${kept.join('/')}${endsInSlash ? '/' : ''}`;
}
