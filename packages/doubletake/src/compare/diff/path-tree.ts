/**
 * The paths at which values stand, as a tree that is kept from pair to pair: finding the path of a value is a look at the
 * node of the one around it, and rules are asked for once. Names that vary from document to document share a node.
 */
import type { FieldRules } from './options.ts';

const PATH_LENGTH_MAX = 512;
/** Of one tree: real answers have some hundred; beyond this the tree is grown anew. */
const NODES_MAX = 5_000;

/** Names that are data: numbers, UUIDs, long hexadecimal or digit-laden ones. */
const VARYING_NAME =
  /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|(?=(?:\D*\d){4})[\w-]{20,}|\d{4}-\d\d-\d\d.*)$/i;
const PLAIN_NAME = /^[A-Za-z_][\w-]*$/;

export class PathNode {
  readonly path: string;
  readonly rules: FieldRules;
  readonly #tree: PathTree;
  #members: Map<string, PathNode> | null = null;
  readonly #inOrder: PathNode[] = [];
  readonly #names: string[] = [];
  #elements: PathNode | null = null;
  #varying: PathNode | null = null;
  /** The last comparison in which a value stood here. */
  seenIn = 0;

  constructor(path: string, tree: PathTree) {
    this.path = path;
    this.rules = tree.rulesOf(path);
    this.#tree = tree;
  }

  /** Node of the member `name` of an object. `position` is where among its siblings it probably stands. */
  member(name: string, position: number): PathNode {
    if (this.#names[position] === name) return this.#inOrder[position];
    const known = this.#members?.get(name);
    if (known !== undefined) return known;
    if (VARYING_NAME.test(name)) return (this.#varying ??= this.#grow(`${this.path}.*`));
    const kept = copyOf(name);
    return this.#keep(kept, this.#grow(this.path + memberStep(kept)));
  }

  /** Node of what `step` leads to from here, in paths that are written otherwise: `/item`, `/@id`. */
  step(step: string): PathNode {
    const known = this.#members?.get(step);
    if (known !== undefined) return known;
    const kept = copyOf(step);
    return this.#keep(kept, this.#grow(this.path + kept));
  }

  get elements(): PathNode {
    return (this.#elements ??= this.#grow(`${this.path}[*]`));
  }

  #keep(name: string, node: PathNode): PathNode {
    if (!this.#tree.hasRoom || name.length > PATH_LENGTH_MAX) return node;
    (this.#members ??= new Map()).set(name, node);
    this.#names.push(name);
    this.#inOrder.push(node);
    return node;
  }

  #grow(path: string): PathNode {
    return this.#tree.grow(path);
  }
}

export class PathTree {
  readonly #rulesOf: (path: string) => FieldRules | undefined;
  readonly #roots = new Map<string, PathNode>();
  #nodes = 0;

  constructor(rulesOf: (path: string) => FieldRules | undefined) {
    this.#rulesOf = rulesOf;
  }

  /** Node of a path that is not inside another: `status`, `header:etag`, `$`. */
  root(path: string): PathNode {
    const known = this.#roots.get(path);
    if (known !== undefined) return known;
    const node = this.grow(copyOf(path));
    if (this.hasRoom) this.#roots.set(node.path, node);
    return node;
  }

  /** To be called between two comparisons. */
  prune(): void {
    if (this.hasRoom) return;
    this.#roots.clear();
    this.#nodes = 0;
  }

  get hasRoom(): boolean {
    return this.#nodes < NODES_MAX;
  }

  grow(path: string): PathNode {
    this.#nodes++;
    return new PathNode(path.length <= PATH_LENGTH_MAX ? path : `${path.slice(0, PATH_LENGTH_MAX - 1)}…`, this);
  }

  rulesOf(path: string): FieldRules {
    return this.#rulesOf(path) ?? NO_RULES;
  }
}

const NO_RULES: FieldRules = Object.freeze({});

/** A text of its own: one that was cut out of a document holds on to the whole of it. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** A step to a member as it is written in a path: `.name`, or `['a name']` where the name would not read as one. */
export function memberStep(name: string): string {
  if (PLAIN_NAME.test(name)) return `.${name}`;
  const short = name.length <= PATH_LENGTH_MAX ? name : name.slice(0, PATH_LENGTH_MAX);
  return `['${short.replace(/[\\']/g, String.raw`\$&`)}']`;
}
