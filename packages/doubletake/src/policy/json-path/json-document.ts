/**
 * A JSON text taken apart into nodes that know where they stand, so that a value can be replaced without touching a
 * byte around it. The text is latin1, a character for a byte of UTF-8. Strings and numbers are read when they are asked
 * for; members with equal names are all kept, in order.
 */

/** Beyond these a text is not read: what is nested deeper or has more values is no document that a service takes. */
const depthMax = 200;
const nodesMax = 500_000;

export interface JsonNode {
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'literal';
  readonly parent: JsonNode | null;
  /** Position among the children of `parent`. */
  readonly position: number;
  /** Name of the member that the value is of, decoded; empty for other values. */
  readonly name: string;
  /** Where the member begins (with its name), or the value when it is no member's. */
  readonly memberStart: number;
  readonly start: number;
  end: number;
  readonly children: JsonNode[];
}

/** What a node holds; an object or an array is its node. */
export type JsonValue = string | number | boolean | null | JsonNode;

export class JsonDocument {
  readonly source: string;
  readonly root: JsonNode;

  private constructor(source: string, root: JsonNode) {
    this.source = source;
    this.root = root;
  }

  /** Null when the text is not JSON (RFC 8259), or beyond the bounds. Raw control characters in strings are let pass. */
  static parse(source: string): JsonDocument | null {
    const root = new Reader(source).read();
    return root === null ? null : new JsonDocument(source, root);
  }

  valueOf(node: JsonNode): JsonValue {
    switch (node.kind) {
      case 'string':
        return decodeString(this.source.slice(node.start + 1, node.end - 1));
      case 'number':
        return Number(this.source.slice(node.start, node.end));
      case 'literal':
        return literals[this.source[node.start]].value;
      default:
        return node;
    }
  }
}

const literals: Readonly<Record<string, { word: string; value: boolean | null }>> = {
  t: { word: 'true', value: true },
  f: { word: 'false', value: false },
  n: { word: 'null', value: null },
};

const blanks = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escapeTail = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;
const noChildren: JsonNode[] = [];
const utf8Mark = '\u00ef\u00bb\u00bf';

/** Each method returns what it read, and null (or -1) when that is not there: then the text is not JSON. */
class Reader {
  readonly #source: string;
  #at: number;
  #nodes = 0;

  constructor(source: string) {
    this.#source = source;
    this.#at = source.startsWith(utf8Mark) ? utf8Mark.length : 0;
  }

  read(): JsonNode | null {
    this.#blanks();
    const root = this.#value(null, 0, '', this.#at, 0);
    this.#blanks();
    return this.#at === this.#source.length ? root : null;
  }

  #value(parent: JsonNode | null, position: number, name: string, memberStart: number, depth: number): JsonNode | null {
    if (++this.#nodes > nodesMax || depth > depthMax) return null;
    const start = this.#at;
    const first = this.#source[start];
    switch (first) {
      case '{':
      case '[': {
        const kind = first === '{' ? 'object' : 'array';
        const node: JsonNode = { kind, parent, position, name, memberStart, start, end: start, children: [] };
        return this.#children(node, depth) ? node : null;
      }
      case '"':
        return this.#leaf('string', parent, position, name, memberStart, this.#string());
      case 't':
      case 'f':
      case 'n': {
        const { word } = literals[first];
        const end = this.#source.startsWith(word, start) ? start + word.length : -1;
        return this.#leaf('literal', parent, position, name, memberStart, end);
      }
      default:
        number.lastIndex = start;
        return this.#leaf('number', parent, position, name, memberStart, number.test(this.#source) ? number.lastIndex : -1);
    }
  }

  #leaf(
    kind: 'string' | 'number' | 'literal',
    parent: JsonNode | null,
    position: number,
    name: string,
    memberStart: number,
    end: number,
  ): JsonNode | null {
    if (end < 0) return null;
    const start = this.#at;
    this.#at = end;
    return { kind, parent, position, name, memberStart, start, end, children: noChildren };
  }

  /** Reads what stands in an object or array, and its end. */
  #children(node: JsonNode, depth: number): boolean {
    const source = this.#source;
    const close = node.kind === 'object' ? '}' : ']';
    this.#at++;
    this.#blanks();
    if (source[this.#at] === close) {
      node.end = ++this.#at;
      return true;
    }
    for (;;) {
      const memberStart = this.#at;
      const name = node.kind === 'object' ? this.#name() : '';
      if (name === null) return false;
      const child = this.#value(node, node.children.length, name, memberStart, depth + 1);
      if (child === null) return false;
      node.children.push(child);
      this.#blanks();
      const next = source[this.#at++];
      if (next === close) {
        node.end = this.#at;
        return true;
      }
      if (next !== ',') return false;
      this.#blanks();
    }
  }

  /** A member's name and the colon behind it. */
  #name(): string | null {
    const start = this.#at;
    const end = this.#string();
    if (end < 0) return null;
    this.#at = end;
    this.#blanks();
    if (this.#source[this.#at++] !== ':') return null;
    this.#blanks();
    return decodeString(this.#source.slice(start + 1, end - 1));
  }

  /** Offset behind the string that begins here. */
  #string(): number {
    const source = this.#source;
    if (source[this.#at] !== '"') return -1;
    for (let at = this.#at + 1; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === 0x22) return at + 1;
      if (code === 0x5c) {
        escapeTail.lastIndex = at + 1;
        if (!escapeTail.test(source)) return -1;
        at = escapeTail.lastIndex - 1;
      }
    }
    return -1;
  }

  #blanks(): void {
    const code = this.#source.charCodeAt(this.#at);
    if (code > 0x20) return;
    blanks.lastIndex = this.#at;
    blanks.test(this.#source);
    this.#at = blanks.lastIndex;
  }
}

const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/gs;
const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** What stands between the quotes of a string says; its escapes are well-formed. */
function decodeString(raw: string): string {
  const text = isAscii(raw) ? raw : Buffer.from(raw, 'latin1').toString('utf8');
  if (!text.includes('\\')) return text;
  return text.replace(escapes, (_, hex: string | undefined, simple: string) =>
    hex === undefined ? (simpleEscapes[simple] ?? simple) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return false;
  }
  return true;
}
