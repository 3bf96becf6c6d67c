/**
 * Evaluates a JSONPath (RFC 9535 section 2) on a document. Its cost is counted and bounded, since both the path (filters
 * in descendants) and the document are not ours: what costs too much has no result.
 *
 * Where an object has several members of one name, a name selector names all of them; a filter that looks at the value
 * takes the last, as most readers of JSON do.
 */
import { compileIRegexp } from '../../config/i-regexp.ts';
import { parseJsonPath } from '../../config/json-path-parser.ts';
import type { Comparable, Condition, JsonPathQuery, Segment, Selector } from '../../config/json-path-syntax.ts';
import { areEqual, isLess, type Result } from './comparison.ts';
import { Cost, TooCostly } from './cost.ts';
import type { JsonDocument, JsonNode } from './json-document.ts';

/** Patterns that come out of a document are compiled up to this length. */
const foreignPatternCharsMax = 200;

export class JsonPath {
  readonly #query: JsonPathQuery;

  /** Throws `JsonPathSyntaxError`. */
  constructor(path: string) {
    this.#query = parseJsonPath(path);
  }

  /** Whether the path is `$`: the whole document. */
  get isRoot(): boolean {
    return this.#query.segments.length === 0;
  }

  /** The nodes that the path names, in the order of the RFC and as often as it names them; null when it costs too much. */
  select(document: JsonDocument): JsonNode[] | null {
    try {
      return new Evaluation(document).nodes(this.#query, document.root);
    } catch (error) {
      if (error instanceof TooCostly) return null;
      throw error;
    }
  }
}

class Evaluation {
  readonly #document: JsonDocument;
  readonly #cost = new Cost();

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  /** `current` is what `@` stands for. */
  nodes({ absolute, segments }: JsonPathQuery, current: JsonNode): JsonNode[] {
    return segments.reduce((nodes, segment) => this.#segment(segment, nodes), [absolute ? this.#document.root : current]);
  }

  #segment({ descendant, selectors }: Segment, nodes: readonly JsonNode[]): JsonNode[] {
    const out: JsonNode[] = [];
    for (const node of nodes) {
      if (descendant) this.#descend(node, selectors, out);
      else for (const selector of selectors) this.#select(selector, node, out);
    }
    return out;
  }

  /** A node, then what is below it (section 2.5.2.2). */
  #descend(node: JsonNode, selectors: readonly Selector[], out: JsonNode[]): void {
    this.#cost.add(1);
    for (const selector of selectors) this.#select(selector, node, out);
    for (const child of node.children) this.#descend(child, selectors, out);
  }

  #select(selector: Selector, node: JsonNode, out: JsonNode[]): void {
    const { children } = node;
    this.#cost.add(1);
    switch (selector.kind) {
      case 'name':
        if (node.kind !== 'object') return;
        this.#cost.add(children.length);
        for (const child of children) if (child.name === selector.name) out.push(child);
        return;
      case 'index': {
        if (node.kind !== 'array') return;
        const index = selector.index < 0 ? children.length + selector.index : selector.index;
        if (index >= 0 && index < children.length) out.push(children[index]);
        return;
      }
      case 'slice':
        if (node.kind === 'array') this.#slice(selector, children, out);
        return;
      case 'wildcard':
        this.#cost.add(children.length);
        for (const child of children) out.push(child);
        return;
      default:
        this.#cost.add(children.length);
        for (const child of children) if (this.#holds(selector.condition, child)) out.push(child);
    }
  }

  /** Section 2.3.4.2.2. */
  #slice({ start, end, step }: Extract<Selector, { kind: 'slice' }>, children: readonly JsonNode[], out: JsonNode[]): void {
    const { length } = children;
    const fromEnd = (index: number): number => (index < 0 ? length + index : index);
    const bounded = (index: number, least: number, most: number): number => Math.min(Math.max(index, least), most);
    if (step > 0) {
      const upper = bounded(fromEnd(end ?? length), 0, length);
      for (let index = bounded(fromEnd(start ?? 0), 0, length); index < upper; index += step) out.push(children[index]);
    } else if (step < 0) {
      const lower = end === null ? -1 : bounded(fromEnd(end), -1, length - 1);
      for (let index = bounded(fromEnd(start ?? length - 1), -1, length - 1); index > lower; index += step) out.push(children[index]);
    }
    this.#cost.add(step === 0 ? 0 : length / Math.abs(step));
  }

  #holds(condition: Condition, current: JsonNode): boolean {
    this.#cost.add(1);
    switch (condition.kind) {
      case 'or':
        return condition.operands.some((operand) => this.#holds(operand, current));
      case 'and':
        return condition.operands.every((operand) => this.#holds(operand, current));
      case 'not':
        return !this.#holds(condition.operand, current);
      case 'exists':
        return this.nodes(condition.query, current).length > 0;
      case 'compare':
        return this.#compare(condition, current);
      default:
        return this.#matches(condition, current);
    }
  }

  #compare({ operator, left, right }: Extract<Condition, { kind: 'compare' }>, current: JsonNode): boolean {
    const one = this.#value(left, current);
    const other = this.#value(right, current);
    const equal = (): boolean => areEqual(one, other, this.#document, this.#cost);
    switch (operator) {
      case '==':
        return equal();
      case '!=':
        return !equal();
      case '<':
        return isLess(one, other);
      case '>':
        return isLess(other, one);
      case '<=':
        return isLess(one, other) || equal();
      case '>=':
        return isLess(other, one) || equal();
    }
  }

  #matches({ kind, text, pattern, compiled }: Extract<Condition, { kind: 'match' | 'search' }>, current: JsonNode): boolean {
    const subject = this.#value(text, current);
    if (typeof subject !== 'string') return false;
    const expression = compiled ?? this.#foreignPattern(this.#value(pattern, current), subject.length);
    if (expression === null) return false;
    return kind === 'match' ? expression.testExact(subject) : expression.test(subject);
  }

  /** A pattern from the document costs what it can make of the text; one that is none matches nothing (section 2.4.6). */
  #foreignPattern(pattern: Result, textLength: number): ReturnType<typeof compileIRegexp> {
    if (typeof pattern !== 'string' || pattern.length > foreignPatternCharsMax) return null;
    const repeats = pattern.includes('{') ? 100 : 1;
    this.#cost.add((1 + pattern.length) * repeats * (10 + textLength / 10));
    return compileIRegexp(pattern);
  }

  /** Undefined is 'Nothing' (section 2.4.1). */
  #value(comparable: Comparable, current: JsonNode): Result {
    switch (comparable.kind) {
      case 'literal':
        return comparable.value;
      case 'query':
        return this.#valueOf(this.nodes(comparable.query, current).at(-1));
      case 'count':
        return this.nodes(comparable.of, current).length;
      case 'value': {
        const nodes = this.nodes(comparable.of, current);
        return nodes.length === 1 ? this.#valueOf(nodes[0]) : undefined;
      }
      case 'length':
        return this.#length(this.#value(comparable.of, current));
    }
  }

  /** Section 2.4.4: of text in Unicode scalar values. */
  #length(value: Result): number | undefined {
    if (typeof value === 'string') {
      let length = 0;
      for (let at = 0; at < value.length; at += (value.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) length++;
      return length;
    }
    return typeof value === 'object' && value !== null ? value.children.length : undefined;
  }

  #valueOf(node: JsonNode | undefined): Result {
    if (node === undefined) return undefined;
    if (node.kind === 'string') this.#cost.add((node.end - node.start) / 8);
    return this.#document.valueOf(node);
  }
}
