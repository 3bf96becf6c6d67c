/** Changes header fields by name, in any case; those that no rule names keep their bytes and their order. */
import type { NamedChanges } from './options.ts';
import type { RequestDraft } from './request-draft.ts';
import { asFieldValue, Text } from './text.ts';
import type { Variables } from './variables.ts';

export class HeaderEdit {
  readonly #remove: readonly string[];
  readonly #set: readonly (readonly [string, Text])[];
  readonly #add: readonly (readonly [string, Text])[];

  /** Throws `TemplateError`. */
  constructor({ remove = [], set = {}, add = {} }: NamedChanges) {
    this.#remove = remove.map((name) => name.toLowerCase());
    this.#set = Object.entries(set).map(([name, text]) => [name, new Text(text)]);
    this.#add = Object.entries(add).map(([name, text]) => [name, new Text(text)]);
  }

  apply(draft: RequestDraft, variables: Variables): void {
    for (const lower of this.#remove) draft.remove(lower);
    for (const [name, text] of this.#set) draft.set(name, asFieldValue(text.fill(variables)));
    for (const [name, text] of this.#add) draft.add(name, asFieldValue(text.fill(variables)));
  }
}
