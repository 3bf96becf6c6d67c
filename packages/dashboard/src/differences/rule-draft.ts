/** A rule as it is being written in the form, and what becomes of it. */
import type { RuleInput } from '../../../doubletake/src/server/api/rules.ts';

export interface RuleDraft {
  name: string;
  effect: 'ignore' | 'tolerate' | 'unordered';
  /** Empty: every endpoint. */
  endpoint: string;
  path: string;
  toleranceBy: 'relative' | 'absolute';
  /** Percent, or a number, as typed. */
  tolerance: string;
}

/** The rule, or what is still wrong with it in words. */
export function ruleOf({ name, effect, endpoint, path, toleranceBy, tolerance }: RuleDraft): RuleInput | string {
  if (name.trim() === '') return 'Give the rule a name.';
  if (name.length > 64) return 'The name has more than 64 characters.';
  if (path.trim() === '') return 'Say where: a path such as $.items[*].price.';
  const place = { name: name.trim(), ...(endpoint === '' ? {} : { endpoint }), path: path.trim() };
  if (effect === 'ignore') return { ...place, ignore: true };
  if (effect === 'unordered') return { ...place, unordered: true };
  const amount = Number(tolerance);
  if (tolerance.trim() === '' || !Number.isFinite(amount) || amount < 0) return 'Say how far apart the two values may be: a number, 0 or more.';
  return { ...place, tolerance: toleranceBy === 'relative' ? { relative: `${amount}%` } : { absolute: amount } };
}
