/** Makes the Host that goes out, from a text or from the host that was asked for. */
import type { RegexReplacement } from './options.ts';
import { Replacement } from './replacement.ts';
import { asHost, Text } from './text.ts';
import type { Variables } from './variables.ts';

export class HostRewrite {
  readonly #make: (variables: Variables) => string | null;

  /** Throws for a malformed expression or text. */
  constructor(options: string | RegexReplacement) {
    if (typeof options === 'string') {
      const text = new Text(options);
      this.#make = (variables) => text.fill(variables);
    } else {
      const replacement = new Replacement(options);
      this.#make = (variables) => replacement.apply(variables.get('host'), variables);
    }
  }

  /** Null when the rule does not fit the host, or nothing is left of it. */
  apply(variables: Variables): string | null {
    const host = this.#make(variables);
    return host === null ? null : asHost(host) || null;
  }
}
