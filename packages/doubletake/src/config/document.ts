/**
 * A configuration file as a document that knows its places: YAML 1.2, of which JSON is a part, with environment
 * variables expanded. A path such as `targets, 0, url` leads to the value and to its line and column.
 */
import { type Document, isAlias, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { type Environment, expandEnvironment } from './environment.ts';
import { ConfigError, type Problem } from './problem.ts';

export type Path = readonly PropertyKey[];

export interface Place {
  line: number;
  column: number;
}

/** Values shorter than this are no secrets, and stand in many a text by chance. */
const hiddenLengthMin = 4;

export class ConfigDocument {
  readonly file: string;
  /** The content as plain values. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  /** Scalars that hold a variable's value, with the text that stands in the file. */
  readonly #expanded: ReadonlyMap<Node, string>;

  /** `environment` is null where no variables are expanded. Throws a `ConfigError` for what is no YAML, and for variables that are not set. */
  constructor(file: string, text: string, environment: Environment | null) {
    this.file = file;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
    this.#refuse([...this.#document.errors, ...this.#document.warnings].map(({ pos, message }) => this.#problem(pos[0], message)));
    const expanded = new Map<Node, string>();
    if (environment !== null) this.#refuse(this.#expand(text, environment, expanded));
    this.#expanded = expanded;
    this.value = this.#plainValues();
  }

  /** Where the value at `path` stands, or what comes nearest to it when it is not there. */
  place(path: Path): Place {
    return this.#placeAt(this.#find(path).offset);
  }

  /** Where `key` of the mapping at `path` stands. */
  placeOfKey(path: Path, key: string): Place {
    const { node, offset } = this.#find(path);
    const pair = isMap(node) ? node.items.find((item) => keyText(item.key) === key) : undefined;
    return this.#placeAt(isNode(pair?.key) ? (pair.key.range?.[0] ?? offset) : offset);
  }

  has(path: Path): boolean {
    return this.#find(path).whole;
  }

  /** The text in the file of a value that came from the environment; null for every other value. */
  sourceOfVariable(path: Path): string | null {
    const { node } = this.#find(path);
    return node === null ? null : (this.#expanded.get(node) ?? null);
  }

  /** `text` with the values of the environment's variables in it replaced by what stands in the file for them. */
  hide(text: string): string {
    let hidden = text;
    for (const [node, source] of this.#expanded) {
      const value = isScalar(node) ? String(node.value) : '';
      if (value.length >= hiddenLengthMin) hidden = hidden.replaceAll(value, () => source);
    }
    return hidden;
  }

  /** Puts the variables' values in place of their names; returns what could not be. */
  #expand(source: string, environment: Environment, expanded: Map<Node, string>): Problem[] {
    const problems: Problem[] = [];
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
        const start = node.range?.[0] ?? 0;
        const { text, fromEnvironment, problems: found } = expandEnvironment(node.value, environment);
        for (const { at, message } of found) {
          const offset = source.indexOf(at, start);
          problems.push(this.#problem(offset < 0 ? start : offset, message));
        }
        if (fromEnvironment) expanded.set(node, node.value);
        node.value = text;
      },
    });
    return problems;
  }

  #plainValues(): unknown {
    try {
      return this.#document.toJS() as unknown;
    } catch (error) {
      // Aliases of aliases that would unfold to more than memory can hold.
      if (!(error instanceof ReferenceError)) throw error;
      throw new ConfigError(this.file, [this.#problem(0, error.message)]);
    }
  }

  /** Follows `path` as far as it goes. */
  #find(path: Path): { node: Node | null; offset: number; whole: boolean } {
    let node = this.#resolve(this.#document.contents);
    let offset = node?.range?.[0] ?? 0;
    for (const step of path) {
      let next: unknown = null;
      if (isMap(node)) {
        const pair = node.items.find((item) => keyText(item.key) === String(step));
        if (pair === undefined) return { node, offset, whole: false };
        if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
        next = pair.value;
      } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
        next = node.items[step];
      } else {
        return { node, offset, whole: false };
      }
      node = this.#resolve(next);
      // A collection begins where its first entry does; the key says better what is meant.
      const begins = isNode(next) && (!isCollection(next) || typeof step === 'number') ? next.range?.[0] : undefined;
      offset = begins ?? offset;
    }
    return { node, offset, whole: true };
  }

  #resolve(node: unknown): Node | null {
    if (isAlias(node)) return node.resolve(this.#document) ?? null;
    return isNode(node) ? node : null;
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    // An empty file has no lines to count.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #problem(offset: number, text: string): Problem {
    return { place: this.#placeAt(offset), text: text.replaceAll('\n', ' ') };
  }

  #refuse(problems: readonly Problem[]): void {
    if (problems.length > 0) throw new ConfigError(this.file, problems);
  }
}

/** What is at `path` in a plain value; undefined when it is not there. */
export function valueAt(value: unknown, path: Path): unknown {
  let inside = value;
  for (const step of path) {
    if (typeof inside !== 'object' || inside === null || !Object.hasOwn(inside, step)) return undefined;
    inside = Reflect.get(inside, step);
  }
  return inside;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}
