/** The parts of a request target that has a path (RFC 9112 section 3.2); strings are latin1, as they came. */

export interface TargetParts {
  /** Scheme and authority of an absolute-form target; empty for one in origin form. */
  before: string;
  /** Host and port that an absolute-form target names. */
  authority: string | null;
  path: string;
  /** Without the question mark; null when there is none. */
  query: string | null;
  /** With its number sign: no client should send one, some do. */
  fragment: string;
}

const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/** Null for `*` and for anything else that has no path. */
export function splitTarget(target: string): TargetParts | null {
  const absolute = target.startsWith('/') ? null : absoluteForm.exec(target);
  if (absolute === null && !target.startsWith('/')) return null;
  const before = absolute?.[0] ?? '';
  const authority = absolute === null ? null : absolute[1].replace(/^.*@/s, '');
  const rest = target.slice(before.length);
  const hash = rest.indexOf('#');
  const fragment = hash < 0 ? '' : rest.slice(hash);
  const whole = hash < 0 ? rest : rest.slice(0, hash);
  const mark = whole.indexOf('?');
  const path = mark < 0 ? whole : whole.slice(0, mark);
  return { before, authority, path, query: mark < 0 ? null : whole.slice(mark + 1), fragment };
}

export function joinTarget({ before, path, query, fragment }: TargetParts): string {
  return `${before}${path}${query === null ? '' : `?${query}`}${fragment}`;
}
