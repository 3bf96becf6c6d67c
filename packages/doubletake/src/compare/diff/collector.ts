/** Gathers what a comparison of two answers finds, within its bounds. */
import type { Comparison, Difference, DifferenceKind, HiddenDifference } from '../difference.ts';
import type { PathNode } from './path-tree.ts';

const VALUE_LENGTH_MAX = 256;
const PLACE_LENGTH_MAX = 512;

/** A value as a difference shows it. */
export interface Shown {
  text: string;
  type: string;
}

export class Collector {
  readonly #differencesMax: number;
  readonly #differences: Difference[] = [];
  readonly #hidden: HiddenDifference[] = [];
  readonly #compared: string[] = [];
  readonly #run: number;
  #truncated = false;
  #limited: string | null = null;

  /** `run` is a number of its own for each comparison that uses the same paths. */
  constructor(differencesMax: number, run: number) {
    this.#differencesMax = differencesMax;
    this.#run = run;
  }

  /** Both sides have a value here that is compared. */
  compares(node: PathNode): void {
    if (node.seenIn === this.#run) return;
    node.seenIn = this.#run;
    if (this.#compared.length < this.#differencesMax) this.#compared.push(node.path);
  }

  add(kind: DifferenceKind, node: PathNode, place: string, baseline: Shown | null, candidate: Shown | null): void {
    if (node.rules.ignore === true) {
      this.hide(node, 'ignore');
      return;
    }
    if (this.full) {
      this.#truncated = true;
      return;
    }
    this.#differences.push({
      kind,
      path: node.path,
      place: shortened(place, PLACE_LENGTH_MAX),
      baseline: baseline === null ? null : shortened(baseline.text, VALUE_LENGTH_MAX),
      candidate: candidate === null ? null : shortened(candidate.text, VALUE_LENGTH_MAX),
      baselineType: baseline?.type ?? null,
      candidateType: candidate?.type ?? null,
    });
  }

  hide(node: PathNode, by: HiddenDifference['by']): void {
    if (this.#hidden.length < this.#differencesMax) this.#hidden.push({ path: node.path, by });
  }

  /** Says what kept the bodies from being compared in full; the first to say it is heard. */
  limit(reason: string): void {
    this.#limited ??= reason;
  }

  /** Nothing more is listed; another difference is only counted as being there. */
  get full(): boolean {
    return this.#differences.length >= this.#differencesMax;
  }

  /** Leaves out the differences that are left. */
  cut(): void {
    this.#truncated = true;
  }

  /** There are differences that are not listed: there is nothing more to find out. */
  get isTruncated(): boolean {
    return this.#truncated;
  }

  result(): Comparison {
    return {
      differences: this.#differences,
      hidden: this.#hidden,
      truncated: this.#truncated,
      limited: this.#limited,
      compared: this.#compared,
    };
  }
}

/** At most `max` characters, of which the last says that it was cut; no half character is left of it. */
export function shortened(text: string, max: number): string {
  // A slice would hold on to the whole text that it is of.
  const cut = text.length <= max ? text : `${text.slice(0, max - 1)}…`;
  return cut.isWellFormed() ? cut : cut.toWellFormed();
}

export function textShown(text: string): Shown {
  return { text, type: 'text' };
}
