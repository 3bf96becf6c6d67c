/**
 * Follows a JSONPath for a reader that sees a document once, from left to right. Which steps of the path a place fulfils
 * is a set of bits, derived from its parent's, so a document costs the same whatever the path.
 */
import { type PathStep, readStreamingPath } from '../../config/streaming-path.ts';

export class JsonPath {
  readonly #steps: readonly PathStep[];

  /** Throws `JsonPathSyntaxError`. */
  constructor(path: string) {
    this.#steps = readStreamingPath(path);
  }

  /** The set of a document's root. */
  get root(): number {
    return 1;
  }

  /** The set of the child under this name or index of a place with the set `parent`. */
  child(parent: number, key: string | number): number {
    let states = 0;
    for (let index = 0; index < this.#steps.length; index++) {
      if ((parent & (1 << index)) === 0) continue;
      const step = this.#steps[index];
      if (step.descendant) states |= 1 << index;
      if (step.selectors === null || step.selectors.includes(key)) states |= 1 << (index + 1);
    }
    return states;
  }

  /** Whether a place with this set is what the path names. */
  matches(states: number): boolean {
    return (states & (1 << this.#steps.length)) !== 0;
  }
}
