/** Changes the parameters of a query; those that no rule names keep their bytes and their order. */
import { decodePart, encodePart } from '../sanitize/urlencoded.ts';
import type { NamedChanges } from './options.ts';
import { percentEncoded, Text } from './text.ts';
import type { Variables } from './variables.ts';

export class QueryEdit {
  readonly #remove: ReadonlySet<string>;
  readonly #set: ReadonlyMap<string, Text>;
  readonly #add: readonly (readonly [string, Text])[];

  /** Throws `TemplateError`. */
  constructor({ remove = [], set = {}, add = {} }: NamedChanges) {
    this.#remove = new Set(remove);
    this.#set = new Map(Object.entries(set).map(([name, text]) => [name, new Text(text)]));
    this.#add = Object.entries(add).map(([name, text]) => [name, new Text(text)]);
  }

  /** Null is no query at all. */
  apply(query: string | null, variables: Variables): string | null {
    const kept: string[] = [];
    const placed = new Set<string>();
    for (const part of query === null || query === '' ? [] : query.split('&')) {
      const equals = part.indexOf('=');
      const rawName = equals < 0 ? part : part.slice(0, equals);
      const name = decodePart(rawName, true);
      const text = this.#set.get(name);
      if (text !== undefined && !placed.has(name)) {
        placed.add(name);
        kept.push(`${rawName}=${percentEncoded(text.fill(variables))}`);
      } else if (text === undefined && !this.#remove.has(name)) {
        kept.push(part);
      }
    }
    for (const [name, text] of this.#set) if (!placed.has(name)) kept.push(pair(name, text, variables));
    for (const [name, text] of this.#add) kept.push(pair(name, text, variables));
    return kept.length === 0 && query !== '' ? null : kept.join('&');
  }
}

function pair(name: string, text: Text, variables: Variables): string {
  return `${encodePart(name, false)}=${percentEncoded(text.fill(variables))}`;
}
