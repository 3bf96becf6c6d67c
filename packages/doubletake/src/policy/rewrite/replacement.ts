/** Replaces the first match of a regular expression, which runs in linear time (RE2). */
import { RE2JS } from 're2js';
import type { RegexReplacement } from './options.ts';
import { Text } from './text.ts';
import type { Variables } from './variables.ts';

export class Replacement {
  readonly #expression: RE2JS;
  readonly #text: Text;

  /** Throws for a malformed expression, and for a group that it does not have. */
  constructor({ regex, replace }: RegexReplacement) {
    this.#expression = RE2JS.compile(regex);
    this.#text = new Text(replace, { count: this.#expression.groupCount(), names: this.#expression.namedGroups() });
  }

  /** Null when nothing matches. */
  apply(source: string, variables: Variables, encode?: (text: string) => string): string | null {
    const matcher = this.#expression.matcher(source);
    if (!matcher.find()) return null;
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group));
    return source.slice(0, matcher.start()) + this.#text.fill(variables, groups, encode) + source.slice(matcher.end());
  }
}
