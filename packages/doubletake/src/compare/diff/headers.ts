/**
 * Compares header fields: their order means nothing, names are case-insensitive, values are compared by what they say.
 * Fields that stand at the same place with the same bytes, as most do, are passed without a closer look.
 */
import type { Answer } from '../pair.ts';
import { type Collector, textShown } from './collector.ts';
import { compareCookies } from './cookies.ts';
import { comparisonOf, type FieldSide, sameMediaType, type SameField } from './header-field.ts';
import type { PathNode, PathTree } from './path-tree.ts';

/** What is known about a field by its name. */
interface KnownField {
  /** Lower case. */
  name: string;
  node: PathNode;
  /** Null for a field that is not compared. */
  same: SameField | null;
}

const KNOWN_MAX = 1_000;
const COOKIES = 'set-cookie';

export class Headers {
  readonly #paths: PathTree;
  readonly #ownHosts: readonly string[];
  /** By name as it was sent. */
  readonly #known = new Map<string, KnownField>();

  constructor(paths: PathTree, ownHosts: readonly string[]) {
    this.#paths = paths;
    this.#ownHosts = ownHosts.map((host) => host.toLowerCase());
  }

  compare(baseline: Answer, candidate: Answer, out: Collector): void {
    const different = this.#passSame(baseline, candidate, out);
    if (different.size === 0) return;
    const connection = new Set([...hopByHop(baseline), ...hopByHop(candidate)]);
    const [left, right] = [baseline, candidate].map((answer) => this.#valuesOf(answer, different));
    const [leftDate, rightDate] = [baseline, candidate].map((answer) => dateOf(answer));
    for (const field of different.values()) {
      if (connection.has(field.name)) continue;
      const a = { values: left.get(field.name) ?? [], date: leftDate, ownHosts: this.#ownHosts };
      const b = { values: right.get(field.name) ?? [], date: rightDate, ownHosts: this.#ownHosts };
      if (field.name === COOKIES) compareCookies(a, b, this.#paths, out);
      else compareField(field, a, b, out);
    }
  }

  /** The fields that are not at the same place with the same bytes on both sides, by their names in lower case. */
  #passSame(baseline: Answer, candidate: Answer, out: Collector): Map<string, KnownField> {
    const different = new Map<string, KnownField>();
    const count = Math.max(baseline.headers.length, candidate.headers.length);
    for (let i = 0; i < count; i++) {
      const a = baseline.headers[i];
      const b = candidate.headers[i];
      const same = a !== undefined && b !== undefined && a[0] === b[0] && a[1] === b[1];
      if (same) {
        const field = this.#fieldOf(a[0]);
        if (field.same !== null) out.compares(field.node);
        continue;
      }
      for (const header of [a, b]) {
        if (header === undefined) continue;
        const field = this.#fieldOf(header[0]);
        if (field.same !== null) different.set(field.name, field);
      }
    }
    return different;
  }

  #valuesOf(answer: Answer, wanted: ReadonlyMap<string, KnownField>): Map<string, string[]> {
    const values = new Map<string, string[]>();
    for (const [name, value] of answer.headers) {
      const field = this.#fieldOf(name);
      if (!wanted.has(field.name)) continue;
      const earlier = values.get(field.name);
      if (earlier === undefined) values.set(field.name, [value]);
      else earlier.push(value);
    }
    return values;
  }

  #fieldOf(name: string): KnownField {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const field = { name: lower, node: this.#paths.root(`header:${lower}`), same: comparisonOf(lower) };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(name, field);
    return field;
  }
}

function compareField({ name, node, same }: KnownField, a: FieldSide, b: FieldSide, out: Collector): void {
  const [left, right] = [a, b].map(({ values }) => (values.length === 0 ? null : textShown(values.join(', '))));
  if (left === null || right === null) {
    out.add(right === null ? 'missing' : 'extra', node, node.path, left, right);
    return;
  }
  out.compares(node);
  if (same === null || same(a, b)) return;
  const kind = name === 'content-type' && !sameMediaType(left.text, right.text) ? 'type' : 'value';
  out.add(kind, node, node.path, left, right);
}

function dateOf(answer: Answer): string | undefined {
  return answer.headers.find(([name]) => name.length === 4 && name.toLowerCase() === 'date')?.[1];
}

/** The fields that a Connection field says belong to the connection. */
function hopByHop(answer: Answer): string[] {
  return answer.headers
    .filter(([name]) => name.length === 10 && name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
}
