/** What a rule would hide of differences that were found without it. */
import type { CompareRule } from '../../config/compare-schema.ts';
import type { DifferenceKind } from '../difference.ts';
import { Rule } from './compare-rules.ts';

export class RuleReach {
  readonly #rule: Rule;
  /** How far apart numbers may be; null where the rule is about something else. */
  readonly tolerance: { absolute: number; relative: number } | null;

  constructor(spec: CompareRule) {
    this.#rule = new Rule(spec, 0);
    const { tolerance } = spec;
    this.tolerance = tolerance === undefined ? null : { absolute: tolerance.absolute ?? 0, relative: tolerance.relative ?? 0 };
  }

  isFor(endpoint: string): boolean {
    return this.#rule.isFor(endpoint);
  }

  /** Whether differences of a kind at a path are hidden; where there is a `tolerance`, by their values. */
  covers(path: string, kind: DifferenceKind): boolean {
    const { ignore, unordered, tolerance } = this.#rule.spec;
    if (ignore !== undefined) return [...around(path)].some((each) => this.#rule.matches(each));
    if (unordered !== undefined) return kind === 'order' && this.#rule.matches(path);
    return tolerance !== undefined && kind === 'value' && this.#rule.matches(path);
  }
}

/** A path, and those of all that it is inside of: `$.a[*].b` is in `$.a[*]`, `$.a` and `$`. */
export function* around(path: string): Generator<string> {
  yield path;
  if (path.startsWith('$')) {
    for (const { index } of path.matchAll(JSON_STEP)) yield path.slice(0, index);
  } else if (/^(?:xml|html):/.test(path)) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) yield path.slice(0, slash);
  } else if (path.startsWith('cookie:') && path.includes(';')) {
    yield path.slice(0, path.indexOf(';'));
  }
}

/** As `memberStep` writes them, and the elements of an array. */
const JSON_STEP = /\.(?:\*|[\w-]+)|\[\*\]|\['(?:[^\\']|\\[^])*(?:'\])?/g;
