/**
 * What short texts became: names, towns, postal codes and countries are short, and the same ones come again and again.
 * The table has a fixed size. A text takes its place when it comes for the second time, so that those that come once
 * neither cost much nor displace others.
 */
const SLOTS = 4_096;
/** So short are no parts of other strings, which they would keep in memory: V8 copies them. */
export const SHORT_TEXT_MAX = 12;

export class ShortTexts {
  readonly #texts: string[] = Array.from({ length: SLOTS }, () => '');
  readonly #made: string[] = Array.from({ length: SLOTS }, () => '');
  /** Hashes of the texts that came last and were not kept. */
  readonly #seen = new Int32Array(SLOTS);

  /** What the text became, if that is known; else what `make` makes of it. The text is not empty. */
  get(text: string, make: (text: string) => string): string {
    const hash = hashOf(text);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    if (this.#texts[slot] === text) return this.#made[slot];
    const made = make(text);
    if (this.#seen[slot] === hash) {
      this.#texts[slot] = text;
      this.#made[slot] = made;
    } else {
      this.#seen[slot] = hash;
    }
    return made;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
