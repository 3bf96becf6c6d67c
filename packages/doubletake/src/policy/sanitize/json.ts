/**
 * Rewrites values inside JSON text and keeps every other byte: no document is built and none is printed again. Text is
 * latin1, a character for a byte of UTF-8, so that what is not touched survives whatever it is. A value inherits the
 * treatment of what it stands in: what `address` holds is all of it an address.
 */
import { isDigitAt } from './addresses.ts';
import type { JsonNames, KnownName } from './json-names.ts';
import type { JsonPath } from './json-path.ts';
import type { SanitizeAction, SanitizePreset } from './options.ts';
import { holdsNothing, KINDS, profileFrom } from './text-profile.ts';

/** What is to become of a value: by a rule, by a preset that its name falls under, or (null) by what it looks like. */
export type Treatment = SanitizeAction | SanitizePreset | null;

/** Decides about names and values, which come decoded. */
export interface JsonValues {
  /** Names that were met before. */
  readonly names: JsonNames;
  /** Whether a text that has no name, and in which nothing can be by its profile, always stays. */
  readonly plainStays: boolean;
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
/** A shorter number without a name is looked at for the users' patterns alone. */
const NUMBER_LENGTH_MIN = 9;

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
        this.#value(states === null ? null : this.#ruled(states, null), states);
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
    if (this.#source.charCodeAt(this.#at) === 0x7d) {
      this.#at++;
      this.#nesting--;
      return;
    }
    for (;;) {
      const nameStart = this.#at;
      const known = this.#knownName();
      const name = known === null ? this.#text() : known.text;
      const nameEnd = this.#at;
      this.#space();
      if (this.#source.charCodeAt(this.#at++) !== 0x3a) throw notJson;
      this.#space();
      const below = states === null ? null : this.#below(states, name);
      // A rule has the last word, what stands around the value the first.
      const said = inherited ?? (known === null ? this.#values.treatmentOf(name) : known.treatment);
      const treatment = below === null ? said : this.#ruled(below, said);
      let ends: number;
      if (treatment !== null && this.#values.removes(treatment)) {
        ends = this.#removed(start, kept);
      } else {
        if (known === null && treatment !== 'keep') this.#rename(name, nameStart, nameEnd);
        this.#value(treatment, below);
        this.#space();
        ends = this.#source.charCodeAt(this.#at++);
        kept++;
      }
      if (ends === 0x7d) break;
      if (ends !== 0x2c) throw notJson;
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
    if (this.#source.charCodeAt(this.#at) === 0x5d) {
      this.#at++;
      this.#nesting--;
      return;
    }
    for (let index = 0; ; index++) {
      this.#space();
      const below = states === null ? null : this.#below(states, index);
      const treatment = below === null ? inherited : this.#ruled(below, inherited);
      let ends: number;
      if (treatment !== null && this.#values.removes(treatment)) {
        ends = this.#removed(start, kept);
      } else {
        this.#value(treatment, below);
        this.#space();
        ends = this.#source.charCodeAt(this.#at++);
        kept++;
      }
      if (ends === 0x5d) break;
      if (ends !== 0x2c) throw notJson;
      start = this.#at;
    }
    this.#nesting--;
  }

  /**
   * Takes out the value that comes, with all that belongs to it from `start` on, and with one of its commas. Returns the
   * character behind it, which is passed.
   */
  #removed(start: number, kept: number): number {
    this.#replace(kept > 0 ? start - 1 : start, start, '');
    const outBefore = this.#out;
    this.#value('keep', null);
    this.#space();
    const ends = this.#source.charCodeAt(this.#at++);
    this.#out = outBefore;
    this.#copied = kept === 0 && ends === 0x2c ? this.#at : this.#at - 1;
    return ends;
  }

  /** Passes a name that is known; null leaves a name that is not, or that has to be decoded. */
  #knownName(): KnownName | null {
    const source = this.#source;
    if (source.charCodeAt(this.#at) !== 0x22) throw notJson;
    const start = this.#at + 1;
    let hash = 0;
    for (let at = start; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === 0x22) {
        const known = this.#values.names.find(source, start, at, hash) ?? this.#learn(source.slice(start, at), hash);
        if (known !== null) this.#at = at + 1;
        return known;
      }
      if (code === 0x5c || code >= 0x80) return null;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    throw notJson;
  }

  /** Null when the name itself holds something. */
  #learn(name: string, hash: number): KnownName | null {
    if (this.#values.nameText(name, this.#depth + 1) !== name) return null;
    const treatment = this.#values.treatmentOf(name);
    return this.#values.names.keep(name, hash, treatment);
  }

  #rename(name: string, start: number, end: number): void {
    const rewritten = this.#values.nameText(name, this.#depth + 1);
    if (rewritten !== name) this.#replace(start, end, quote(rewritten));
  }

  #below(states: number[], key: string | number): number[] {
    return states.map((set, index) => this.#rules[index].path.child(set, key));
  }

  /** The first rule that names this place, else `otherwise`. */
  #ruled(states: number[], otherwise: Treatment): Treatment {
    const index = states.findIndex((set, rule) => this.#rules[rule].path.matches(set));
    return index < 0 ? otherwise : this.#rules[index].action;
  }

  #string(treatment: Treatment): void {
    if (treatment === null && this.#values.plainStays && this.#passPlain()) return;
    const start = this.#at;
    const text = this.#text();
    if (treatment === 'keep') return;
    // Values may hold JSON themselves, which this same rewriter does not see: its state is the caller's to keep.
    const changed = this.#values.value(text, treatment, this.#depth + 1);
    if (changed !== text) this.#replace(start, this.#at, quote(changed));
  }

  /** Passes a string in which nothing can be; false, and nothing passed, when it is not known to be one. */
  #passPlain(): boolean {
    const source = this.#source;
    const start = this.#at + 1;
    let kinds = 0;
    let digits = 0;
    for (let at = start; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === 0x22) {
        if (!holdsNothing(profileFrom(kinds, digits), at - start)) return false;
        this.#at = at + 1;
        return true;
      }
      if (code === 0x5c) return false;
      if (code >= 48 && code <= 57) digits++;
      else kinds |= KINDS[code];
    }
    throw notJson;
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
    let at = source.charCodeAt(start) === 0x2d ? start + 1 : start;
    if (!isDigitAt(source, at)) throw notJson;
    while (isNumberAt(source, at)) at++;
    this.#at = at;
    if (treatment === 'keep' || (treatment === null && at - start < NUMBER_LENGTH_MIN && this.#values.plainStays)) return;
    const text = source.slice(start, at);
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
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return bytesOf(JSON.stringify(text));
  }
  return `"${text}"`;
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
