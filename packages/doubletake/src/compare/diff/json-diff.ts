/** Compares two JSON values place by place. */
import { JsonObject, type JsonValue } from '../content/json-values.ts';
import { approximation, ExactNumber } from '../content/json-number.ts';
import { newEffort, type Effort } from './alignment.ts';
import { compareArrays, keyShown } from './json-arrays.ts';
import { Hashes, Positions, sameJson } from './json-equal.ts';
import { shown, typeOf } from './json-shown.ts';
import type { Collector } from './collector.ts';
import type { FieldRules } from './options.ts';
import { memberStep, type PathNode } from './path-tree.ts';

/** Arrays within so many arrays are compared by position: what is searched for there would be searched once a level. */
const ALIGNED_DEPTH_MAX = 8;

/** The way to a value: names, indexes, and elements that are known by a member (`[id=17]`). */
type Step = string | number | { name: string; element: JsonValue };

export class JsonDiff {
  readonly #out: Collector;
  readonly #hasRules: boolean;
  readonly #steps: Step[] = [];
  readonly #hashes = new Hashes();
  readonly #effort: Effort = newEffort();
  #arrays = 0;

  constructor(out: Collector, hasRules: boolean) {
    this.#out = out;
    this.#hasRules = hasRules;
  }

  compare(a: JsonValue, b: JsonValue, node: PathNode): void {
    if (this.#out.isTruncated) return;
    if (a === b) {
      this.#agree(a, node);
      return;
    }
    const { rules } = node;
    if (rules.ignore === true) {
      if (!sameJson(a, b, null)) this.#out.hide(node, 'ignore');
      return;
    }
    this.#out.compares(node);
    if (a instanceof JsonObject && b instanceof JsonObject) {
      this.#objects(a, b, node);
    } else if (Array.isArray(a) && Array.isArray(b)) {
      this.#arraysOf(a, b, node);
    } else if (typeOf(a) !== typeOf(b)) {
      this.#out.add('type', node, this.#place(node), shown(a), shown(b));
    } else if (isNumber(a) && isNumber(b) && withinTolerance(a, b, rules)) {
      this.#out.hide(node, 'tolerance');
    } else if (!sameJson(a, b, null)) {
      this.#out.add('value', node, this.#place(node), shown(a), shown(b));
    }
  }

  /** Lists the paths in a value that is the same on both sides. */
  #agree(value: JsonValue, node: PathNode): void {
    if (node.rules.ignore === true) return;
    this.#out.compares(node);
    if (typeof value !== 'object' || value === null) return;
    if (value instanceof JsonObject) {
      const { names, values } = value;
      for (let i = 0; i < names.length; i++) this.#agree(values[i], node.member(names[i], i));
    } else if (Array.isArray(value)) {
      for (const element of value) this.#agree(element, node.elements);
    }
  }

  #objects(a: JsonObject, b: JsonObject, node: PathNode): void {
    const { names } = a;
    const positions = new Positions(b);
    let found = 0;
    for (let i = 0; i < names.length && !this.#out.isTruncated; i++) {
      const member = node.member(names[i], i);
      const j = positions.of(names[i], i);
      if (j >= 0 && a.values[i] === b.values[j]) {
        found++;
        this.#agree(a.values[i], member);
        continue;
      }
      this.#steps.push(names[i]);
      if (j < 0) {
        this.#out.add('missing', member, this.#place(member), shown(a.values[i]), null);
      } else {
        found++;
        this.compare(a.values[i], b.values[j], member);
      }
      this.#steps.pop();
    }
    if (found < b.names.length) this.#extraMembers(a, b, node);
  }

  #extraMembers(a: JsonObject, b: JsonObject, node: PathNode): void {
    const positions = new Positions(a);
    for (let j = 0; j < b.names.length && !this.#out.isTruncated; j++) {
      if (positions.of(b.names[j], j) >= 0) continue;
      const member = node.member(b.names[j], j);
      this.#steps.push(b.names[j]);
      this.#out.add('extra', member, this.#place(member), null, shown(b.values[j]));
      this.#steps.pop();
    }
  }

  #arraysOf(a: readonly JsonValue[], b: readonly JsonValue[], node: PathNode): void {
    const element = node.elements;
    if (a.length === b.length && a.every((value, index) => value === b[index])) {
      for (const value of a) this.#agree(value, element);
      return;
    }
    this.#arrays++;
    const found = compareArrays(a, b, {
      rules: node.rules,
      node: this.#hasRules ? element : null,
      hashes: this.#hashes,
      effort: this.#effort,
      align: this.#arrays <= ALIGNED_DEPTH_MAX,
    });
    if (found.order !== null) {
      if (node.rules.unordered === true) this.#out.hide(node, 'unordered');
      else this.#out.add('order', node, this.#place(node), ...found.order);
    }
    if (found.cut) {
      const [baseline, candidate] = [a, b].map(({ length }) => ({ text: String(length), type: 'array' }));
      this.#out.add('length', node, this.#place(node), baseline, candidate);
    }
    for (const { baseline: i, candidate: j } of found.pairs) {
      if (this.#out.isTruncated) break;
      if (found.cut && (i < 0 || j < 0)) continue;
      const { keyName } = found;
      this.#steps.push(keyName === null ? (i < 0 ? j : i) : { name: keyName, element: i < 0 ? b[j] : a[i] });
      if (j < 0) this.#out.add('missing', element, this.#place(element), shown(a[i]), null);
      else if (i < 0) this.#out.add('extra', element, this.#place(element), null, shown(b[j]));
      else this.compare(a[i], b[j], element);
      this.#steps.pop();
    }
    this.#arrays--;
  }

  /** Where the value is that is looked at; the steps are written only when somebody is told of them. */
  #place(node: PathNode): string {
    if (this.#out.full || node.rules.ignore === true) return '';
    let text = '$';
    for (const step of this.#steps) {
      if (typeof step === 'string') text += memberStep(step);
      else text += typeof step === 'number' ? `[${step}]` : `[${step.name}=${keyShown(step.element, step.name)}]`;
    }
    return text;
  }
}

function isNumber(value: JsonValue): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

function withinTolerance(a: number | ExactNumber, b: number | ExactNumber, rules: FieldRules): boolean {
  const { absoluteTolerance, relativeTolerance } = rules;
  if (absoluteTolerance === undefined && relativeTolerance === undefined) return false;
  const [left, right] = [approximation(a), approximation(b)];
  const distance = Math.abs(left - right);
  const larger = Math.max(Math.abs(left), Math.abs(right));
  return distance <= (absoluteTolerance ?? 0) || distance <= (relativeTolerance ?? 0) * larger;
}
