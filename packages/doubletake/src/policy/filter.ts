/** The filter: an ordered list of rules, of which the first that matches decides (filter-options.ts). */
import type { FilterOutcome } from '../ledger/outcome.ts';
import { compileCondition, type Predicate } from './filter-condition.ts';
import type { FilterRule } from './filter-options.ts';
import type { RequestView } from './request-view.ts';

const noIncludeMatched: FilterOutcome = 'filtered.no_include_matched';

interface CompiledRule {
  matches: Predicate;
  /** What a request that matches ends with; null lets it pass. */
  outcome: FilterOutcome | null;
}

export class RequestFilter {
  readonly #rules: readonly CompiledRule[];
  readonly #otherwise: FilterOutcome | null;

  /** Throws when a rule holds a malformed pattern or network. */
  constructor(rules: readonly FilterRule[]) {
    this.#rules = rules.map((rule) => ({
      matches: compileCondition(rule.exclude ?? rule.include),
      outcome: rule.exclude === undefined ? null : `filtered.${rule.name}`,
    }));
    this.#otherwise = rules.some((rule) => rule.include !== undefined) ? noIncludeMatched : null;
  }

  /** What the request ends with, or null when it passes. */
  decide(request: RequestView): FilterOutcome | null {
    for (const { matches, outcome } of this.#rules) {
      if (matches(request)) return outcome;
    }
    return this.#otherwise;
  }
}

/** Every outcome that a filter of these rules can come to, once each: the ledger has a counter for each. */
export function filterOutcomes(rules: readonly FilterRule[]): FilterOutcome[] {
  const excluding = rules.filter((rule) => rule.exclude !== undefined);
  const outcomes = new Set(excluding.map((rule): FilterOutcome => `filtered.${rule.name}`));
  if (excluding.length < rules.length) outcomes.add(noIncludeMatched);
  return [...outcomes];
}
