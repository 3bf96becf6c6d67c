/**
 * The JSONPaths of RFC 9535 that can be followed while a document is read once, from left to right: name, index and
 * wildcard selectors, unions of them, in child and descendant segments.
 */
import { JsonPathSyntaxError, parseJsonPath } from './json-path-parser.ts';
import type { Selector } from './json-path-syntax.ts';

/** One step down, to the children under these names and indexes. */
export interface PathStep {
  /** Or to any that lie deeper. */
  descendant: boolean;
  /** Null is the wildcard. */
  selectors: readonly (string | number)[] | null;
}

/** The steps that a document's place has gone are kept as the bits of a number. */
const STEPS_MAX = 30;

/** Throws `JsonPathSyntaxError` for what is no JSONPath, and for one that needs what comes later in a document. */
export function readStreamingPath(path: string): PathStep[] {
  const steps = parseJsonPath(path).segments.map(({ descendant, selectors }) => {
    const keys = selectors.map(keyOf);
    return { descendant, selectors: keys.includes(null) ? null : keys.filter((key) => key !== null) };
  });
  if (steps.length > STEPS_MAX) throw new JsonPathSyntaxError(`more than ${STEPS_MAX} segments`);
  return steps;
}

/** Null is the wildcard. */
function keyOf(selector: Selector): string | number | null {
  switch (selector.kind) {
    case 'name':
      return selector.name;
    case 'wildcard':
      return null;
    case 'index':
      if (selector.index >= 0) return selector.index;
      throw new JsonPathSyntaxError('an index that counts from the end cannot be used here');
    case 'slice':
      throw new JsonPathSyntaxError('a slice cannot be used here; name the indexes, such as [0,1]');
    case 'filter':
      throw new JsonPathSyntaxError('a filter cannot be used here');
  }
}
