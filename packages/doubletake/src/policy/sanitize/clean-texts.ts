/**
 * Texts that were looked at and held nothing, such as the names and header values that come with every request. Bounded;
 * what did hold something is never kept. Kept texts are copies: a part of a body would keep the whole of it.
 */
const TEXTS_MAX = 4_096;
const TEXT_LENGTH_MAX = 256;

export class CleanTexts {
  readonly #texts = new Set<string>();

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  add(text: string): void {
    if (text.length > TEXT_LENGTH_MAX) return;
    if (this.#texts.size >= TEXTS_MAX) this.#texts.clear();
    this.#texts.add(copyOf(text));
  }
}

/** Parts of strings that are shorter are copies already. */
const PART_LENGTH_MIN = 13;

/** The same text in memory of its own. */
export function copyOf(text: string): string {
  if (text.length < PART_LENGTH_MIN) return text;
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
