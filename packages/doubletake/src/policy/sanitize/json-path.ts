/**
 * JSONPath (RFC 9535) for a reader that sees a document once, from left to right: name, index and wildcard selectors,
 * unions of them, in child and descendant segments. A path is a row of steps; which steps a place fulfils is a set of
 * bits, derived from its parent's, so a document costs the same whatever the path.
 *
 * Not understood, and refused: filters `[?…]`, slices `[1:2]` and negative indexes, which need what comes later.
 */

interface Step {
  descendant: boolean;
  /** Null is the wildcard. */
  selectors: readonly (string | number)[] | null;
}

const STEPS_MAX = 30;

/** A path that cannot be understood, with the reason in plain words. */
export class JsonPathError extends Error {}

export class JsonPath {
  readonly #steps: readonly Step[];

  /** Throws `JsonPathError`. */
  constructor(path: string) {
    this.#steps = parse(path);
  }

  /** The set of a document's root. */
  get root(): number {
    return 1;
  }

  /** The set of the child under this name or index of a place with the set `parent`. */
  child(parent: number, key: string | number): number {
    let states = 0;
    for (let index = 0; index < this.#steps.length; index++) {
      if ((parent & (1 << index)) === 0) continue;
      const step = this.#steps[index];
      if (step.descendant) states |= 1 << index;
      if (step.selectors === null || step.selectors.includes(key)) states |= 1 << (index + 1);
    }
    return states;
  }

  /** Whether a place with this set is what the path names. */
  matches(states: number): boolean {
    return (states & (1 << this.#steps.length)) !== 0;
  }
}

function parse(path: string): Step[] {
  if (!path.startsWith('$')) throw new JsonPathError('a JSONPath begins with $');
  const steps: Step[] = [];
  let at = 1;
  while (at < path.length) {
    const descendant = path.startsWith('..', at);
    if (descendant) at += 2;
    else if (path[at] === '.') at++;
    else if (path[at] !== '[') throw new JsonPathError(`expected "." or "[" at character ${at + 1}`);
    if (path[at] === '[') {
      const end = closing(path, at);
      steps.push({ descendant, selectors: selectors(path.slice(at + 1, end)) });
      at = end + 1;
    } else {
      const name = /^(?:\*|[\p{L}_][\p{L}\p{N}_]*)/u.exec(path.slice(at))?.[0];
      if (name === undefined) throw new JsonPathError(`expected a name or * at character ${at + 1}`);
      steps.push({ descendant, selectors: name === '*' ? null : [name] });
      at += name.length;
    }
  }
  if (steps.length > STEPS_MAX) throw new JsonPathError(`more than ${STEPS_MAX} segments`);
  return steps;
}

/** Offset of the bracket that closes the one at `open`, quotes respected. */
function closing(path: string, open: number): number {
  let quote = '';
  for (let at = open + 1; at < path.length; at++) {
    const char = path[at];
    if (quote !== '') {
      if (char === '\\') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if (char === ']') {
      return at;
    }
  }
  throw new JsonPathError('a bracket is not closed');
}

const SELECTOR = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\d+)|(\*))\s*(,|$)/uy;

function selectors(text: string): (string | number)[] | null {
  const found: (string | number)[] = [];
  let wildcard = false;
  SELECTOR.lastIndex = 0;
  for (let at = 0, more = true; more; at = SELECTOR.lastIndex) {
    SELECTOR.lastIndex = at;
    const match = SELECTOR.exec(text);
    if (match === null) throw new JsonPathError(`[${text}] is not understood: names in quotes, indexes and * are`);
    const [, single, double, index, star, comma] = match;
    if (star !== undefined) wildcard = true;
    else if (index !== undefined) found.push(Number(index));
    else found.push((single ?? double ?? '').replace(/\\(.)/gu, '$1'));
    more = comma === ',';
  }
  return wildcard ? null : found;
}
