/**
 * JSON (RFC 8259) read so that it can be compared: numbers stay exact, members keep their order, and what other readers
 * pass over in silence (a name given twice, half a surrogate pair, NaN) is told. One pass, and no deeper than
 * `DEPTH_MAX`: what is nested deeper is kept as text.
 */
import { ExactNumber, numberOf } from './json-number.ts';

export const DEPTH_MAX = 200;

/** Names of more members are looked up in a map. */
export const FEW_MEMBERS = 12;

export type JsonValue = string | number | boolean | null | ExactNumber | JsonObject | Unread | JsonValue[];

export class JsonObject {
  /** One and the same array for objects with the same names in the same order, where that was cheap to find out. */
  readonly names: readonly string[];
  readonly values: readonly JsonValue[];
  /** Where it stands in the text that it was read from. */
  readonly start: number;
  readonly end: number;

  constructor(names: readonly string[], values: readonly JsonValue[], start: number, end: number) {
    this.names = names;
    this.values = values;
    this.start = start;
    this.end = end;
  }

  /** The value of a member, if it is found without much searching. */
  likely(name: string, position: number): JsonValue | undefined {
    if (this.names[position] === name) return this.values[position];
    return this.names.length <= FEW_MEMBERS ? this.values[this.names.indexOf(name)] : undefined;
  }
}

/** An object or array that is nested too deeply, as text. */
export class Unread {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a text has that no JSON should, and that is read nevertheless; or that kept it from being read in full. */
export type JsonFlaw = 'duplicate_names' | 'lone_surrogate' | 'not_a_number' | 'too_deep';

export interface JsonDocument {
  text: string;
  value: JsonValue;
  /** In no order, each once. */
  flaws: readonly JsonFlaw[];
  shape: Shape;
}

/** Where a text stops being JSON, counted in UTF-16 code units. */
export interface NotJson {
  at: number;
}

/**
 * Reads one value with whitespace around it. A name that an object has twice counts with its last value.
 *
 * A document that is much like an `earlier` one is read faster: names that are to be expected are passed without making
 * strings of them, and objects with the same text at corresponding places are the very same objects.
 */
export function parseJson(text: string, earlier: JsonDocument | null): JsonDocument | NotJson {
  return guarded(new Reader(text, earlier), (reader) => reader.whole());
}

/** Reads values that follow each other, each on a line of its own (NDJSON) or behind a record separator (RFC 7464). */
export function parseJsonLines(text: string, earlier: JsonDocument | null): JsonDocument | NotJson {
  return guarded(new Reader(text, earlier), (reader) => reader.sequence());
}

function guarded(reader: Reader, read: (reader: Reader) => JsonValue): JsonDocument | NotJson {
  try {
    const value = read(reader);
    return { text: reader.text, value, flaws: [...reader.flaws], shape: reader.shape };
  } catch (error) {
    if (error instanceof Malformed) return { at: reader.at };
    throw error;
  }
}

/** The names that objects had, by place. */
class Shape {
  /** Of the last object that stood here, itself or in arrays. None of them was written with an escape. */
  names: readonly string[] = [];
  readonly members: Shape[] = [];
}

class Malformed extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;
const RECORD_SEPARATOR = 0x1e;
/** Whole numbers of so many digits are doubles. */
const QUICK_DIGITS = 15;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NO_NAMES: readonly string[] = [];
const NAN = new ExactNumber('NaN');
const INFINITE = new ExactNumber('Infinity');
const MINUS_INFINITE = new ExactNumber('-Infinity');

/** The array that stood at the corresponding place of the earlier document, and which element is to be expected next. */
class Corresponding {
  readonly elements: readonly JsonValue[];
  next = 0;

  constructor(value: JsonValue | undefined) {
    this.elements = Array.isArray(value) ? value : [];
  }
}

class Reader {
  readonly flaws = new Set<JsonFlaw>();
  readonly text: string;
  readonly shape: Shape;
  at = 0;
  /** Text and value of a document whose objects may be taken over; empty and undefined when there is none. */
  readonly #earlierText: string;
  readonly #earlier: JsonValue | undefined;

  constructor(text: string, earlier: JsonDocument | null) {
    // What is taken over would bring flaws along that nobody sees.
    const isUsable = earlier !== null && earlier.flaws.length === 0;
    this.text = text;
    this.shape = earlier?.shape ?? new Shape();
    this.#earlierText = isUsable ? earlier.text : '';
    this.#earlier = isUsable ? earlier.value : undefined;
  }

  whole(): JsonValue {
    const value = this.#value(0, this.shape, -1, this.#earlier);
    if (!Number.isNaN(this.#skipSpace())) this.#fail();
    return value;
  }

  sequence(): JsonValue[] {
    const values: JsonValue[] = [];
    const earlier = new Corresponding(this.#earlier);
    for (;;) {
      let code = this.#skipSpace();
      while (code === RECORD_SEPARATOR) {
        this.at++;
        code = this.#skipSpace();
      }
      if (Number.isNaN(code)) return values;
      values.push(this.#element(0, this.shape, earlier));
    }
  }

  /**
   * `member` is the position among the members of the object that has the shape; -1 for an element of an array there.
   * `earlier` stood at the corresponding place of the earlier document.
   */
  #value(depth: number, shape: Shape, member: number, earlier: JsonValue | undefined): JsonValue {
    const code = this.#skipSpace();
    if (code === QUOTE) return this.#string();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.#number(code);
    if (code !== OPEN_BRACE && code !== OPEN_BRACKET) return this.#word(code);
    if (depth === DEPTH_MAX) return this.#unread();
    const inner = member < 0 ? shape : (shape.members[member] ??= new Shape());
    if (code === OPEN_BRACKET) return this.#array(depth + 1, inner, earlier);
    const object = earlier instanceof JsonObject ? earlier : null;
    return object !== null && this.#passesSame(object) ? object : this.#object(depth + 1, inner, object);
  }

  /** Passes an object that has the same text as an earlier one. */
  #passesSame({ start, end }: JsonObject): boolean {
    const { at, text } = this;
    // Most that differ do so soon.
    if (text.charCodeAt(at + end - start - 1) !== CLOSE_BRACE) return false;
    if (text.slice(at, at + end - start) !== this.#earlierText.slice(start, end)) return false;
    this.at = at + end - start;
    return true;
  }

  #object(depth: number, shape: Shape, earlier: JsonObject | null): JsonObject {
    const start = this.at;
    const values: JsonValue[] = [];
    this.at++;
    let code = this.#skipSpace();
    if (code === CLOSE_BRACE) {
      this.at++;
      return new JsonObject(NO_NAMES, values, start, this.at);
    }
    const expected = shape.names;
    let names: string[] | null = null;
    let known: Map<string, number> | null = null;
    let escaped = false;
    for (;;) {
      if (code !== QUOTE) this.#fail();
      let index = values.length;
      if (names !== null || index === expected.length || !this.#passesName(expected[index])) {
        names ??= expected.slice(0, index);
        const nameStart = this.at;
        const name = this.#string();
        escaped ||= this.at - nameStart !== name.length + 2;
        if (index === FEW_MEMBERS || (index > FEW_MEMBERS && known === null)) {
          known = new Map(names.map((each, position) => [each, position]));
        }
        const first = known === null ? names.indexOf(name) : (known.get(name) ?? -1);
        if (first >= 0) {
          this.flaws.add('duplicate_names');
          index = first;
        } else {
          known?.set(name, index);
          names.push(name);
        }
      }
      if (this.#skipSpace() !== COLON) this.#fail();
      this.at++;
      values[index] = this.#value(depth, shape, index, earlier?.likely((names ?? expected)[index], index));
      code = this.#skipSpace();
      if (code !== CLOSE_BRACE && code !== COMMA) this.#fail();
      this.at++;
      if (code === CLOSE_BRACE) break;
      code = this.#skipSpace();
    }
    if (names === null && values.length < expected.length) names = expected.slice(0, values.length);
    if (names !== null && !escaped) shape.names = names;
    return new JsonObject(names ?? expected, values, start, this.at);
  }

  /** Passes a name and its quotes, if it is the one that is expected, which must need no escapes. */
  #passesName(expected: string): boolean {
    const text = this.text;
    const end = this.at + 1 + expected.length;
    if (text.charCodeAt(end) !== QUOTE || !text.startsWith(expected, this.at + 1)) return false;
    this.at = end + 1;
    return true;
  }

  #array(depth: number, shape: Shape, earlierValue: JsonValue | undefined): JsonValue[] {
    const values: JsonValue[] = [];
    const earlier = new Corresponding(earlierValue);
    this.at++;
    if (this.#skipSpace() === CLOSE_BRACKET) {
      this.at++;
      return values;
    }
    for (;;) {
      values.push(this.#element(depth, shape, earlier));
      const code = this.#skipSpace();
      if (code !== CLOSE_BRACKET && code !== COMMA) this.#fail();
      this.at++;
      if (code === CLOSE_BRACKET) return values;
    }
  }

  /** An element, which may have been a place earlier or later in the array that corresponds. */
  #element(depth: number, shape: Shape, earlier: Corresponding): JsonValue {
    if (earlier.elements.length > 0 && this.#skipSpace() === OPEN_BRACE) {
      for (const index of [earlier.next, earlier.next + 1, earlier.next - 1]) {
        const element = earlier.elements[index];
        if (!(element instanceof JsonObject) || !this.#passesSame(element)) continue;
        earlier.next = index + 1;
        return element;
      }
    }
    return this.#value(depth, shape, -1, earlier.elements[earlier.next++]);
  }

  #string(): string {
    const text = this.text;
    const start = ++this.at;
    let at = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) break;
      // Also behind the end, where there is no code.
      if (!(code >= 0x20)) {
        this.at = at;
        this.#fail();
      }
      at++;
    }
    return this.#escapedString(start, at);
  }

  /** The string from `start`, whose first backslash is at `at`. */
  #escapedString(start: number, at: number): string {
    const text = this.text;
    let pieces = '';
    let pieceStart = start;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= 0x20)) {
        this.at = at;
        this.#fail();
      }
      if (code !== BACKSLASH) {
        at++;
        continue;
      }
      pieces += text.slice(pieceStart, at);
      const escape = text[at + 1];
      if (escape === 'u') {
        const hex = text.slice(at + 2, at + 6);
        this.at = at;
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail();
        pieces += String.fromCharCode(Number.parseInt(hex, 16));
        at += 6;
      } else {
        const plain = escape === undefined ? undefined : escapes[escape];
        this.at = at;
        if (plain === undefined) this.#fail();
        pieces += plain;
        at += 2;
      }
      pieceStart = at;
    }
    const value = pieces + text.slice(pieceStart, at);
    this.at = at + 1;
    if (!value.isWellFormed()) this.flaws.add('lone_surrogate');
    return value;
  }

  #number(first: number): number | ExactNumber {
    const text = this.text;
    const start = this.at;
    const negative = first === MINUS;
    let at = negative ? start + 1 : start;
    const digitsStart = at;
    let value = 0;
    let code = text.charCodeAt(at);
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      code = text.charCodeAt(++at);
    }
    const digits = at - digitsStart;
    this.at = at;
    if (digits === 0) return this.#minusInfinity(negative);
    if (digits > 1 && text.charCodeAt(digitsStart) === ZERO) this.#fail();
    // '.', 'e', 'E'
    if (code !== 0x2e && code !== 0x65 && code !== 0x45) {
      if (digits > QUICK_DIGITS) return numberOf(text.slice(start, at));
      return negative && value !== 0 ? -value : value;
    }
    const exponent = this.#fractionAndExponent(code);
    const written = text.slice(start, this.at);
    if (exponent || written.length > QUICK_DIGITS) return numberOf(written);
    // Adding nothing makes 0 of -0.
    return Number(written) + 0;
  }

  /** Passes what stands behind the whole part; true when there is an exponent. */
  #fractionAndExponent(code: number): boolean {
    if (code === 0x2e) code = this.#digitsFrom(this.at + 1);
    if (code !== 0x65 && code !== 0x45) return false;
    const sign = this.text.charCodeAt(this.at + 1);
    this.#digitsFrom(this.at + (sign === 0x2b || sign === MINUS ? 2 : 1));
    return true;
  }

  /** Passes at least one digit; the code of what follows. */
  #digitsFrom(start: number): number {
    let at = start;
    let code = this.text.charCodeAt(at);
    while (code >= ZERO && code <= NINE) code = this.text.charCodeAt(++at);
    this.at = at;
    if (at === start) this.#fail();
    return code;
  }

  #minusInfinity(negative: boolean): ExactNumber {
    if (!negative || !this.text.startsWith('Infinity', this.at)) this.#fail();
    this.at += 'Infinity'.length;
    this.flaws.add('not_a_number');
    return MINUS_INFINITE;
  }

  #word(first: number): JsonValue {
    switch (first) {
      case 0x74:
        return this.#literal('true', true);
      case 0x66:
        return this.#literal('false', false);
      case 0x6e:
        return this.#literal('null', null);
      case 0x4e:
        this.#literal('NaN', NAN);
        this.flaws.add('not_a_number');
        return NAN;
      case 0x49:
        this.#literal('Infinity', INFINITE);
        this.flaws.add('not_a_number');
        return INFINITE;
      default:
        return this.#fail();
    }
  }

  #literal<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.#fail();
    this.at += word.length;
    return value;
  }

  /** Passes an object or array by its brackets alone. */
  #unread(): Unread {
    const text = this.text;
    const start = this.at;
    let open = 0;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (Number.isNaN(code)) this.#fail();
      if (code === QUOTE) {
        this.#string();
        continue;
      }
      this.at++;
      if (code === OPEN_BRACE || code === OPEN_BRACKET) open++;
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --open === 0) break;
    }
    this.flaws.add('too_deep');
    return new Unread(text.slice(start, this.at));
  }

  /** Passes whitespace; the code of what follows, NaN at the end. */
  #skipSpace(): number {
    const text = this.text;
    let code = text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.at);
    return code;
  }

  #fail(): never {
    throw new Malformed();
  }
}
