/**
 * Finds out which elements of two arrays belong together: by a member that identifies them, as sets when a rule says so,
 * by what they have in common, else by position. What belongs together is compared by the caller.
 */
import { JsonObject, type JsonValue } from '../content/json-values.ts';
import { ExactNumber } from '../content/json-number.ts';
import { align, type Effort } from './alignment.ts';
import { type Shown, shortened } from './collector.ts';
import { type Hashes, sameJson } from './json-equal.ts';
import { shown } from './json-shown.ts';
import type { FieldRules } from './options.ts';
import type { PathNode } from './path-tree.ts';

/** Members that identify an object, where all objects of both arrays have one and no two have the same. */
const KEY_NAMES: readonly string[] = ['id', '_id', 'uuid', 'guid', 'key', 'sku', 'slug', 'code', 'name'];
/** Members that are tried for one that describes the elements. */
const DESCRIBING_MAX = 12;
/** Elements that an order shows, and how long each is at most. */
const ORDER_SHOWN = 20;
const ELEMENT_LENGTH_MAX = 40;

/** Indexes of what belongs together; -1 for none. */
export interface ElementPair {
  baseline: number;
  candidate: number;
}

export interface ArrayAlignment {
  pairs: ElementPair[];
  /** The member that identifies the elements; null when none does. */
  keyName: string | null;
  /** One array goes on where the other ends: a matter of the length alone. */
  cut: boolean;
  /** Elements changed places: both orders. */
  order: readonly [baseline: Shown, candidate: Shown] | null;
}

export interface ArrayContext {
  rules: FieldRules;
  /** Of the elements; null when there are no rules. */
  node: PathNode | null;
  hashes: Hashes;
  effort: Effort;
  /** Elements may be searched for; otherwise they are taken by position. */
  align: boolean;
}

export function compareArrays(a: readonly JsonValue[], b: readonly JsonValue[], context: ArrayContext): ArrayAlignment {
  const { rules, align: mayAlign } = context;
  if (!mayAlign) return byPosition(a, b);
  if (rules.key === undefined && rules.unordered !== true && nearlySame(a, b, context.node)) return byPosition(a, b);
  const keyed = rules.key === undefined ? detectKeys(a, b) : keysOf(a, b, rules.key);
  if (keyed !== null) return byKey(keyed);
  const left = a.map((value) => context.hashes.of(value, context.node));
  const right = b.map((value) => context.hashes.of(value, context.node));
  if (rules.unordered === true) return asSets(left, right);
  if (!isPermutation(left, right)) return byContent(left, right, context.effort, () => describingKeys(a, b));
  return { ...asSets(left, right), order: [orderShown(a, shortly), orderShown(b, shortly)] };
}

/** Of one length, with at most one element changed. */
function nearlySame(a: readonly JsonValue[], b: readonly JsonValue[], node: PathNode | null): boolean {
  if (a.length !== b.length) return false;
  let changed = 0;
  for (let i = 0; i < a.length && changed < 2; i++) if (!sameJson(a[i], b[i], node)) changed++;
  return changed < 2;
}

function byPosition(a: readonly unknown[], b: readonly unknown[]): ArrayAlignment {
  const pairs: ElementPair[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) pairs.push({ baseline: i, candidate: i });
  return { pairs, keyName: null, cut: a.length !== b.length, order: null };
}

interface Keys {
  name: string;
  a: readonly string[];
  b: readonly string[];
  positions: ReadonlyMap<string, number>;
}

function detectKeys(a: readonly JsonValue[], b: readonly JsonValue[]): Keys | null {
  const [first] = a;
  if (!(first instanceof JsonObject)) return null;
  for (const name of KEY_NAMES) {
    const keys = first.names.includes(name) ? keysOf(a, b, name) : null;
    // Keys that are made anew for each answer identify nothing.
    if (keys !== null && 2 * commonOf(keys) >= Math.min(a.length, b.length)) return keys;
  }
  return null;
}

/** The member whose texts are most often the same on both sides, and different in each: a title, an address. */
function describingKeys(a: readonly JsonValue[], b: readonly JsonValue[]): Keys | null {
  const other = new Set(textNames(b[0]));
  const names = textNames(a[0]).filter((name) => other.has(name));
  let best: Keys | null = null;
  let most = 0;
  for (const name of names.toSorted().slice(0, DESCRIBING_MAX)) {
    const keys = keysOf(a, b, name);
    const common = keys === null ? 0 : commonOf(keys);
    if (common <= most || 3 * common < 2 * Math.min(a.length, b.length)) continue;
    best = keys;
    most = common;
  }
  return best;
}

/** The members of an object that hold texts. */
function textNames(value: JsonValue | undefined): string[] {
  if (!(value instanceof JsonObject)) return [];
  return value.names.filter((_, index) => typeof value.values[index] === 'string');
}

function commonOf({ a, positions }: Keys): number {
  return a.filter((key) => positions.has(key)).length;
}

/** The keys of both arrays; null when an element has none, or two have the same. */
function keysOf(a: readonly JsonValue[], b: readonly JsonValue[], name: string): Keys | null {
  const keys = [a, b].map((values) => {
    const positions = new Map<string, number>();
    for (const [index, value] of values.entries()) {
      const key = keyOf(value, name);
      if (key === null || positions.has(key)) return null;
      positions.set(key, index);
    }
    return positions;
  });
  const [left, right] = keys;
  return left === null || right === null ? null : { name, a: [...left.keys()], b: [...right.keys()], positions: right };
}

/** What an object is known by, as text that tells "1" from 1. */
function keyOf(value: JsonValue, name: string): string | null {
  if (!(value instanceof JsonObject)) return null;
  const index = value.names.indexOf(name);
  const key = index < 0 ? null : value.values[index];
  if (typeof key === 'string') return `"${key}`;
  if (typeof key === 'number') return String(key);
  return key instanceof ExactNumber ? key.text : null;
}

/** The same as it is shown: `17`. */
export function keyShown(value: JsonValue, name: string): string {
  return bare(keyOf(value, name) ?? '');
}

function bare(key: string): string {
  return key.startsWith('"') ? key.slice(1) : key;
}

function byKey({ name, a, b, positions }: Keys): ArrayAlignment {
  const pairs: ElementPair[] = a.map((key, index) => ({ baseline: index, candidate: positions.get(key) ?? -1 }));
  const known = new Set(a);
  for (const [index, key] of b.entries()) {
    if (!known.has(key)) pairs.push({ baseline: -1, candidate: index });
  }
  if (!isReordered(pairs)) return { pairs, keyName: name, cut: isCut(pairs, a.length, b.length), order: null };
  return { pairs, keyName: name, cut: false, order: [orderShown(a, bare), orderShown(b, bare)] };
}

function orderShown<T>(elements: readonly T[], write: (element: T) => string): Shown {
  const more = elements.length > ORDER_SHOWN ? ', …' : '';
  return { text: elements.slice(0, ORDER_SHOWN).map(write).join(', ') + more, type: 'array' };
}

function shortly(value: JsonValue): string {
  return shortened(shown(value).text, ELEMENT_LENGTH_MAX);
}

function asSets(a: readonly number[], b: readonly number[]): ArrayAlignment {
  const waiting = new Map<number, number[]>();
  for (const [index, hash] of b.entries()) {
    const same = waiting.get(hash);
    if (same === undefined) waiting.set(hash, [index]);
    else same.push(index);
  }
  for (const indexes of waiting.values()) indexes.reverse();
  const pairs: ElementPair[] = [];
  const alone: number[] = [];
  for (const [index, hash] of a.entries()) {
    const candidate = waiting.get(hash)?.pop();
    if (candidate === undefined) alone.push(index);
    else pairs.push({ baseline: index, candidate });
  }
  const order = isReordered(pairs) ? UNORDERED : null;
  const left = [...waiting.values()].flat().toSorted((x, y) => x - y);
  for (let i = 0; i < Math.max(alone.length, left.length); i++) {
    pairs.push({ baseline: alone[i] ?? -1, candidate: left[i] ?? -1 });
  }
  return { pairs, keyName: null, cut: false, order };
}

/** Of sets: that they differ in order is hidden, and its values are not asked for. */
const UNORDERED: readonly [Shown, Shown] = [
  { text: '', type: 'array' },
  { text: '', type: 'array' },
];

/**
 * By equal elements. Where most have changed, as when each holds the time, that says little: then a text that describes
 * the elements says more, if by it they moved, or one of them is gone.
 */
function byContent(
  a: readonly number[],
  b: readonly number[],
  effort: Effort,
  describing: () => Keys | null,
): ArrayAlignment {
  const pairs = align(a, b, effort).map(([baseline, candidate]) => ({ baseline, candidate }));
  const changed = pairs.filter(({ baseline, candidate }) => baseline >= 0 && candidate >= 0 && a[baseline] !== b[candidate]);
  const keys = 2 * changed.length > Math.min(a.length, b.length) ? describing() : null;
  const keyed = keys === null ? null : byKey(keys);
  if (keyed !== null && (keyed.order !== null || a.length !== b.length)) return keyed;
  return { pairs, keyName: null, cut: isCut(pairs, a.length, b.length), order: null };
}

function isPermutation(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  const left = a.toSorted((x, y) => x - y);
  const right = b.toSorted((x, y) => x - y);
  return left.every((hash, index) => hash === right[index]);
}

function isReordered(pairs: readonly ElementPair[]): boolean {
  let last = -1;
  for (const { baseline, candidate } of pairs) {
    if (baseline < 0 || candidate < 0) continue;
    if (candidate < last) return true;
    last = candidate;
  }
  return false;
}

/** All elements of the shorter array stand at the beginning of the longer one. */
function isCut(pairs: readonly ElementPair[], aLength: number, bLength: number): boolean {
  if (aLength === bLength) return false;
  const shorter = Math.min(aLength, bLength);
  return pairs.every(
    ({ baseline, candidate }) => (baseline >= 0 && candidate >= 0) || Math.max(baseline, candidate) >= shorter,
  );
}
