/** Counts that are read off the ledger in several places. */
import { type CountTree, type SourceReport, type TallyReport, type TargetReport, total } from './report.ts';

/** Requests that ended so: `replayed`, or all of `blocked`. */
export function ended({ outcomes }: TallyReport, name: string): number {
  return total(outcomes[name] ?? 0);
}

/** Requests that should have come to an answer and did not. */
export function lost(report: TallyReport): number {
  return ended(report, 'dropped') + ended(report, 'failed') + ended(report, 'incomplete');
}

/** What a target was sent and answered, or failed to. */
export function attempts(target: TargetReport): number {
  return ended(target, 'replayed') + ended(target, 'failed');
}

/** Of these: failed, or answered with 5xx. */
export function targetErrors(target: TargetReport): number {
  return ended(target, 'failed') + total(target.responses['5xx'] ?? 0);
}

export function productionAnswers({ production }: SourceReport): number {
  return total(production.responses);
}

export function productionErrors({ production }: SourceReport): number {
  return total(production.responses['5xx'] ?? 0);
}

/** Without the branches that hold nothing. */
export function pruned(tree: CountTree): CountTree {
  const kept: CountTree = {};
  for (const [name, branch] of Object.entries(tree)) {
    if (total(branch) > 0) kept[name] = typeof branch === 'number' ? branch : pruned(branch);
  }
  return kept;
}
