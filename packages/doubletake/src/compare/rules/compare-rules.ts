/**
 * The user's rules about what does not count, and what each of them hid. Tolerances, sets, keys and what is ignored are
 * the differ's business, which says what it passed over; formats are looked at here.
 */
import type { CompareRule } from '../../config/compare-schema.ts';
import { Glob } from '../../policy/glob.ts';
import type { DiffOptions, FieldRules } from '../diff/options.ts';
import type { Comparison, Difference } from '../difference.ts';
import { hasFormat } from '../noise/value-shape.ts';
import type { RuleReport } from '../report.ts';

/** What is remembered of paths and endpoints that were looked up; then it is looked up anew. */
const rememberedMax = 10_000;
/** A rule that hides something at more places than this is wider than it was meant. */
const placesMax = 20;
/** With fewer pairs it says nothing that a rule has hidden nothing. */
const pairsForWarningMin = 100;

type Effect = 'ignore' | 'tolerance' | 'unordered' | 'key' | 'format';

/** One rule with what it has done. */
export class Rule {
  readonly name: string;
  readonly spec: CompareRule;
  readonly #endpoints: readonly Glob[] | null;
  readonly #paths: readonly Glob[];
  /** Pairs that had been compared when it came to be. */
  readonly since: number;
  hidden = 0;
  pairs = 0;
  /** Whether it is about a place that there is. */
  matched = false;
  readonly places = new Set<string>();

  constructor(spec: CompareRule, since: number) {
    this.since = since;
    this.name = spec.name;
    this.spec = spec;
    this.#endpoints = spec.endpoint === undefined ? null : listOf(spec.endpoint).map((pattern) => new Glob(pattern, '/'));
    this.#paths = listOf(spec.path).map((pattern) => new Glob(pathGlob(pattern), '.'));
  }

  isFor(endpoint: string): boolean {
    return this.#endpoints === null || this.#endpoints.some((glob) => glob.matches(endpoint));
  }

  matches(path: string): boolean {
    return this.#paths.some((glob) => glob.matches(path));
  }
}

/** What the rules say about one endpoint; shared by all endpoints for which the same rules are. */
export class EndpointRules {
  /** For the differ. */
  readonly options: DiffOptions;
  readonly #rules: readonly Rule[];
  readonly #hasFormats: boolean;
  #remembered = new Map<string, readonly Rule[]>();

  constructor(rules: readonly Rule[], options: DiffOptions) {
    this.#rules = rules;
    this.#hasFormats = rules.some(({ spec }) => spec.format !== undefined);
    this.options = rules.length === 0 ? options : { ...options, rules: (path) => this.#fieldRules(path) };
  }

  /** Whether the same rules are in both, so that nothing is compared otherwise. */
  isSame(other: EndpointRules): boolean {
    const rules = other.#rules;
    return this.#rules.length === rules.length && this.#rules.every((rule, index) => rule === rules[index]);
  }

  /** The differences that no rule hides; `count` says whether what rules hid is to be counted. */
  apply(comparison: Comparison, count: boolean): readonly Difference[] {
    const { hidden, differences } = comparison;
    if (hidden.length === 0 && !this.#hasFormats) return differences;
    const by = new Set<Rule>();
    const note = (rule: Rule, path: string): void => {
      if (!count) return;
      rule.hidden++;
      if (rule.places.size <= placesMax) rule.places.add(path);
      by.add(rule);
    };
    for (const { path, by: effect } of hidden) {
      const rule = this.#find(path, effect);
      if (rule !== null) note(rule, path);
    }
    const kept = differences.filter((difference) => {
      const rule = this.#formatRule(difference);
      if (rule !== null) note(rule, difference.path);
      return rule === null;
    });
    for (const rule of by) rule.pairs++;
    return kept;
  }

  #formatRule(difference: Difference): Rule | null {
    if (difference.kind !== 'value' && difference.kind !== 'type') return null;
    const rule = this.#find(difference.path, 'format');
    const format = rule?.spec.format;
    if (format === undefined) return null;
    const { baseline, baselineType, candidate, candidateType } = difference;
    return hasFormat(baseline, baselineType, format) && hasFormat(candidate, candidateType, format) ? rule : null;
  }

  #find(path: string, effect: Effect): Rule | null {
    return this.#matching(path).find(({ spec }) => spec[effect] !== undefined) ?? null;
  }

  #fieldRules(path: string): FieldRules | undefined {
    const matching = this.#matching(path);
    if (matching.length === 0) return undefined;
    const rules: FieldRules = {};
    for (const { spec } of matching.toReversed()) {
      if (spec.ignore !== undefined) rules.ignore = true;
      if (spec.unordered !== undefined) rules.unordered = true;
      if (spec.key !== undefined) rules.key = spec.key;
      if (spec.tolerance !== undefined) {
        rules.absoluteTolerance = spec.tolerance.absolute ?? 0;
        rules.relativeTolerance = spec.tolerance.relative ?? 0;
      }
    }
    return rules;
  }

  #matching(path: string): readonly Rule[] {
    let matching = this.#remembered.get(path);
    if (matching === undefined) {
      matching = this.#rules.filter((rule) => rule.matches(path));
      for (const rule of matching) rule.matched = true;
      if (this.#remembered.size >= rememberedMax) this.#remembered = new Map();
      this.#remembered.set(path, matching);
    }
    return matching;
  }
}

export class CompareRules {
  readonly #rules: readonly Rule[];
  readonly #options: DiffOptions;
  readonly #none: EndpointRules;
  /** By the numbers of the rules. */
  readonly #sets = new Map<string, EndpointRules>();

  /**
   * `options` are those of every endpoint. What rules did that were there `before` goes on being counted; `pairs` is how
   * many were compared until then.
   */
  constructor(rules: readonly CompareRule[], options: DiffOptions, before: { rules: CompareRules; pairs: number } | null = null) {
    const known = new Map((before === null ? [] : before.rules.#rules).map((rule) => [JSON.stringify(rule.spec), rule]));
    this.#rules = rules.map((spec) => known.get(JSON.stringify(spec)) ?? new Rule(spec, before?.pairs ?? 0));
    this.#options = options;
    this.#none = new EndpointRules([], options);
  }

  /** What holds for an endpoint; to be remembered with it. */
  of(endpoint: string): EndpointRules {
    const rules = this.#rules.filter((rule) => rule.isFor(endpoint));
    if (rules.length === 0) return this.#none;
    const key = rules.map((rule) => this.#rules.indexOf(rule)).join();
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = new EndpointRules(rules, this.#options);
      if (this.#sets.size < rememberedMax) this.#sets.set(key, set);
    }
    return set;
  }

  reports(): RuleReport[] {
    return this.#rules.map(({ name, hidden, pairs }) => ({ name, hidden, pairs }));
  }

  /** About rules that do nothing, or more than they were meant to; `pairs` is how many were compared. */
  warnings(pairs: number): string[] {
    return this.#rules.flatMap((rule) => {
      const idle = rule.spec.key === undefined ? rule.hidden === 0 : !rule.matched;
      const seen = pairs - rule.since;
      if (idle) return seen < pairsForWarningMin ? [] : [`the rule ${rule.name} has hidden nothing in ${seen} pairs: is its path right?`];
      if (rule.spec.ignore !== undefined && [...rule.places].some(isWhole)) return [`the rule ${rule.name} hides whole answers`];
      if (rule.places.size <= placesMax) return [];
      return [`the rule ${rule.name} hides differences at more than ${placesMax} places: is its path too wide?`];
    });
  }
}

function isWhole(path: string): boolean {
  return path === '$' || path === 'status' || path === 'text' || path === 'body' || path === 'failure';
}

/** As JSONPath writes it, `..` is any depth; what stands between brackets is meant literally. */
function pathGlob(pattern: string): string {
  return pattern.replaceAll('..', '**.');
}

function listOf(patterns: string | readonly string[]): readonly string[] {
  return typeof patterns === 'string' ? [patterns] : patterns;
}
