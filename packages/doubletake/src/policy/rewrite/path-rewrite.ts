/**
 * Changes the path of a request target. It is looked at as it came, and where that does not fit, in the normal form in
 * which conditions see it: `/%761/x` is `/v1/x`.
 */
import { normalPath, normalPathPattern } from '../path-form.ts';
import { bytesOf } from '../sanitize/json.ts';
import type { PrefixReplacement, RegexReplacement } from './options.ts';
import { Replacement } from './replacement.ts';
import { asPath, percentEncoded, Text, withoutRawBytes } from './text.ts';
import type { Variables } from './variables.ts';

export class PathRewrite {
  readonly #replace: (path: string, variables: Variables) => string | null;

  /** Throws for a malformed expression or text. */
  constructor(options: PrefixReplacement | RegexReplacement) {
    this.#replace = options.prefix === undefined ? byExpression(options) : byPrefix(options);
  }

  /** The path as it came, when the rule does not fit it. */
  apply(path: string, variables: Variables): string {
    const whole = path === '' ? '/' : path;
    const normal = normalPath(whole);
    const replaced = this.#replace(whole, variables) ?? (normal === whole ? null : this.#replace(normal, variables));
    if (replaced === null) return path;
    const safe = asPath(replaced);
    return safe.startsWith('/') ? safe : `/${safe}`;
  }
}

function byExpression(options: RegexReplacement): (path: string, variables: Variables) => string | null {
  const replacement = new Replacement({ ...options, replace: asciiOf(options.replace) });
  return (path, variables) => replacement.apply(path, variables, percentEncoded);
}

/** A prefix ends where a segment does: `/v1` is one of `/v1/x`, and not of `/v10`. */
function byPrefix({ prefix, replace }: PrefixReplacement): (path: string, variables: Variables) => string | null {
  const wanted = normalPathPattern(prefix).replace(/\/$/, '');
  const text = new Text(asciiOf(replace));
  return (path, variables) => {
    if (!path.startsWith(wanted)) return null;
    const rest = path.slice(wanted.length);
    if (rest !== '' && !rest.startsWith('/')) return null;
    const before = text.fill(variables, [], percentEncoded);
    return before.endsWith('/') && rest.startsWith('/') ? before + rest.slice(1) : before + rest;
  };
}

/** What a user typed, as it stands in a path. */
function asciiOf(text: string): string {
  return withoutRawBytes(bytesOf(text));
}
