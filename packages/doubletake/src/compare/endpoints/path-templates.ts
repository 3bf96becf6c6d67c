/**
 * Path templates, learned: which places of a path name one of many things. What an identifier looks like by itself is
 * `{id}` already (policy/endpoint.ts); here are words: `/articles/how-to-tie-a-knot`, `/users/alice/orders`. They are
 * told from the names of routes by what else stands at the same place: how many there are, whether they look like
 * slugs, and whether the same names follow them.
 *
 * A place that has become a parameter stays one. Paths that were told apart until then are one template from then on:
 * `current` says which.
 */

const nodesMax = 50_000;
/** Names of routes side by side; a service with more has parameters there. */
const literalsMax = 200;
/** Of which at least half look like slugs, if they are to be a parameter. */
const slugsMin = 8;
/** Behind which the same name follows. */
const alikeMin = 25;
/** Words of which many are seen once: new ones keep coming. */
const wordsMin = 60;
const onceShareMin = 0.3;
/** A name with this share of the requests keeps its own place beside the parameter: `/users/me`. */
const keptShare = 0.05;
const keptMin = 50;

const PARAMETER = '{slug}';
const IDENTIFIER = '{id}';

class Node {
  readonly children = new Map<string, Node>();
  /** Of the children, those that are no parameters. */
  literals = 0;
  visits = 0;
  /** Takes every segment that has no child of its own; null until this place is a parameter. */
  rest: { name: string; node: Node } | null = null;
}

export class PathTemplates {
  readonly #root = new Node();
  #nodes = 1;
  #merges = 0;

  /** How often a place has become a parameter; templates given before may have another name since. */
  get merges(): number {
    return this.#merges;
  }

  /**
   * Counts a path and gives its template; null when there are too many paths to tell this one apart. `path` begins with
   * a slash, and its identifiers are parameters already.
   */
  learn(path: string): string | null {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of path.slice(1).split('/')) {
      const step = next(node, segment) ?? this.#grow(node, segment);
      if (step === null) return null;
      node = step.node;
      node.visits++;
      names.push(step.name);
    }
    return `/${names.join('/')}`;
  }

  /** The template that a template given before has now, or a path would have. Counts nothing. */
  current(template: string): string {
    let node: Node | undefined = this.#root;
    const names: string[] = [];
    for (const segment of template.slice(1).split('/')) {
      const step: Step | undefined = node === undefined ? undefined : next(node, segment);
      names.push(step?.name ?? segment);
      node = step?.node;
    }
    return `/${names.join('/')}`;
  }

  #grow(parent: Node, segment: string): Step | null {
    if (this.#nodes >= nodesMax) return null;
    this.#nodes++;
    const node = new Node();
    parent.children.set(segment, node);
    if (isParameter(segment)) return { name: segment, node };
    parent.literals++;
    if (!isPlaceOfMany(parent)) return { name: segment, node };
    this.#generalize(parent);
    return next(parent, segment) ?? { name: segment, node };
  }

  #generalize(parent: Node): void {
    const identifiers = parent.children.get(IDENTIFIER);
    const rest = { name: identifiers === undefined ? PARAMETER : IDENTIFIER, node: identifiers ?? new Node() };
    for (const [segment, child] of parent.children) {
      if (isParameter(segment)) continue;
      if (child.visits >= keptMin && child.visits >= keptShare * parent.visits) continue;
      parent.children.delete(segment);
      parent.literals--;
      this.#merge(rest.node, child);
    }
    parent.rest = rest;
    this.#nodes++;
    this.#merges++;
  }

  #merge(into: Node, from: Node): void {
    this.#nodes--;
    into.visits += from.visits;
    into.rest ??= from.rest;
    if (from.rest !== null && into.rest !== null && into.rest !== from.rest) this.#merge(into.rest.node, from.rest.node);
    for (const [segment, child] of from.children) {
      const same = next(into, segment)?.node;
      if (same !== undefined) {
        this.#merge(same, child);
      } else {
        into.children.set(segment, child);
        if (!isParameter(segment)) into.literals++;
      }
    }
  }
}

interface Step {
  name: string;
  node: Node;
}

function next(node: Node, segment: string): Step | undefined {
  const child = node.children.get(segment);
  return child === undefined ? (node.rest ?? undefined) : { name: segment, node: child };
}

function isParameter(segment: string): boolean {
  return segment.includes('{');
}

function isPlaceOfMany(parent: Node): boolean {
  if (parent.literals < slugsMin) return false;
  if (parent.literals > literalsMax) return true;
  let slugs = 0;
  let once = 0;
  for (const [segment, child] of parent.children) {
    if (isParameter(segment)) continue;
    if (looksLikeSlug(segment)) slugs++;
    // The newest has not been counted yet.
    if (child.visits <= 1) once++;
  }
  if (slugs * 2 >= parent.literals) return true;
  if (parent.literals >= wordsMin && once >= onceShareMin * parent.literals) return true;
  return parent.literals >= alikeMin && isSameBehindAll(parent);
}

/** Titles and full names: three words and more, or what is encoded because it is no word of a programmer. */
function looksLikeSlug(segment: string): boolean {
  return segment.includes('%') || segment.includes('@') || /[-_][^-_]+[-_]/.test(segment);
}

/** Whether one name follows at least four in five of the segments that anything follows, and these are half of all. */
function isSameBehindAll(parent: Node): boolean {
  const behind = new Map<string, number>();
  let followed = 0;
  for (const [segment, { children }] of parent.children) {
    if (isParameter(segment) || children.size === 0) continue;
    followed++;
    // Identifiers follow the names of collections as well.
    for (const name of children.keys()) if (!isParameter(name)) behind.set(name, (behind.get(name) ?? 0) + 1);
  }
  return followed * 2 >= parent.literals && Math.max(0, ...behind.values()) >= 0.8 * followed;
}
