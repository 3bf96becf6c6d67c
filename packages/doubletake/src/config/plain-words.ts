/** Lines in plain words about a configuration, each with the place in the file that it comes from. */
import type { ConfigDocument, Path } from './document.ts';
import type { MirrorConfig } from './schema.ts';

const placeColumn = 90;

export class Words {
  readonly #document: ConfigDocument;
  readonly #lines: string[] = [];

  constructor(document: ConfigDocument) {
    this.#document = document;
  }

  title(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('');
    this.#lines.push(text);
  }

  /** A line that says what the setting at `path` means; null for what no setting changes. */
  say(path: Path | null, text: string, depth = 0): void {
    const place = path === null ? 'always' : this.#document.has(path) ? `line ${this.#document.place(path).line}` : 'default';
    this.#lines.push(`${`${'  '.repeat(depth + 1)}${text}`.padEnd(placeColumn)} (${place})`);
  }

  /** `text`, or the `${NAME}` that stands in the file for it. */
  shown(path: Path, text: string): string {
    return this.#document.sourceOfVariable(path) ?? text;
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

type FilterConfig = MirrorConfig['policy']['filters'][number];

/** What the rules of the list at `path` do. */
export function filterWords(words: Words, filters: readonly FilterConfig[], path: Path, depth: number): void {
  filters.forEach((rule, index) => {
    const condition = conditionText(rule.exclude ?? rule.include);
    const { name } = rule;
    const text =
      rule.exclude === undefined
        ? `${name}: may be replayed: ${condition}`
        : `${name}: never replayed, counted as filtered.${name}: ${condition}`;
    words.say([...path, index], text, depth);
  });
  if (filters.some(({ include }) => include !== undefined)) {
    words.say(path, 'what none of these rules matches: not replayed, counted as filtered.no_include_matched', depth);
  }
}

/** As it is written, on one line and without the quotes around names. */
export function conditionText(condition: unknown): string {
  return JSON.stringify(condition).replaceAll(/"(\w+)":/g, '$1: ').replaceAll(',', ', ');
}
