/**
 * JSON that is laid out with a line for each value, and which lines hold what stands at a place. The text may be cut at
 * its end: what is there is found all the same.
 */
import { parsedPlace } from './place.ts';

interface Node {
  member: string | null;
  /** As written; null for an object or array. */
  scalar: string | null;
  first: number;
  last: number;
  children: Node[];
}

const memberLine = /^("(?:[^"\\]|\\.)*"): (.*)$/s;

export class JsonLines {
  readonly lines: readonly string[];
  readonly #document: Node;

  constructor(text: string) {
    this.lines = text.split('\n');
    this.#document = documentOf(this.lines);
  }

  /** First and last line of what stands at the place; null where nothing is. */
  at(place: string): { first: number; last: number } | null {
    const steps = parsedPlace(place);
    if (steps === null) return null;
    let node: Node | undefined = this.#document.children[0];
    for (const step of steps) {
      if ('member' in step) node = node?.children.find(({ member }) => member === step.member);
      else if ('index' in step) node = node?.children[step.index];
      else node = node?.children.find(({ children }) => children.some(({ member, scalar }) => member === step.key && bare(scalar) === step.value));
    }
    return node === undefined ? null : { first: node.first, last: node.last };
  }
}

function documentOf(lines: readonly string[]): Node {
  const document: Node = { member: null, scalar: null, first: 0, last: lines.length - 1, children: [] };
  const open = [document];
  lines.forEach((line, index) => {
    const text = line.trim().replace(/,$/, '');
    if (text === '') return;
    if (text === '}' || text === ']') {
      const closed = open.length > 1 ? open.pop() : undefined;
      if (closed !== undefined) closed.last = index;
      return;
    }
    const named = memberLine.exec(text);
    const value = named?.[2] ?? text;
    const opens = value === '{' || value === '[';
    const node: Node = {
      member: named === null ? null : bare(named[1] ?? ''),
      scalar: opens ? null : value,
      first: index,
      last: opens ? lines.length - 1 : index,
      children: [],
    };
    open.at(-1)?.children.push(node);
    if (opens) open.push(node);
  });
  return document;
}

/** A string without its quotes, any other scalar as it is written. */
function bare(scalar: string | null): string | null {
  if (scalar === null || !scalar.startsWith('"')) return scalar;
  try {
    return String(JSON.parse(scalar));
  } catch {
    return scalar;
  }
}
