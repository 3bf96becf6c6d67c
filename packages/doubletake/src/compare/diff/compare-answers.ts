/** Compares what two versions answered to the same request: the outcome, the header fields, the body. */
import type { Comparison } from '../difference.ts';
import type { Answer } from '../pair.ts';
import { Bodies } from './bodies.ts';
import { Collector, textShown } from './collector.ts';
import { Headers } from './headers.ts';
import { type DiffOptions, DIFFERENCES_MAX } from './options.ts';
import { PathTree } from './path-tree.ts';

/**
 * All that differs. Pure and bounded: whatever the answers hold, it neither throws nor runs away. Where one side has no
 * answer, or the statuses are of different classes (200 and 500), that is the difference, and the rest is not looked at.
 */
export function compareAnswers(baseline: Answer, candidate: Answer, options: DiffOptions): Comparison {
  let differ = differs.get(options);
  if (differ === undefined) {
    differ = new Differ(options);
    differs.set(options, differ);
  }
  return differ.compare(baseline, candidate);
}

/** What was found out about paths and rules, for as long as somebody has the options. */
const differs = new WeakMap<DiffOptions, Differ>();

class Differ {
  readonly #paths: PathTree;
  readonly #headers: Headers;
  readonly #bodies: Bodies;
  readonly #differencesMax: number;
  #runs = 0;

  constructor(options: DiffOptions) {
    this.#paths = new PathTree(options.rules ?? (() => undefined));
    this.#headers = new Headers(this.#paths, options.ownHosts ?? []);
    this.#bodies = new Bodies(this.#paths, options);
    this.#differencesMax = options.differencesMax ?? DIFFERENCES_MAX;
  }

  compare(baseline: Answer, candidate: Answer): Comparison {
    this.#paths.prune();
    const out = new Collector(this.#differencesMax, ++this.#runs);
    if (this.#outcomes(baseline, candidate, out)) {
      this.#headers.compare(baseline, candidate, out);
      this.#bodies.compare(baseline, candidate, out);
    }
    return out.result();
  }

  /** True when there are two answers that can be compared any further. */
  #outcomes(baseline: Answer, candidate: Answer, out: Collector): boolean {
    const status = this.#paths.root('status');
    out.compares(status);
    const [from, to] = [baseline, candidate].map(outcomeOf);
    if (baseline.failure !== null || candidate.failure !== null) {
      if (from !== to) out.add('failure', status, 'status', textShown(from), textShown(to));
      return false;
    }
    if (from === to) return true;
    out.add('status', status, 'status', textShown(from), textShown(to));
    return Math.floor(baseline.status / 100) === Math.floor(candidate.status / 100);
  }
}

function outcomeOf({ status, failure }: Answer): string {
  return failure ?? String(status);
}
