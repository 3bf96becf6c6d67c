/**
 * Globs, matched in time linear in the text: a text is read once, with the set of places in the pattern where the match
 * can be (Thompson's simulation), so no pattern can be made slow by a hostile text.
 *
 * `*` is any characters but the separator, `?` one such character, `**` any characters at all. Where `**` stands for
 * whole parts it may stand for none: with the separator `.`, `a.**` matches `a`, `a.` and `a.b.c`, `a.**.b` matches
 * `a.b`, and `**.b` matches `b`. A backslash takes the next character literally.
 */

/** What a place in the pattern takes; other values are the code of the one character that it takes. */
const Take = { one: -1, run: -2, anything: -3, nothing: -4 } as const;

/** No character's code. */
const NONE = -9;

const CHARACTERS = /\\[^]|\*\*+|[^]/g;

export class Glob {
  /** The text that the pattern matches, when it is but one; else null. */
  readonly literal: string | null;
  /** What every match begins with. */
  readonly #prefix: string;
  readonly #separator: number;
  readonly #takes: Int32Array;
  /** By place: where the match can also be without taking a character; 0 for nowhere. */
  readonly #jumps: Int32Array;
  #now: Int32Array;
  #next: Int32Array;
  /** By place: the step of the match that it was last entered for. */
  readonly #entered: Int32Array;
  #step = 0;
  /** Places in `#now` and in `#next`. */
  #length = 0;
  #count = 0;

  /** `separator` is one character, or empty when `*` may be anything. */
  constructor(pattern: string, separator: string) {
    this.#separator = separator === '' ? NONE : separator.charCodeAt(0);
    const takes: number[] = [];
    const jumps: number[] = [];
    const pieces = pattern.match(CHARACTERS) ?? [];
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index];
      if (piece.startsWith('**')) {
        const next = pieces[index + 1];
        const last = takes.length - 1;
        const behindSeparator = last >= 0 && takes[last] === this.#separator;
        if (behindSeparator && next === undefined) jumps[last] = last + 2;
        if ((behindSeparator || last < 0) && next === separator) {
          // A place of its own, so that the jump is not taken again behind characters that `**` took.
          jumps[last + 1] = last + 4;
          takes.push(Take.nothing);
        }
        takes.push(Take.anything);
      } else if (piece === '*') {
        takes.push(Take.run);
      } else {
        takes.push(piece === '?' ? Take.one : piece.charCodeAt(piece.length - 1));
      }
    }
    this.#takes = Int32Array.from(takes);
    this.#jumps = Int32Array.from(takes, (_, place) => jumps[place] ?? 0);
    const places = takes.length + 1;
    this.#now = new Int32Array(places);
    this.#next = new Int32Array(places);
    this.#entered = new Int32Array(places);
    let fixed = 0;
    while (fixed < takes.length && takes[fixed] >= 0 && this.#jumps[fixed] === 0) fixed++;
    this.#prefix = String.fromCharCode(...takes.slice(0, fixed));
    this.literal = fixed === takes.length ? this.#prefix : null;
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    if (!text.startsWith(this.#prefix)) return false;
    const takes = this.#takes;
    const end = takes.length;
    this.#entered.fill(0);
    this.#step = 0;
    this.#begin();
    this.#enter(this.#prefix.length);
    this.#swap();
    for (let at = this.#prefix.length; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const length = this.#length;
      if (length === 0) return false;
      this.#begin();
      for (let index = 0; index < length; index++) {
        const place = this.#now[index];
        if (place === end) continue;
        const take = takes[place];
        if (take === Take.anything) {
          // Nothing that is left can make a pattern fail that ends so.
          if (place === end - 1) return true;
          this.#enter(place);
        } else if (take === Take.run) {
          if (code !== this.#separator) this.#enter(place);
        } else if (take === code || (take === Take.one && code !== this.#separator)) {
          this.#enter(place + 1);
        }
      }
      this.#swap();
    }
    for (let index = 0; index < this.#length; index++) if (this.#now[index] === end) return true;
    return false;
  }

  #begin(): void {
    this.#count = 0;
    this.#step++;
  }

  #swap(): void {
    const next = this.#now;
    this.#now = this.#next;
    this.#next = next;
    this.#length = this.#count;
  }

  /** Adds a place, and those that it reaches without taking a character, to `#next`. */
  #enter(place: number): void {
    for (let at = place; this.#entered[at] !== this.#step; at++) {
      this.#entered[at] = this.#step;
      this.#next[this.#count++] = at;
      if (at === this.#takes.length) return;
      if (this.#jumps[at] > 0) this.#enter(this.#jumps[at]);
      const take = this.#takes[at];
      if (take >= 0 || take === Take.one) return;
    }
  }
}
