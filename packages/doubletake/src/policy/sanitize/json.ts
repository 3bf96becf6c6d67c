/**
 * Rewrites values inside JSON text and keeps every other byte: no document is built and none is printed again. Text is
 * latin1, a character for a byte of UTF-8, so that what is not touched survives whatever it is. A value inherits the
 * treatment of what it stands in: what `address` holds is all of it an address.
 */
import { isDigitAt } from './addresses.ts';
import type { JsonPath } from './json-path.ts';
import type { SanitizeAction, SanitizePreset } from './options.ts';

/** What is to become of a value: by a rule, by a preset that its name falls under, or (null) by what it looks like. */
export type Treatment = SanitizeAction | SanitizePreset | null;

/** Decides about names and values, which come decoded. */
export interface JsonValues {
  treatmentOf(name: string): Treatment;
  nameText(name: string, depth: number): string;
  removes(treatment: Treatment): boolean;
  /** The text itself when it stays. */
  value(text: string, treatment: Treatment, depth: number): string;
  /** A number as it is written, and as it is to be. */
  number(text: string, treatment: Treatment): string;
}

export interface JsonPathRule {
  path: JsonPath;
  action: SanitizeAction;
}

const DEPTH_MAX = 200;

/** Thrown and caught here: the text is not JSON. */
class NotJson extends Error {}
const notJson = new NotJson('not JSON');

export class JsonRewriter {
  readonly #values: JsonValues;
  readonly #rules: readonly JsonPathRule[];
  #source = '';
  #at = 0;
  #out = '';
  #copied = 0;
  #nesting = 0;
  /** How deep this document lies in others: JSON in a string in JSON. */
  #depth = 0;

  constructor(values: JsonValues, rules: readonly JsonPathRule[]) {
    this.#values = values;
    this.#rules = rules;
  }

  /** The text rewritten (itself when nothing changed); null when it is not JSON. `several`: documents may follow. */
  rewrite(source: string, depth: number, several = false): string | null {
    this.#source = source;
    this.#at = source.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
    this.#out = '';
    this.#copied = 0;
    this.#nesting = 0;
    this.#depth = depth;
    try {
      do {
        this.#space();
        const states = this.#rules.length === 0 ? null : this.#rules.map(({ path }) => path.root);
        this.#value(this.#ruled(states, null), states);
        this.#space();
      } while (several && this.#at < source.length);
    } catch (error) {
      if (error === notJson) return null;
      throw error;
    }
    if (this.#at < source.length) return null;
    return this.#copied === 0 ? source : this.#out + source.slice(this.#copied);
  }

  #value(treatment: Treatment, states: number[] | null): void {
    switch (this.#source.charCodeAt(this.#at)) {
      case 0x7b:
        this.#object(treatment, states);
        return;
      case 0x5b:
        this.#array(treatment, states);
        return;
      case 0x22:
        this.#string(treatment);
        return;
      case 0x74:
        this.#literal('true');
        return;
      case 0x66:
        this.#literal('false');
        return;
      case 0x6e:
        this.#literal('null');
        return;
      default:
        this.#number(treatment);
    }
  }

  #object(inherited: Treatment, states: number[] | null): void {
    if (++this.#nesting > DEPTH_MAX) throw notJson;
    let kept = 0;
    let start = ++this.#at;
    this.#space();
    if (this.#source[this.#at] === '}') {
      this.#at++;
      this.#nesting--;
      return;
    }
    for (;;) {
      const nameStart = this.#at;
      const name = this.#text();
      const nameEnd = this.#at;
      this.#space();
      if (this.#source[this.#at++] !== ':') throw notJson;
      this.#space();
      const below = this.#below(states, name);
      // A rule has the last word, what stands around the value the first.
      const treatment = this.#ruled(below, inherited ?? this.#values.treatmentOf(name));
      const ends = this.#member(start, kept, treatment, below, () => {
        const newName = treatment === 'keep' ? name : this.#values.nameText(name, this.#depth + 1);
        if (newName !== name) this.#replace(nameStart, nameEnd, quote(newName));
      });
      if (!this.#values.removes(treatment)) kept++;
      if (ends === '}') break;
      if (ends !== ',') throw notJson;
      start = this.#at;
      this.#space();
    }
    this.#nesting--;
  }

  #array(inherited: Treatment, states: number[] | null): void {
    if (++this.#nesting > DEPTH_MAX) throw notJson;
    let kept = 0;
    let start = ++this.#at;
    this.#space();
    if (this.#source[this.#at] === ']') {
      this.#at++;
      this.#nesting--;
      return;
    }
    for (let index = 0; ; index++) {
      this.#space();
      const below = this.#below(states, index);
      const treatment = this.#ruled(below, inherited);
      const ends = this.#member(start, kept, treatment, below, null);
      if (!this.#values.removes(treatment)) kept++;
      if (ends === ']') break;
      if (ends !== ',') throw notJson;
      start = this.#at;
    }
    this.#nesting--;
  }

  /**
   * A value that may be taken out with all that belongs to it from `start` on, and with one of its commas. Returns the
   * character behind it, which is passed.
   */
  #member(start: number, kept: number, treatment: Treatment, states: number[] | null, name: (() => void) | null): string {
    if (!this.#values.removes(treatment)) {
      name?.();
      this.#value(treatment, states);
      this.#space();
      return this.#source[this.#at++];
    }
    this.#replace(kept > 0 ? start - 1 : start, start, '');
    const outBefore = this.#out;
    this.#value('keep', null);
    this.#space();
    const ends = this.#source[this.#at++];
    this.#out = outBefore;
    this.#copied = kept === 0 && ends === ',' ? this.#at : this.#at - 1;
    return ends;
  }

  #below(states: number[] | null, key: string | number): number[] | null {
    return states === null ? null : states.map((set, index) => this.#rules[index].path.child(set, key));
  }

  /** The first rule that names this place, else `otherwise`. */
  #ruled(states: number[] | null, otherwise: Treatment): Treatment {
    if (states === null) return otherwise;
    const index = states.findIndex((set, rule) => this.#rules[rule].path.matches(set));
    return index < 0 ? otherwise : this.#rules[index].action;
  }

  #string(treatment: Treatment): void {
    const start = this.#at;
    const text = this.#text();
    if (treatment === 'keep') return;
    // Values may hold JSON themselves, which this same rewriter does not see: its state is the caller's to keep.
    const changed = this.#values.value(text, treatment, this.#depth + 1);
    if (changed !== text) this.#replace(start, this.#at, quote(changed));
  }

  /** Passes a string; returns what it says. */
  #text(): string {
    const source = this.#source;
    if (source.charCodeAt(this.#at) !== 0x22) throw notJson;
    const start = ++this.#at;
    let escaped = false;
    let wide = false;
    for (let at = start; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        const raw = source.slice(start, at);
        const text = wide ? Buffer.from(raw, 'latin1').toString('utf8') : raw;
        return escaped ? unescape(text) : text;
      }
      if (code === 0x5c) {
        escaped = true;
        at++;
      } else if (code >= 0x80) {
        wide = true;
      }
    }
    throw notJson;
  }

  #number(treatment: Treatment): void {
    const source = this.#source;
    const start = this.#at;
    if (source[this.#at] === '-') this.#at++;
    if (!isDigitAt(source, this.#at)) throw notJson;
    while (isNumberAt(source, this.#at)) this.#at++;
    const text = source.slice(start, this.#at);
    if (treatment === 'keep' || (treatment === null && text.length < 9)) return;
    const changed = this.#values.number(text, treatment);
    if (changed !== text) this.#replace(start, this.#at, changed);
  }

  #literal(word: string): void {
    if (!this.#source.startsWith(word, this.#at)) throw notJson;
    this.#at += word.length;
  }

  #space(): void {
    const source = this.#source;
    for (;;) {
      const code = source.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #replace(start: number, end: number, text: string): void {
    this.#out += this.#source.slice(this.#copied, start) + text;
    this.#copied = end;
  }
}

function isNumberAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || code === 46 || code === 43 || code === 45 || code === 101 || code === 69;
}

/** An escape that is none says that this is not JSON. */
function unescape(text: string): string {
  try {
    // Control characters are tolerated, as many servers do.
    const literal = text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
    return String(JSON.parse(`"${literal}"`));
  } catch {
    throw notJson;
  }
}

/** As a JSON string, in latin1 characters that are bytes of UTF-8. */
function quote(text: string): string {
  return bytesOf(JSON.stringify(text));
}

/** Text as latin1 characters that are its bytes in UTF-8. */
export function bytesOf(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 127) return Buffer.from(text).toString('latin1');
  }
  return text;
}

/** What latin1 characters that are bytes of UTF-8 say. */
export function textOf(bytes: string): string {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes.charCodeAt(at) > 127) return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return bytes;
}
