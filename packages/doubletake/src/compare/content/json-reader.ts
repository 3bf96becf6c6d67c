/** Reads JSON documents, each character once. `json.ts` is its face. */
import { JsonScanner, MINUS, NINE, QUOTE, ZERO } from './json-scanner.ts';
import { DEPTH_MAX, FEW_MEMBERS, type JsonDocument, JsonObject, type JsonValue, Shape, Unread } from './json-values.ts';

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const RECORD_SEPARATOR = 0x1e;

const NO_NAMES: readonly string[] = [];

/** The array that stood at the corresponding place of the earlier document, and which element is to be expected next. */
class Corresponding {
  readonly elements: readonly JsonValue[];
  next = 0;

  constructor(value: JsonValue | undefined) {
    this.elements = Array.isArray(value) ? value : [];
  }
}

/** The names of an object that is being read. */
class Names {
  readonly list: string[];
  /** One of them was written with an escape. */
  areEscaped = false;
  #positions: Map<string, number> | null = null;

  /** The names may not be in the list twice. */
  constructor(list: string[]) {
    this.list = list;
  }

  /** The position of a name, which is new unless the object has it already. */
  add(name: string): number {
    const count = this.list.length;
    if (count >= FEW_MEMBERS) this.#positions ??= new Map(this.list.map((known, index) => [known, index]));
    const index = this.#positions === null ? this.list.indexOf(name) : (this.#positions.get(name) ?? -1);
    if (index >= 0) return index;
    this.#positions?.set(name, count);
    this.list.push(name);
    return count;
  }
}

export class JsonReader extends JsonScanner {
  readonly shape: Shape;
  /** Text and value of a document whose objects may be taken over; empty and undefined when there is none. */
  readonly #earlierText: string;
  readonly #earlier: JsonValue | undefined;

  constructor(text: string, earlier: JsonDocument | null) {
    super(text);
    // What is taken over would bring flaws along that nobody sees.
    const isUsable = earlier !== null && earlier.flaws.length === 0;
    this.shape = earlier?.shape ?? new Shape();
    this.#earlierText = isUsable ? earlier.text : '';
    this.#earlier = isUsable ? earlier.value : undefined;
  }

  whole(): JsonValue {
    const value = this.#value(0, this.shape, -1, this.#earlier);
    if (!Number.isNaN(this.skipSpace())) this.fail();
    return value;
  }

  sequence(): JsonValue[] {
    const values: JsonValue[] = [];
    const earlier = new Corresponding(this.#earlier);
    for (;;) {
      let code = this.skipSpace();
      while (code === RECORD_SEPARATOR) {
        this.at++;
        code = this.skipSpace();
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
    const code = this.skipSpace();
    if (code === QUOTE) return this.string();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number(code);
    if (code !== OPEN_BRACE && code !== OPEN_BRACKET) return this.word(code);
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
    let code = this.skipSpace();
    if (code === CLOSE_BRACE) {
      this.at++;
      return new JsonObject(NO_NAMES, values, start, this.at);
    }
    const expected = shape.names;
    /** Null as long as they are the ones expected. */
    let names: Names | null = null;
    for (;;) {
      if (code !== QUOTE) this.fail();
      let index = values.length;
      if (names !== null || index === expected.length || !this.#passesName(expected[index])) {
        names ??= new Names(expected.slice(0, index));
        index = this.#name(names);
      }
      if (this.skipSpace() !== COLON) this.fail();
      this.at++;
      values[index] = this.#value(depth, shape, index, earlier?.likely((names?.list ?? expected)[index], index));
      code = this.skipSpace();
      if (code !== CLOSE_BRACE && code !== COMMA) this.fail();
      this.at++;
      if (code === CLOSE_BRACE) break;
      code = this.skipSpace();
    }
    if (names === null && values.length < expected.length) names = new Names(expected.slice(0, values.length));
    if (names?.areEscaped === false) shape.names = names.list;
    return new JsonObject(names?.list ?? expected, values, start, this.at);
  }

  /** Reads a name; the position of its member. */
  #name(names: Names): number {
    const start = this.at;
    const name = this.string();
    if (this.at - start !== name.length + 2) names.areEscaped = true;
    const count = names.list.length;
    const index = names.add(name);
    if (index < count) this.flaws.add('duplicate_names');
    return index;
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
    if (this.skipSpace() === CLOSE_BRACKET) {
      this.at++;
      return values;
    }
    for (;;) {
      values.push(this.#element(depth, shape, earlier));
      const code = this.skipSpace();
      if (code !== CLOSE_BRACKET && code !== COMMA) this.fail();
      this.at++;
      if (code === CLOSE_BRACKET) return values;
    }
  }

  /** An element, which may have been a place earlier or later in the array that corresponds. */
  #element(depth: number, shape: Shape, earlier: Corresponding): JsonValue {
    if (earlier.elements.length > 0 && this.skipSpace() === OPEN_BRACE) {
      for (const index of [earlier.next, earlier.next + 1, earlier.next - 1]) {
        const element = earlier.elements[index];
        if (!(element instanceof JsonObject) || !this.#passesSame(element)) continue;
        earlier.next = index + 1;
        return element;
      }
    }
    return this.#value(depth, shape, -1, earlier.elements[earlier.next++]);
  }

  /** Passes an object or array by its brackets alone. */
  #unread(): Unread {
    const text = this.text;
    const start = this.at;
    let open = 0;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (Number.isNaN(code)) this.fail();
      if (code === QUOTE) {
        this.string();
        continue;
      }
      this.at++;
      if (code === OPEN_BRACE || code === OPEN_BRACKET) open++;
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --open === 0) break;
    }
    this.flaws.add('too_deep');
    return new Unread(text.slice(start, this.at));
  }
}
