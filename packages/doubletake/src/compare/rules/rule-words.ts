/** A rule in words. */
import type { CompareRule } from '../../config/compare-schema.ts';

/** For example `ignores $.items[*].price of GET /cart`. */
export function ruleWords({ path, endpoint, ignore, tolerance, unordered, key, format }: CompareRule): string {
  const places = [path].flat().join(', ');
  const of = endpoint === undefined ? '' : ` of ${[endpoint].flat().join(', ')}`;
  if (ignore !== undefined) return `ignores ${places}${of}`;
  if (unordered !== undefined) return `takes ${places}${of} for a set`;
  if (key !== undefined) return `knows the elements of ${places}${of} by ${key}`;
  if (format !== undefined) return `lets ${places}${of} be any ${format}`;
  const { absolute, relative } = tolerance ?? {};
  const apart = [absolute === undefined ? [] : String(absolute), relative === undefined ? [] : `${Math.round(relative * 1e6) / 1e4} %`].flat().join(' or ');
  return `lets ${places}${of} be ${apart} apart`;
}
