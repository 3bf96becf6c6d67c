/**
 * Whether two JSON values are the same, and numbers that stand for them. What rules ignore counts for nothing. A `node`
 * of null says that there are no rules.
 */
import { FEW_MEMBERS, JsonObject, type JsonValue, Unread } from '../content/json-values.ts';
import { ExactNumber } from '../content/json-number.ts';
import type { PathNode } from './path-tree.ts';

export function sameJson(a: JsonValue, b: JsonValue, node: PathNode | null): boolean {
  if (a === b || node?.rules.ignore === true) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof JsonObject) return b instanceof JsonObject && sameMembers(a, b, node);
  if (Array.isArray(a)) return Array.isArray(b) && sameElements(a, b, node);
  return a.constructor === b.constructor && a.text === (b as ExactNumber | Unread).text;
}

function sameElements(a: readonly JsonValue[], b: readonly JsonValue[], node: PathNode | null): boolean {
  if (a.length !== b.length) return false;
  const element = node === null ? null : node.elements;
  for (let i = 0; i < a.length; i++) if (!sameJson(a[i], b[i], element)) return false;
  return true;
}

function sameMembers(a: JsonObject, b: JsonObject, node: PathNode | null): boolean {
  if (a.names.length !== b.names.length && node === null) return false;
  if (a.names === b.names && node === null) return sameElements(a.values, b.values, null);
  const positions = new Positions(b);
  for (let i = 0; i < a.names.length; i++) {
    const name = a.names[i];
    const member = node === null ? null : node.member(name, i);
    const j = positions.of(name, i);
    if (j < 0 ? member?.rules.ignore !== true : !sameJson(a.values[i], b.values[j], member)) return false;
  }
  if (node === null) return true;
  const back = new Positions(a);
  return b.names.every((name, j) => back.of(name, j) >= 0 || node.member(name, j).rules.ignore === true);
}

/** Where the members of an object stand, found quickly when they stand where they are expected. */
export class Positions {
  readonly #names: readonly string[];
  #byName: Map<string, number> | null = null;

  constructor(object: JsonObject) {
    this.#names = object.names;
  }

  /** -1 when there is none. */
  of(name: string, expected: number): number {
    if (this.#names[expected] === name) return expected;
    if (this.#names.length <= FEW_MEMBERS) return this.#names.indexOf(name);
    this.#byName ??= new Map(this.#names.map((known, index) => [known, index]));
    return this.#byName.get(name) ?? -1;
  }
}

/** Hashes of values: 32 bits, the same for objects with the same members in another order. Each is counted once. */
export class Hashes {
  readonly #known = new Map<object, number>();

  of(value: JsonValue, node: PathNode | null): number {
    if (node?.rules.ignore === true) return 1;
    switch (typeof value) {
      case 'string':
        return hashText(value, 2);
      case 'number':
        return hashText(String(value), 3);
      case 'boolean':
        return value ? 4 : 5;
      default:
        return value === null ? 6 : this.#ofObject(value, node);
    }
  }

  #ofObject(value: ExactNumber | JsonObject | Unread | JsonValue[], node: PathNode | null): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const hash = this.#count(value, node);
    this.#known.set(value, hash);
    return hash;
  }

  #count(value: ExactNumber | JsonObject | Unread | JsonValue[], node: PathNode | null): number {
    if (value instanceof ExactNumber) return hashText(value.text, 3);
    if (value instanceof Unread) return hashText(value.text, 7);
    if (Array.isArray(value)) {
      const element = node === null ? null : node.elements;
      let hash = 8;
      for (const item of value) hash = mix(hash, this.of(item, element));
      return hash;
    }
    let sum = 9;
    for (let i = 0; i < value.names.length; i++) {
      const member = node === null ? null : node.member(value.names[i], i);
      if (member?.rules.ignore === true) continue;
      sum = (sum + mix(hashText(value.names[i], 10), this.of(value.values[i], member))) | 0;
    }
    return sum;
  }
}

/** FNV-1a over UTF-16 code units; texts of different seeds have nothing to do with each other. */
export function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ text.length;
}

function mix(a: number, b: number): number {
  const mixed = Math.imul(a ^ (b + 0x9e3779b9), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
