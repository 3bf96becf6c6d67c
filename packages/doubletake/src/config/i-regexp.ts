/**
 * Regular expressions of JSONPath (I-Regexp, RFC 9485), compiled for RE2. What RE2 understands beyond I-Regexp is
 * understood here too.
 */
import { RE2JS, RE2JSException } from 're2js';

/** Null when the pattern is none, or grows too large when it is compiled. */
export function compileIRegexp(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(withNarrowDots(pattern));
  } catch (error) {
    if (error instanceof RE2JSException) return null;
    throw error;
  }
}

/** A dot outside of a class is any character but the two line breaks (RFC 9485 section 5.3); RE2's knows only one. */
function withNarrowDots(pattern: string): string {
  let inClass = false;
  return pattern.replace(/\\.|[.[\]]/gsu, (part) => {
    if (part === '.' && !inClass) return '[^\\n\\r]';
    if (part === '[') inClass = true;
    if (part === ']') inClass = false;
    return part;
  });
}
