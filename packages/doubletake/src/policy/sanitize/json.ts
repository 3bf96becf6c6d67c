/**
 * Rewrites values inside JSON and keeps every other byte: no document is built and none is printed again. The bytes
 * themselves are read, since that is twice as quick as reading a string, and what is not touched survives whatever it
 * is. A value inherits the treatment of what it stands in: what `address` holds is all of it an address.
 */
import { EditedBytes } from './edited-bytes.ts';
import type { JsonNames, KnownName } from './json-names.ts';
import type { JsonPath } from './json-path.ts';
import { escape, notJson, unescape } from './json-strings.ts';
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
  /** The same for a text without a treatment that is known to have this profile. */
  profiled(text: string, profile: number, depth: number): string;
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

const EMPTY: Buffer = Buffer.alloc(0);

export class JsonRewriter {
  readonly #values: JsonValues;
  readonly #rules: readonly JsonPathRule[];
  readonly #edits = new EditedBytes();
  #source: Buffer = EMPTY;
  /** The source in latin1, a character for a byte; empty until a part of it is needed as text. */
  #latin1 = '';
  #at = 0;
  #nesting = 0;
  /** How deep this document lies in others: JSON in a string in JSON. */
  #depth = 0;

  constructor(values: JsonValues, rules: readonly JsonPathRule[]) {
    this.#values = values;
    this.#rules = rules;
  }

  /** The document rewritten (itself when nothing changed); null when it is not JSON. `several`: documents may follow. */
  rewrite(source: Buffer, depth: number, several = false): Buffer | null {
    this.#source = source;
    this.#at = source.length > 3 && source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf ? 3 : 0;
    this.#edits.begin(source);
    this.#nesting = 0;
    this.#depth = depth;
    let whole = false;
    try {
      do {
        this.#space();
        const states = this.#rules.length === 0 ? null : this.#rules.map(({ path }) => path.root);
        this.#value(states === null ? null : this.#ruled(states, null), states);
        this.#space();
      } while (several && this.#at < source.length);
      whole = this.#at === source.length;
    } catch (error) {
      if (error !== notJson) throw error;
    }
    // The reader outlives the document, and must not keep it.
    this.#source = EMPTY;
    this.#latin1 = '';
    const rewritten = this.#edits.finish();
    return whole ? rewritten : null;
  }

  #value(treatment: Treatment, states: number[] | null): void {
    switch (this.#source[this.#at]) {
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
    if (this.#source[this.#at] === 0x7d) {
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
      if (this.#source[this.#at++] !== 0x3a) throw notJson;
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
        ends = this.#source[this.#at++];
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
    if (this.#source[this.#at] === 0x5d) {
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
        ends = this.#source[this.#at++];
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
    this.#value('keep', null);
    this.#space();
    const ends = this.#source[this.#at++];
    this.#edits.replace(kept > 0 ? start - 1 : start, kept === 0 && ends === 0x2c ? this.#at : this.#at - 1, '');
    return ends;
  }

  /** Passes a name that is known; null leaves a name that is not, or that has to be decoded. */
  #knownName(): KnownName | null {
    const source = this.#source;
    if (source[this.#at] !== 0x22) throw notJson;
    const start = this.#at + 1;
    let hash = 0;
    for (let at = start; at < source.length; at++) {
      const code = source[at];
      if (code === 0x22) {
        const known = this.#values.names.find(source, start, at, hash) ?? this.#learn(this.#slice(start, at), hash);
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
    if (rewritten !== name) this.#replaceString(start, end, rewritten);
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
    if (treatment === null && this.#plain()) return;
    const start = this.#at;
    const text = this.#text();
    if (treatment === 'keep') return;
    // Values may hold JSON themselves, which this same rewriter does not see: its state is the caller's to keep.
    const changed = this.#values.value(text, treatment, this.#depth + 1);
    if (changed !== text) this.#replaceString(start, this.#at, changed);
  }

  /**
   * Deals with a string without a treatment that is ASCII without escapes, of which most are known to hold nothing when
   * they have been passed; false, and nothing done, when it is another.
   */
  #plain(): boolean {
    const source = this.#source;
    const start = this.#at + 1;
    let kinds = 0;
    let digits = 0;
    for (let at = start; at < source.length; at++) {
      const code = source[at];
      if (code === 0x22) {
        this.#at = at + 1;
        const profile = profileFrom(kinds, digits);
        if (this.#values.plainStays && holdsNothing(profile, at - start)) return true;
        const text = this.#slice(start, at);
        const changed = this.#values.profiled(text, profile, this.#depth + 1);
        if (changed !== text) this.#replaceString(start - 1, at + 1, changed);
        return true;
      }
      if (code === 0x5c || code >= 0x80) return false;
      if (code >= 48 && code <= 57) digits++;
      else kinds |= KINDS[code];
    }
    throw notJson;
  }

  /** Passes a string; returns what it says. */
  #text(): string {
    const source = this.#source;
    if (source[this.#at] !== 0x22) throw notJson;
    const start = ++this.#at;
    let escaped = false;
    let wide = false;
    for (let at = start; at < source.length; at++) {
      const code = source[at];
      if (code === 0x22) {
        this.#at = at + 1;
        const text = wide ? source.toString('utf8', start, at) : this.#slice(start, at);
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
    let at = source[start] === 0x2d ? start + 1 : start;
    if (!isDigit(source[at])) throw notJson;
    while (at < source.length && isNumber(source[at])) at++;
    this.#at = at;
    if (treatment === 'keep' || (treatment === null && at - start < NUMBER_LENGTH_MIN && this.#values.plainStays)) return;
    const text = this.#slice(start, at);
    const changed = this.#values.number(text, treatment);
    if (changed !== text) this.#edits.replace(start, at, changed);
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (this.#source[this.#at + index] !== word.charCodeAt(index)) throw notJson;
    }
    this.#at += word.length;
  }

  #space(): void {
    const source = this.#source;
    let at = this.#at;
    for (; at < source.length; at++) {
      const code = source[at];
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.#at = at;
  }

  /** Part of the document in latin1. Of one string there are parts at a fraction of what each costs of the bytes. */
  #slice(start: number, end: number): string {
    if (this.#latin1 === '') this.#latin1 = this.#source.toString('latin1');
    return this.#latin1.slice(start, end);
  }

  /** Puts a text in place of what stands between the quotation marks of `[start, end)`. */
  #replaceString(start: number, end: number, text: string): void {
    this.#edits.replace(start + 1, end - 1, escape(text));
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isNumber(code: number): boolean {
  return isDigit(code) || code === 46 || code === 43 || code === 45 || code === 101 || code === 69;
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
