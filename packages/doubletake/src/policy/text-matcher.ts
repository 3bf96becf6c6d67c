/**
 * Matchers of one text, compiled from what a user wrote: a glob, a prefix or a regular expression. All take time linear
 * in the text; regular expressions run on RE2, which knows neither look-around nor back-references for that reason.
 */
import { RE2JS } from 're2js';
import type { OneOrMore, TextPattern } from './filter-options.ts';
import { Glob } from './glob.ts';

export type TextMatcher = (text: string) => boolean;

export interface TextKind {
  /** What `*` in a glob does not cross; empty for nothing. */
  separator: string;
  /** Puts globs and prefixes into the form in which the texts come. */
  normalize(pattern: string): string;
}

export const plainText: TextKind = { separator: '', normalize: (pattern) => pattern };

/** A matcher that is true when one of the patterns matches. Throws when a regular expression is malformed. */
export function compileTexts(patterns: OneOrMore<TextPattern>, kind: TextKind): TextMatcher {
  const literals = new Set<string>();
  const matchers: TextMatcher[] = [];
  for (const pattern of listOf(patterns)) {
    if (typeof pattern === 'string') {
      const glob = new Glob(kind.normalize(pattern), kind.separator);
      if (glob.literal === null) matchers.push((text) => glob.matches(text));
      else literals.add(glob.literal);
    } else if (pattern.prefix !== undefined) {
      const prefix = kind.normalize(pattern.prefix);
      matchers.push((text) => text.startsWith(prefix));
    } else {
      const expression = RE2JS.compile(pattern.regex);
      matchers.push((text) => expression.test(text));
    }
  }
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1 && literals.size === 0) return only;
  return (text) => literals.has(text) || matchers.some((matches) => matches(text));
}

/** One or more things as a list of them. */
export function listOf<T extends string | object>(things: OneOrMore<T>): readonly T[] {
  return isList(things) ? things : [things];
}

function isList<T>(things: OneOrMore<T>): things is readonly T[] {
  return Array.isArray(things);
}
