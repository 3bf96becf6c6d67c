/**
 * Compares XML or HTML: elements, their attributes and their text. Elements belong together when they are equal, else
 * when they have the same name and stand between the same equal ones.
 */
import type { MarkupElement, MarkupNode } from '../content/markup.ts';
import { align, type AlignedPair, type Effort, newEffort } from './alignment.ts';
import { type Collector, type Shown, textShown } from './collector.ts';
import { hashText } from './json-equal.ts';
import type { PathNode } from './path-tree.ts';

const TEXT = '/text()';
const SHOWN_ENOUGH = 260;

export class MarkupDiff {
  readonly #out: Collector;
  readonly #hashes = new Map<MarkupElement, number>();
  readonly #effort: Effort = newEffort();
  /** The elements around what is looked at, each with its siblings. */
  readonly #around: { siblings: readonly MarkupNode[]; index: number }[] = [];
  /** The last steps of places, for siblings of which a place was asked for. */
  readonly #places = new Map<readonly MarkupNode[], readonly string[]>();
  readonly #prefix: string;

  /** `prefix` begins every place: `xml:`. */
  constructor(out: Collector, prefix: string) {
    this.#out = out;
    this.#prefix = prefix;
  }

  /** `node` is that of both elements, which have the same name. */
  compare(a: MarkupElement, b: MarkupElement, node: PathNode): void {
    if (this.#out.isTruncated) return;
    if (node.rules.ignore === true) {
      if (!sameMarkup(a, b)) this.#out.hide(node, 'ignore');
      return;
    }
    this.#out.compares(node);
    this.#attributes(a, b, node);
    for (const [i, j] of this.#pairs(a.children, b.children)) {
      if (this.#out.isTruncated) return;
      const left = i < 0 ? null : a.children[i];
      const right = j < 0 ? null : b.children[j];
      this.#around.push(i < 0 ? { siblings: b.children, index: j } : { siblings: a.children, index: i });
      this.#child(left, right, node);
      this.#around.pop();
    }
  }

  #child(left: MarkupNode | null, right: MarkupNode | null, parent: PathNode): void {
    const node = parent.step(stepOf(left ?? right ?? ''));
    if (left === null || right === null) {
      this.#out.add(right === null ? 'missing' : 'extra', node, this.#place(''), shown(left), shown(right));
    } else if (typeof left !== 'string' && typeof right !== 'string') {
      this.compare(left, right, node);
    } else {
      this.#out.compares(node);
      if (left !== right) this.#out.add('value', node, this.#place(''), shown(left), shown(right));
    }
  }

  #attributes(a: MarkupElement, b: MarkupElement, node: PathNode): void {
    for (const name of new Set([...a.attributes.keys(), ...b.attributes.keys()])) {
      const [left, right] = [a.attributes.get(name), b.attributes.get(name)];
      const attribute = node.step(`/@${name}`);
      if (left !== undefined && right !== undefined) this.#out.compares(attribute);
      if (left === right) continue;
      const kind = right === undefined ? 'missing' : left === undefined ? 'extra' : 'value';
      this.#out.add(kind, attribute, this.#place(`/@${name}`), shown(left ?? null), shown(right ?? null));
    }
  }

  /** Children that belong together: none that are of another name. */
  #pairs(a: readonly MarkupNode[], b: readonly MarkupNode[]): AlignedPair[] {
    const left = a.map((child) => this.#hashOf(child));
    const right = b.map((child) => this.#hashOf(child));
    const pairs: AlignedPair[] = [];
    let changed: { a: number[]; b: number[] } = { a: [], b: [] };
    const flush = (): void => {
      for (const pair of this.#byName(a, b, changed)) pairs.push(pair);
      changed = { a: [], b: [] };
    };
    for (const [i, j] of align(left, right, this.#effort)) {
      if (i >= 0 && j >= 0 && left[i] === right[j]) {
        flush();
        pairs.push([i, j]);
      } else {
        if (i >= 0) changed.a.push(i);
        if (j >= 0) changed.b.push(j);
      }
    }
    flush();
    return pairs;
  }

  #byName(a: readonly MarkupNode[], b: readonly MarkupNode[], changed: { a: number[]; b: number[] }): AlignedPair[] {
    const left = changed.a.map((index) => hashText(stepOf(a[index]), 1));
    const right = changed.b.map((index) => hashText(stepOf(b[index]), 1));
    return align(left, right, this.#effort).flatMap(([i, j]): AlignedPair[] => {
      const [first, second] = [i < 0 ? -1 : changed.a[i], j < 0 ? -1 : changed.b[j]];
      if (i < 0 || j < 0 || stepOf(a[first]) === stepOf(b[second])) return [[first, second]];
      return [
        [first, -1],
        [-1, second],
      ];
    });
  }

  #hashOf(node: MarkupNode): number {
    if (typeof node === 'string') return hashText(node, 1);
    const known = this.#hashes.get(node);
    if (known !== undefined) return known;
    let hash = hashText(node.name, 2);
    let attributes = 0;
    for (const [name, value] of node.attributes) {
      attributes = (attributes + Math.imul(hashText(name, 3), hashText(value, 4) | 1)) | 0;
    }
    hash = Math.imul(hash ^ attributes, 0x01000193);
    for (const child of node.children) hash = Math.imul(hash ^ this.#hashOf(child), 0x01000193) ^ (hash >>> 15);
    this.#hashes.set(node, hash);
    return hash;
  }

  #place(end: string): string {
    if (this.#out.full) return '';
    return this.#prefix + this.#around.map(({ siblings, index }) => this.#placeSteps(siblings)[index]).join('') + end;
  }

  /** As XPath counts: among the siblings of the same name, from 1, where there are more. */
  #placeSteps(siblings: readonly MarkupNode[]): readonly string[] {
    const known = this.#places.get(siblings);
    if (known !== undefined) return known;
    const counts = new Map<string, number>();
    const steps = siblings.map((sibling) => {
      const step = stepOf(sibling);
      const count = (counts.get(step) ?? 0) + 1;
      counts.set(step, count);
      return { step, count };
    });
    const places = steps.map(({ step, count }) => (counts.get(step) === 1 ? step : `${step}[${count}]`));
    this.#places.set(siblings, places);
    return places;
  }
}

function stepOf(node: MarkupNode): string {
  return typeof node === 'string' ? TEXT : `/${node.name}`;
}

function shown(node: MarkupNode | null): Shown | null {
  if (node === null) return null;
  return typeof node === 'string' ? textShown(node) : { text: written(node), type: 'element' };
}

function written({ name, attributes, children }: MarkupElement): string {
  let text = `<${name}`;
  for (const [key, value] of attributes) if (text.length < SHOWN_ENOUGH) text += ` ${key}="${value}"`;
  text += children.length === 0 ? '/>' : '>';
  for (const child of children) {
    if (text.length >= SHOWN_ENOUGH) break;
    text += typeof child === 'string' ? child : written(child);
  }
  return children.length === 0 ? text : `${text}</${name}>`;
}

function sameMarkup(a: MarkupNode, b: MarkupNode): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return (
    a.name === b.name &&
    a.attributes.size === b.attributes.size &&
    [...a.attributes].every(([name, value]) => b.attributes.get(name) === value) &&
    a.children.length === b.children.length &&
    a.children.every((child, index) => sameMarkup(child, b.children[index]))
  );
}
