/**
 * Changes values in a JSON text where they stand, by their range of bytes: everything around them keeps its bytes.
 * Edits are done in order, each on what the one before left.
 */
import { JsonDocument, type JsonNode } from '../json-path/json-document.ts';
import { JsonPath } from '../json-path/json-path.ts';
import { textOf } from '../sanitize/json.ts';
import type { JsonEdit } from './options.ts';
import { Text } from './text.ts';
import type { Variables } from './variables.ts';

interface CompiledEdit {
  path: JsonPath;
  /** What is written for a value; null takes it out. */
  write: ((variables: Variables) => string) | null;
}

interface Splice {
  start: number;
  end: number;
  text: string;
}

export class JsonRewrite {
  readonly #edits: readonly CompiledEdit[];
  readonly #charsMax: number;

  /** What would grow beyond `charsMax` is not written. Throws `JsonPathSyntaxError` and `TemplateError`. */
  constructor(edits: readonly JsonEdit[], charsMax: number) {
    this.#edits = edits.map(compile);
    this.#charsMax = charsMax;
  }

  /** The text itself when nothing changes; null when it cannot be read, or the edits cost too much. Latin1. */
  apply(source: string, variables: Variables): string | null {
    let document = JsonDocument.parse(source);
    for (const { path, write } of this.#edits) {
      if (document === null) return null;
      const nodes = path.select(document);
      if (nodes === null) return null;
      if (nodes.length === 0) continue;
      const text = write === null ? '' : write(variables);
      const distinct = [...new Set(nodes)];
      if (document.source.length + text.length * distinct.length > this.#charsMax) return null;
      const splices = write === null ? removals(distinct) : distinct.map(({ start, end }) => ({ start, end, text }));
      const changed = splice(document.source, splices);
      if (changed !== document.source) document = JsonDocument.parse(changed);
    }
    return document?.source ?? null;
  }
}

function compile(edit: JsonEdit): CompiledEdit {
  const path = new JsonPath(edit.path);
  if (edit.set === undefined) {
    if (path.isRoot) throw new Error('$ is the whole document, which cannot be removed');
    return { path, write: null };
  }
  if (typeof edit.set !== 'string') {
    const literal = JSON.stringify(edit.set);
    return { path, write: () => literal };
  }
  const text = new Text(edit.set);
  return { path, write: (variables) => quote(textOf(text.fill(variables))) };
}

/** In ASCII, which is right in every character set that a body may be in. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Each value goes with its name and one comma: the one before it, or the one behind it where all before it go too. */
function removals(nodes: readonly JsonNode[]): Splice[] {
  const removed = new Set(nodes);
  const firstKept = new Map<JsonNode, number>();
  const splices: Splice[] = [];
  for (const { parent, position, memberStart, end } of nodes) {
    if (parent === null) continue;
    const siblings = parent.children;
    let kept = firstKept.get(parent);
    if (kept === undefined) {
      kept = siblings.findIndex((sibling) => !removed.has(sibling));
      firstKept.set(parent, kept);
    }
    if (kept >= 0 && kept < position) splices.push({ start: siblings[position - 1].end, end, text: '' });
    else if (position + 1 < siblings.length) splices.push({ start: memberStart, end: siblings[position + 1].memberStart, text: '' });
    else splices.push({ start: memberStart, end, text: '' });
  }
  return splices;
}

/** What lies inside of a value that is replaced goes with it. */
function splice(source: string, splices: readonly Splice[]): string {
  let out = '';
  let copied = 0;
  for (const { start, end, text } of splices.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    if (start < copied) continue;
    out += source.slice(copied, start) + text;
    copied = end;
  }
  return out + source.slice(copied);
}
