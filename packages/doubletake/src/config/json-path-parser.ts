/**
 * Reads a JSONPath: the grammar of RFC 9535 (sections 2.1 to 2.4, Appendix A) with the types of its functions. What is
 * read without an error is well-formed and valid.
 */
import type { RE2JS } from 're2js';
import { compileIRegexp } from './i-regexp.ts';
import type { Comparable, Condition, JsonPathQuery, Operator, Segment, Selector } from './json-path-syntax.ts';

/** A path that cannot be understood, with the reason and where it is in plain words. */
export class JsonPathSyntaxError extends Error {}

const pathCharsMax = 1_000;

/** Throws `JsonPathSyntaxError`. */
export function parseJsonPath(path: string): JsonPathQuery {
  if (path.length > pathCharsMax) throw new JsonPathSyntaxError(`longer than ${pathCharsMax} characters`);
  return new Parser(path).read();
}

const blanks = /[ \t\n\r]*/y;
const shorthand = /[A-Za-z_\u{80}-\u{D7FF}\u{E000}-\u{10FFFF}][A-Za-z0-9_\u{80}-\u{D7FF}\u{E000}-\u{10FFFF}]*/uy;
const integer = /0|-?[1-9]\d*/y;
const number = /(?:-0|0|-?[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const operator = /==|!=|<=|>=|<|>/y;
const word = /[a-z][a-z0-9_]*/y;
const escape = /\\(?:u([0-9a-fA-F]{4})|(.))/suy;
const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '/': '/', '\\': '\\' };
const keywords: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** What stands where a value, a query or a function may; what it may be there is decided by what follows. */
type Operand =
  | Comparable
  | Extract<Condition, { kind: 'match' | 'search' }>
  /** Names any number of nodes. */
  | { kind: 'nodes'; query: JsonPathQuery };

class Parser {
  readonly #path: string;
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): JsonPathQuery {
    if (!this.#take('$')) throw this.#error('a JSONPath begins with $');
    const segments = this.#segments();
    if (this.#at < this.#path.length) throw this.#error('expected "." or "["');
    return { absolute: true, segments };
  }

  #segments(): Segment[] {
    const segments: Segment[] = [];
    for (;;) {
      const before = this.#at;
      this.#blanks();
      if (this.#take('..')) segments.push({ descendant: true, selectors: this.#shortOrBracketed() });
      else if (this.#take('.')) segments.push({ descendant: false, selectors: this.#short() });
      else if (this.#path[this.#at] === '[') segments.push({ descendant: false, selectors: this.#bracketed() });
      else {
        this.#at = before;
        return segments;
      }
    }
  }

  #shortOrBracketed(): Selector[] {
    return this.#path[this.#at] === '[' ? this.#bracketed() : this.#short();
  }

  #short(): Selector[] {
    if (this.#take('*')) return [{ kind: 'wildcard' }];
    const name = this.#match(shorthand);
    if (name === null) throw this.#error('expected a name or *');
    return [{ kind: 'name', name }];
  }

  #bracketed(): Selector[] {
    this.#expect('[');
    const selectors: Selector[] = [];
    do {
      this.#blanks();
      selectors.push(this.#selector());
      this.#blanks();
    } while (this.#take(','));
    this.#expect(']');
    return selectors;
  }

  #selector(): Selector {
    const next = this.#path[this.#at];
    if (next === "'" || next === '"') return { kind: 'name', name: this.#string() };
    if (this.#take('*')) return { kind: 'wildcard' };
    if (this.#take('?')) {
      this.#blanks();
      return { kind: 'filter', condition: this.#or() };
    }
    const first = this.#integer();
    const behind = this.#at;
    this.#blanks();
    if (this.#take(':')) return this.#slice(first);
    this.#at = behind;
    if (first === null) throw this.#error('expected a name in quotes, an index, a slice, * or a filter');
    return { kind: 'index', index: first };
  }

  #slice(start: number | null): Selector {
    this.#blanks();
    const end = this.#integer();
    const behind = this.#at;
    this.#blanks();
    if (!this.#take(':')) {
      this.#at = behind;
      return { kind: 'slice', start, end, step: 1 };
    }
    const colon = this.#at;
    this.#blanks();
    const step = this.#integer();
    if (step === null) this.#at = colon;
    return { kind: 'slice', start, end, step: step ?? 1 };
  }

  #or(): Condition {
    const operands = [this.#and()];
    while (this.#takeSpaced('||')) operands.push(this.#and());
    return operands.length === 1 ? operands[0] : { kind: 'or', operands };
  }

  #and(): Condition {
    const operands = [this.#basic()];
    while (this.#takeSpaced('&&')) operands.push(this.#basic());
    return operands.length === 1 ? operands[0] : { kind: 'and', operands };
  }

  #basic(): Condition {
    if (this.#take('!')) {
      this.#blanks();
      const operand = this.#path[this.#at] === '(' ? this.#parenthesized() : this.#test(this.#operand());
      return { kind: 'not', operand };
    }
    if (this.#path[this.#at] === '(') return this.#parenthesized();
    const left = this.#operand();
    const behind = this.#at;
    this.#blanks();
    const found = this.#match(operator);
    if (found === null) {
      this.#at = behind;
      return this.#test(left);
    }
    const comparable = this.#comparable(left);
    this.#blanks();
    return { kind: 'compare', operator: found as Operator, left: comparable, right: this.#comparable(this.#operand()) };
  }

  #parenthesized(): Condition {
    this.#expect('(');
    this.#blanks();
    const condition = this.#or();
    this.#blanks();
    this.#expect(')');
    return condition;
  }

  #test(operand: Operand): Condition {
    switch (operand.kind) {
      case 'query':
      case 'nodes':
        return { kind: 'exists', query: operand.query };
      case 'match':
      case 'search':
        return operand;
      default:
        throw this.#error('a value alone is no condition: expected a comparison behind it');
    }
  }

  #comparable(operand: Operand): Comparable {
    switch (operand.kind) {
      case 'nodes':
        throw this.#error('a query that can name several nodes cannot be compared: use count() or value()');
      case 'match':
      case 'search':
        throw this.#error(`${operand.kind}() is true or false and cannot be compared`);
      default:
        return operand;
    }
  }

  #operand(): Operand {
    const next = this.#path[this.#at];
    if (next === '@' || next === '$') {
      const query = this.#query();
      return { kind: isSingular(query) ? 'query' : 'nodes', query };
    }
    if (next === "'" || next === '"') return { kind: 'literal', value: this.#string() };
    const numeral = this.#match(number);
    if (numeral !== null) return { kind: 'literal', value: Number(numeral) };
    const start = this.#at;
    const name = this.#match(word);
    if (name !== null && this.#take('(')) return this.#call(name);
    if (name !== null && Object.hasOwn(keywords, name)) return { kind: 'literal', value: keywords[name] };
    this.#at = start;
    throw this.#error('expected @, $, a text in quotes, a number, true, false, null or a function');
  }

  #query(): JsonPathQuery {
    const absolute = this.#take('$');
    if (!absolute) this.#expect('@');
    return { absolute, segments: this.#segments() };
  }

  #call(name: string): Operand {
    switch (name) {
      case 'length':
        return { kind: name, of: this.#lastArgument(() => this.#comparable(this.#operand())) };
      case 'count':
      case 'value':
        return { kind: name, of: this.#lastArgument(() => this.#nodes(name)) };
      case 'match':
      case 'search': {
        this.#blanks();
        const text = this.#comparable(this.#operand());
        this.#blanks();
        this.#expect(',');
        const pattern = this.#lastArgument(() => this.#comparable(this.#operand()));
        return { kind: name, text, pattern, compiled: this.#compiled(pattern) };
      }
      default:
        throw this.#error(`there is no function ${name}(): expected length, count, match, search or value`);
    }
  }

  #lastArgument<Argument>(read: () => Argument): Argument {
    this.#blanks();
    const argument = read();
    this.#blanks();
    this.#expect(')');
    return argument;
  }

  #nodes(name: string): JsonPathQuery {
    const operand = this.#operand();
    if (operand.kind === 'query' || operand.kind === 'nodes') return operand.query;
    throw this.#error(`${name}() takes a query`);
  }

  #compiled(pattern: Comparable): RE2JS | null {
    if (pattern.kind !== 'literal' || typeof pattern.value !== 'string') return null;
    const compiled = compileIRegexp(pattern.value);
    if (compiled === null) throw this.#error(`${JSON.stringify(pattern.value)} is not a regular expression of RE2`);
    return compiled;
  }

  #integer(): number | null {
    const text = this.#match(integer);
    if (text === null) return null;
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw this.#error('a number is too large');
    return value;
  }

  #string(): string {
    const quote = this.#path[this.#at++];
    let text = '';
    for (;;) {
      const char = this.#path[this.#at];
      if (char === undefined || char < ' ') throw this.#error('a text in quotes does not end');
      if (char === quote) {
        this.#at++;
        if (!text.isWellFormed()) throw this.#error('an escape is half of a character');
        return text;
      }
      text += char === '\\' ? this.#escaped(quote) : char;
      if (char !== '\\') this.#at++;
    }
  }

  #escaped(quote: string): string {
    escape.lastIndex = this.#at;
    const match = escape.exec(this.#path);
    const [whole = '', hex, simple = ''] = match ?? [];
    const char = hex === undefined ? (simple === quote ? quote : simpleEscapes[simple]) : String.fromCharCode(Number.parseInt(hex, 16));
    if (char === undefined) throw this.#error('this is no escape');
    this.#at += whole.length;
    return char;
  }

  #blanks(): void {
    this.#match(blanks);
  }

  /** Passes `text`, with blanks around it, or nothing. */
  #takeSpaced(text: string): boolean {
    const before = this.#at;
    this.#blanks();
    if (this.#take(text)) {
      this.#blanks();
      return true;
    }
    this.#at = before;
    return false;
  }

  #take(text: string): boolean {
    if (!this.#path.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#error(`expected "${text}"`);
  }

  #match(expression: RegExp): string | null {
    expression.lastIndex = this.#at;
    const text = expression.exec(this.#path)?.[0];
    if (text === undefined) return null;
    this.#at += text.length;
    return text;
  }

  #error(message: string): JsonPathSyntaxError {
    const where = this.#at < this.#path.length ? `at character ${this.#at + 1}` : 'at the end';
    return new JsonPathSyntaxError(`${message} ${where}`);
  }
}

/** Whether it names at most one node (RFC 9535 section 2.3.5.1). */
function isSingular({ segments }: JsonPathQuery): boolean {
  return segments.every(
    ({ descendant, selectors }) =>
      !descendant && selectors.length === 1 && (selectors[0].kind === 'name' || selectors[0].kind === 'index'),
  );
}
