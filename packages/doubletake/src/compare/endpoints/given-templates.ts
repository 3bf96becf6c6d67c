/**
 * Templates that the user gives: `/articles/{slug}`, `GET /files/**`. A segment in braces, or `*`, is any one segment,
 * `**` at the end is all that follows. Where several fit, a literal segment wins over a parameter, from left to right.
 */

interface Node {
  literals: Map<string, Node>;
  parameter: Node | null;
  /** The path as the user wrote it, where one ends; and where one ends in `**`. */
  end: string | null;
  rest: string | null;
}

export class GivenTemplates {
  /** By method; the empty one is for those of any method. */
  readonly #roots = new Map<string, Node>();

  constructor(templates: readonly string[]) {
    for (const template of templates) {
      const [, method = '', path = ''] = /^(?:(\S+) )?(\/.*)$/.exec(template) ?? [];
      let root = this.#roots.get(method);
      if (root === undefined) this.#roots.set(method, (root = newNode()));
      add(root, path);
    }
  }

  /** The path of the template that fits; null when none does. */
  find(method: string, path: string): string | null {
    if (this.#roots.size === 0) return null;
    const segments = path.slice(1).split('/');
    return find(this.#roots.get(method), segments, 0) ?? find(this.#roots.get(''), segments, 0);
  }
}

function newNode(): Node {
  return { literals: new Map(), parameter: null, end: null, rest: null };
}

function add(root: Node, path: string): void {
  let node = root;
  for (const segment of path.slice(1).split('/')) {
    if (segment === '**') {
      node.rest ??= path;
      return;
    }
    let child = isParameter(segment) ? node.parameter : node.literals.get(segment);
    if (child === undefined || child === null) {
      child = newNode();
      if (isParameter(segment)) node.parameter = child;
      else node.literals.set(segment, child);
    }
    node = child;
  }
  node.end ??= path;
}

/** Tries at most as many ways as there are templates. */
function find(node: Node | null | undefined, segments: readonly string[], index: number): string | null {
  if (node === null || node === undefined) return null;
  if (index === segments.length) return node.end ?? node.rest;
  return (
    find(node.literals.get(segments[index]), segments, index + 1) ?? find(node.parameter, segments, index + 1) ?? node.rest
  );
}

function isParameter(segment: string): boolean {
  return segment === '*' || /^\{[^{}]*\}$/.test(segment);
}
